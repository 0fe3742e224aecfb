package host

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Limits of an admission queue.
const (
	DefaultCapacity = 64    // requests that wait where the rules name no capacity
	MaxCapacity     = 4096  // largest capacity
	MaxSlots        = 1024  // largest number of slots
	MaxCallers      = 16384 // callers whose last request is remembered; the interval bounds how long

	DefaultLongestService = 10 * Minute // in service where the rules name no time
)

// AdmissionRules say whom a serving node takes, in which order and how many at a time.
type AdmissionRules struct {
	// Slots is the number of requests in service at a time; 0 means 1. A request is in service
	// until its last reply, its deadline or the end of LongestService.
	Slots int
	// Capacity is the number of requests that wait; 0 means DefaultCapacity. In a full queue the
	// request that would be served last gives way.
	Capacity int
	// MinStakeRao refuses callers with less stake, in rao.
	MinStakeRao uint64
	// RequireUID refuses callers without a uid.
	RequireUID bool
	// LongestService is the longest time that a request is in service, however patient its caller,
	// in nanoseconds; 0 means DefaultLongestService.
	LongestService Time
	// MinInterval refuses a request that comes sooner after the caller's previous one to the same identity
	// in the same direction, in nanoseconds.
	MinInterval Time
	// Historic is the behaviour of 2022: a refused request restarts the caller's interval, so that
	// a caller who polls too fast stays locked out, and requests are served in order of arrival.
	// Otherwise only admitted requests count and larger stake goes first.
	Historic bool
}

// Validate says what is wrong with the rules.
func (r AdmissionRules) Validate() error {
	switch {
	case r.Slots < 0 || r.Slots > MaxSlots:
		return fmt.Errorf("slots: %d is not in 0 to %d", r.Slots, MaxSlots)
	case r.Capacity < 0 || r.Capacity > MaxCapacity:
		return fmt.Errorf("capacity: %d is not in 0 to %d", r.Capacity, MaxCapacity)
	case r.LongestService < 0:
		return fmt.Errorf("longest service: %d ns is negative", r.LongestService)
	case r.MinInterval < 0:
		return fmt.Errorf("minimal interval: %d ns is negative", r.MinInterval)
	}
	return nil
}

// slots and capacity are the rules' numbers with the defaults filled in.
func (r AdmissionRules) slots() int { return max(r.Slots, 1) }
func (r AdmissionRules) capacity() int {
	if r.Capacity == 0 {
		return DefaultCapacity
	}
	return r.Capacity
}
func (r AdmissionRules) longestService() Time {
	if r.LongestService == 0 {
		return DefaultLongestService
	}
	return r.LongestService
}

// Outcome is what an admission queue says to a request.
type Outcome uint8

// The outcomes, in the order in which the rules are checked.
const (
	Waiting       Outcome = iota // the request waits for a slot
	NoUID                        // the caller has no uid
	TooSoon                      // the caller's interval has not passed
	TooLittle                    // the caller's stake is below the minimum
	Full                         // the queue is full of requests that go first
	outcomesCount                // number of outcomes
)

var outcomeNames = [outcomesCount]string{"waiting", "no uid", "too soon", "too little stake", "full"}

// String is the outcome in words.
func (o Outcome) String() string {
	if o >= outcomesCount {
		return fmt.Sprintf("outcome %d", uint8(o))
	}
	return outcomeNames[o]
}

// Code is the return code that a refused caller gets: the 2022 blacklist had one for all its rules.
func (o Outcome) Code() Code {
	switch o {
	case Waiting:
		return Success
	case Full:
		return Backoff
	}
	return Unauthenticated
}

// Admission is the queue in front of a serving node: it decides who is served and who waits. It
// is plain data driven from outside and the same in the virtual and the live world. The zero
// value with Rules set is ready to use.
type Admission struct {
	Rules AdmissionRules

	busy    int
	arrived uint64       // running number of requests that were put in the queue
	waiting []waiting    // sorted: the next to serve last
	callers []callerMark // sorted by key, direction and identity
}

// waiting is a request in the queue.
type waiting struct {
	Incoming
	arrival uint64
}

// callerMark is when a caller last sent a request to an identity in a direction.
type callerMark struct {
	key PeerID
	dir Dir
	to  Identity
	at  Time
}

// Offer puts a request in front of the queue. Refused means any outcome but Waiting. When a full
// queue takes the request, the one that gave way is returned as displaced; its caller is to be
// told Full.
func (q *Admission) Offer(in Incoming, hasUID bool, now Time) (o Outcome, displaced Incoming, gaveWay bool) {
	if q.Rules.RequireUID && !hasUID {
		return NoUID, Incoming{}, false
	}
	mark, fresh := q.mark(callerMark{key: in.From, dir: in.Request.Dir, to: in.To}, now)
	switch {
	case !fresh:
		return TooSoon, Incoming{}, false
	case in.StakeRao < q.Rules.MinStakeRao:
		return TooLittle, Incoming{}, false
	}
	q.dropOverdue(now)
	w := waiting{in, q.arrived}
	at, _ := slices.BinarySearchFunc(q.waiting, w, func(a, b waiting) int { return q.order(b, a) })
	if len(q.waiting) >= q.Rules.capacity() {
		if at == 0 {
			return Full, Incoming{}, false
		}
		displaced, gaveWay = q.waiting[0].Incoming, true
		copy(q.waiting, q.waiting[1:at])
		q.waiting[at-1] = w
	} else {
		q.waiting = slices.Insert(q.waiting, at, w)
	}
	q.arrived++
	if mark >= 0 {
		q.callers[mark].at = now
	}
	return Waiting, displaced, gaveWay
}

// order is negative when a is served before b.
func (q *Admission) order(a, b waiting) int {
	if !q.Rules.Historic && a.StakeRao != b.StakeRao {
		if a.StakeRao > b.StakeRao {
			return -1
		}
		return 1
	}
	if a.arrival < b.arrival {
		return -1
	}
	return 1
}

// mark checks the caller's interval and returns where its mark stands, or -1 when no interval is
// kept. A caller without a mark gets one that is long past, so that an admitted request can set it.
func (q *Admission) mark(of callerMark, now Time) (index int, fresh bool) {
	if q.Rules.MinInterval == 0 {
		return -1, true
	}
	at, found := slices.BinarySearchFunc(q.callers, of, compareMarks)
	if !found {
		if len(q.callers) >= MaxCallers {
			q.callers = slices.DeleteFunc(q.callers, func(m callerMark) bool {
				return now-m.at >= q.Rules.MinInterval
			})
			if len(q.callers) >= MaxCallers {
				return -1, false
			}
			at, _ = slices.BinarySearchFunc(q.callers, of, compareMarks)
		}
		of.at = now - q.Rules.MinInterval
		q.callers = slices.Insert(q.callers, at, of)
	}
	fresh = now-q.callers[at].at >= q.Rules.MinInterval
	if q.Rules.Historic {
		q.callers[at].at = now
	}
	return at, fresh
}

func compareMarks(a, b callerMark) int {
	if c := bytes.Compare(a.key[:], b.key[:]); c != 0 {
		return c
	}
	return cmp.Or(int(a.dir)-int(b.dir), int(a.to)-int(b.to))
}

// way is the direction of a request and whom it asks in one byte: the direction, and four times the identity.
func way(dir Dir, to Identity) byte { return byte(dir)&3 | byte(to)<<2 }

// wayOf takes way apart.
func wayOf(b byte) (Dir, Identity) { return Dir(b & 3), Identity(b >> 2) }

// dropOverdue forgets waiting requests whose callers have given up: an answer would be too late.
func (q *Admission) dropOverdue(now Time) {
	q.waiting = slices.DeleteFunc(q.waiting, func(w waiting) bool { return w.Deadline <= now })
}

// Next takes the next request into service if a slot is free and somebody waits. Its deadline is
// then the end of its service, which the rules may put before the caller's.
func (q *Admission) Next(now Time) (Incoming, bool) {
	if q.busy >= q.Rules.slots() {
		return Incoming{}, false
	}
	for n := len(q.waiting); n > 0; n = len(q.waiting) {
		w := q.waiting[n-1]
		q.waiting[n-1] = waiting{}
		q.waiting = q.waiting[:n-1]
		if w.Deadline > now {
			q.busy++
			if longest := q.Rules.longestService(); longest < w.Deadline-now {
				w.Deadline = now + longest
			}
			return w.Incoming, true
		}
	}
	return Incoming{}, false
}

// Release frees the slot of a request that Next gave out.
func (q *Admission) Release() {
	if q.busy == 0 {
		panic("host: Release without a request in service")
	}
	q.busy--
}

// Withdraw takes out a request whose caller has given up, so that it keeps nobody else from waiting.
func (q *Admission) Withdraw(call CallID) {
	q.waiting = slices.DeleteFunc(q.waiting, func(w waiting) bool { return w.Call == call })
}

// Len is the number of requests that wait, Busy the number in service.
func (q *Admission) Len() int { return len(q.waiting) }

// Busy is the number of requests in service.
func (q *Admission) Busy() int { return q.busy }

// Clear forgets all requests and callers, as a restart does.
func (q *Admission) Clear() { *q = Admission{Rules: q.Rules, arrived: q.arrived} }

// AppendBinary appends the queue without its rules, little-endian: busy u32, arrived u64, the
// number of waiting requests u32 and each one (call u64, from 32 bytes, stake u64, deadline i64,
// synapse u8, way u8, replies u32, body length u32, body, arrival u64), the number of callers u32 and
// each one (key 32 bytes, way u8, time i64). A way is the direction and four times the identity asked.
func (q *Admission) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	b = le.AppendUint32(b, uint32(q.busy))
	b = le.AppendUint64(b, q.arrived)
	b = le.AppendUint32(b, uint32(len(q.waiting)))
	for _, w := range q.waiting {
		b = le.AppendUint64(b, uint64(w.Call))
		b = append(b, w.From[:]...)
		b = le.AppendUint64(b, w.StakeRao)
		b = le.AppendUint64(b, uint64(w.Deadline))
		b = append(b, byte(w.Request.Synapse), way(w.Request.Dir, w.To))
		b = le.AppendUint32(b, w.Request.MaxReplies)
		b = le.AppendUint32(b, uint32(len(w.Request.Body)))
		b = append(b, w.Request.Body...)
		b = le.AppendUint64(b, w.arrival)
	}
	b = le.AppendUint32(b, uint32(len(q.callers)))
	for _, m := range q.callers {
		b = append(b, m.key[:]...)
		b = append(b, way(m.dir, m.to))
		b = le.AppendUint64(b, uint64(m.at))
	}
	return b, nil
}

var errAdmission = errors.New("admission queue")

// UnmarshalBinary replaces the queue by what AppendBinary wrote and keeps the rules. On error the
// queue is unchanged.
func (q *Admission) UnmarshalBinary(data []byte) error {
	r := reader{rest: data}
	n := Admission{Rules: q.Rules, busy: int(r.uint32()), arrived: r.uint64()}
	count := int(r.uint32())
	if r.short || n.busy > n.Rules.slots() || count > n.Rules.capacity() {
		return fmt.Errorf("%w: %d in service and %d waiting in %d bytes: at most %d and %d are allowed",
			errAdmission, n.busy, count, len(data), n.Rules.slots(), n.Rules.capacity())
	}
	for i := 0; i < count && !r.short; i++ {
		var w waiting
		w.Call = CallID(r.uint64())
		copy(w.From[:], r.bytes(32))
		w.StakeRao, w.Deadline = r.uint64(), Time(r.uint64())
		w.Request.Synapse = Synapse(r.uint8())
		w.Request.Dir, w.To = wayOf(r.uint8())
		w.Request.MaxReplies = r.uint32()
		w.Request.Body = slices.Clone(r.bytes(int(r.uint32())))
		w.arrival = r.uint64()
		n.waiting = append(n.waiting, w)
		if i > 0 && n.order(n.waiting[i], n.waiting[i-1]) > 0 {
			return fmt.Errorf("%w: waiting request %d stands out of order", errAdmission, i)
		}
	}
	count = int(r.uint32())
	if count > MaxCallers {
		return fmt.Errorf("%w: %d callers, at most %d are kept", errAdmission, count, MaxCallers)
	}
	for i := 0; i < count && !r.short; i++ {
		var m callerMark
		copy(m.key[:], r.bytes(32))
		m.dir, m.to = wayOf(r.uint8())
		m.at = Time(r.uint64())
		n.callers = append(n.callers, m)
		if i > 0 && compareMarks(n.callers[i-1], m) >= 0 {
			return fmt.Errorf("%w: caller %d stands out of order", errAdmission, i)
		}
	}
	if r.short || len(r.rest) > 0 {
		return fmt.Errorf("%w: %d bytes do not fit the content, %d are left over", errAdmission,
			len(data), len(r.rest))
	}
	*q = n
	return nil
}

// reader takes little-endian values off a slice; after the end it gives zeros and is short.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.short, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}
