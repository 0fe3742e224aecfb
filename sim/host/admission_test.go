package host

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

func init() {
	flag.BoolFunc("update", "rewrite the golden files",
		func(on string) error { return flag.Set("rewrite", on) })
}

// TestAdmissionScripts drives one queue at a time.
//
//	rules [slots=N] [capacity=N] [minstake=N] [interval=D] [longest=D] [uid] [historic]
//	offer CALLER at=D [stake=N] [until=D] [to=IDENTITY] [nouid] [backward]
//	next at=D
//	release
//
// Requests are named by their numbers, from 1.
func TestAdmissionScripts(t *testing.T) {
	datadriven.RunTest(t, "testdata/admission", func(t *testing.T, d *datadriven.TestData) string {
		var q Admission
		var out strings.Builder
		var offered CallID
		for _, line := range strings.Split(d.Input, "\n") {
			fields := strings.Fields(line)
			arg := arguments(fields[1:])
			switch fields[0] {
			case "rules":
				q.Rules = AdmissionRules{
					Slots: int(arg.number("slots")), Capacity: int(arg.number("capacity")),
					MinStakeRao: uint64(arg.number("minstake")), MinInterval: arg.time("interval"),
					LongestService: arg.time("longest"), RequireUID: arg.has("uid"), Historic: arg.has("historic"),
				}
				continue
			case "offer":
				offered++
				in := Incoming{Call: offered, From: PeerID{fields[1][0]}, StakeRao: uint64(arg.number("stake")),
					To: Identity(arg.number("to")), Deadline: Hour, Request: Request{Dir: Forward}}
				if arg.has("until") {
					in.Deadline = arg.time("until")
				}
				if arg.has("backward") {
					in.Request.Dir = Backward
				}
				outcome, displaced, gaveWay := q.Offer(in, !arg.has("nouid"), arg.time("at"))
				fmt.Fprintf(&out, "%-40s # %d: %v", line, offered, outcome)
				if gaveWay {
					fmt.Fprintf(&out, ", %d gives way", displaced.Call)
				}
			case "next":
				fmt.Fprintf(&out, "%-40s # ", line)
				if in, ok := q.Next(arg.time("at")); ok {
					fmt.Fprintf(&out, "%d", in.Call)
					if q.Rules.LongestService > 0 {
						fmt.Fprintf(&out, " until %v", time.Duration(in.Deadline))
					}
				} else {
					out.WriteString("none")
				}
			case "release":
				q.Release()
				fmt.Fprintf(&out, "%-40s #", line)
			default:
				d.Fatalf(t, "unknown line %q", line)
			}
			fmt.Fprintf(&out, "; %d wait, %d in service\n", q.Len(), q.Busy())
			mustRoundTrip(t, &q)
		}
		return out.String()
	})
}

// mustRoundTrip sends the queue through bytes; what comes back takes its place.
func mustRoundTrip(t *testing.T, q *Admission) {
	t.Helper()
	b, _ := q.AppendBinary(nil)
	again := Admission{Rules: q.Rules}
	if err := again.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if c, _ := again.AppendBinary(nil); !bytes.Equal(b, c) {
		t.Fatalf("%x came back as %x", b, c)
	}
	*q = again
}

type args map[string]string

func arguments(fields []string) args {
	a := args{}
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		a[key] = value
	}
	return a
}

func (a args) has(key string) bool { _, ok := a[key]; return ok }

func (a args) number(key string) (n int64) {
	fmt.Sscan(a[key], &n)
	return n
}

func (a args) time(key string) Time {
	d, _ := time.ParseDuration(a[key])
	return Time(d)
}

// plainQueue is the admission queue said in the shortest way: everything is kept and searched.
type plainQueue struct {
	rules   AdmissionRules
	busy    int
	waiting []Incoming // in order of arrival
	last    map[string]Time
}

func (q *plainQueue) offer(in Incoming, hasUID bool, now Time) (Outcome, CallID) {
	if q.rules.RequireUID && !hasUID {
		return NoUID, 0
	}
	key := fmt.Sprint(in.From, in.To, in.Request.Dir)
	last, known := q.last[key]
	tooSoon := known && now-last < q.rules.MinInterval
	if q.rules.Historic {
		q.last[key] = now
	}
	if tooSoon {
		return TooSoon, 0
	}
	if in.StakeRao < q.rules.MinStakeRao {
		return TooLittle, 0
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(w Incoming) bool { return w.Deadline <= now })
	q.waiting = append(q.waiting, in)
	var out CallID
	if len(q.waiting) > q.rules.Capacity {
		worst := 0
		for i, w := range q.waiting {
			if q.rules.Historic || w.StakeRao <= q.waiting[worst].StakeRao {
				worst = i
			}
		}
		out = q.waiting[worst].Call
		q.waiting = slices.Delete(q.waiting, worst, worst+1)
		if out == in.Call {
			return Full, 0
		}
	}
	q.last[key] = now
	return Waiting, out
}

func (q *plainQueue) next(now Time) (CallID, Time) {
	if q.busy >= q.rules.Slots {
		return 0, 0
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(w Incoming) bool { return w.Deadline <= now })
	if len(q.waiting) == 0 {
		return 0, 0
	}
	best := 0
	for i, w := range q.waiting {
		if !q.rules.Historic && w.StakeRao > q.waiting[best].StakeRao {
			best = i
		}
	}
	w := q.waiting[best]
	q.waiting = slices.Delete(q.waiting, best, best+1)
	q.busy++
	if q.rules.LongestService == 0 {
		return w.Call, w.Deadline
	}
	return w.Call, min(w.Deadline, now+q.rules.LongestService)
}

// FuzzAdmissionIsThePlainQueue compares the queue with its plain twin. Three bytes are an
// operation: what, by whom and with which stake, and how much later.
func FuzzAdmissionIsThePlainQueue(f *testing.F) {
	f.Add([]byte{3, 2, 1, 0, 17, 0, 0, 18, 1, 0, 35, 0, 0, 19, 2, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0, 20, 30})
	f.Add([]byte{255, 17, 9, 0, 33, 1, 4, 5, 0, 0, 33, 200, 1, 0, 0, 0, 129, 1, 2, 0, 9, 1, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) < 3 {
			return
		}
		rules := AdmissionRules{
			Slots: 1 + int(ops[0]%2), Capacity: 1 + int(ops[1]%4), MinStakeRao: uint64(ops[2] % 3),
			MinInterval: Time(ops[2] % 8), RequireUID: ops[0]&4 != 0, Historic: ops[0]&8 != 0,
			LongestService: Time(ops[0] / 16),
		}
		q := Admission{Rules: rules}
		twin := plainQueue{rules: rules, last: map[string]Time{}}
		now := Time(0)
		for i := 3; i+3 <= len(ops); i += 3 {
			now += Time(ops[i+2] % 8)
			switch ops[i] % 4 {
			case 0, 3:
				in := Incoming{Call: CallID(i), From: PeerID{ops[i+1] % 16}, To: Identity(ops[i] / 16), StakeRao: uint64(ops[i+1] / 16),
					Deadline: now + Time(ops[i+2]/4), Request: Request{Dir: Forward + Dir(ops[i]/4%2), Body: ops[:i%3]}}
				o, displaced, _ := q.Offer(in, ops[i]&8 != 0, now)
				if to, td := twin.offer(in, ops[i]&8 != 0, now); o != to || displaced.Call != td {
					t.Fatalf("operation %d: offer gives %v displacing %d, the twin %v displacing %d",
						i, o, displaced.Call, to, td)
				}
			case 1:
				in, _ := q.Next(now)
				if id, until := twin.next(now); in.Call != id || in.Deadline != until {
					t.Fatalf("operation %d: next gives %d until %d, the twin %d until %d", i, in.Call, in.Deadline, id, until)
				}
			case 2:
				if twin.busy > 0 {
					q.Release()
					twin.busy--
				}
			}
			mustRoundTrip(t, &q)
		}
	})
}

// FuzzAdmissionBytesOfAnyKindAreReadOrRefused: what is read comes back as the same bytes.
func FuzzAdmissionBytesOfAnyKindAreReadOrRefused(f *testing.F) {
	q := Admission{Rules: AdmissionRules{MinInterval: 1}}
	f.Add(must(q.AppendBinary(nil)))
	q.Offer(Incoming{Call: 1, From: PeerID{1}, Deadline: 5, Request: Request{Body: []byte("ask")}}, true, 0)
	q.Offer(Incoming{Call: 2, From: PeerID{2}, StakeRao: 7, Deadline: 5}, true, 0)
	f.Add(must(q.AppendBinary(nil)))
	f.Fuzz(func(t *testing.T, data []byte) {
		q := Admission{Rules: AdmissionRules{MinInterval: 1}}
		if q.UnmarshalBinary(data) != nil {
			return
		}
		if b := must(q.AppendBinary(nil)); !bytes.Equal(b, data) {
			t.Fatalf("%x was read and written as %x", data, b)
		}
	})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestTheMarksOfCallersAreBounded(t *testing.T) {
	q := Admission{Rules: AdmissionRules{MinInterval: Second, Capacity: 1, MinStakeRao: 1}}
	offer := func(i int, now Time) Outcome {
		from := PeerID{byte(i), byte(i >> 8), byte(i >> 16)}
		o, _, _ := q.Offer(Incoming{From: from, Deadline: Hour, StakeRao: uint64(i + 1)}, true, now)
		return o
	}
	for i := range MaxCallers {
		if o := offer(i, 0); o != Waiting {
			t.Fatalf("caller %d: %v", i, o)
		}
	}
	if o := offer(MaxCallers, 1); o != TooSoon {
		t.Errorf("one more caller in the same second: %v, expected %v", o, TooSoon)
	}
	if o := offer(MaxCallers, Second); o != Waiting || len(q.callers) != 1 {
		t.Errorf("a second later: %v with %d marks, expected %v with 1", o, len(q.callers), Waiting)
	}
}

// TestNoCallerHoldsASlotForever: rules that name no longest service have one all the same.
func TestNoCallerHoldsASlotForever(t *testing.T) {
	q := Admission{}
	q.Offer(Incoming{Call: 1, Deadline: 1 << 60}, true, 0)
	if in, ok := q.Next(Second); !ok || in.Deadline != Second+DefaultLongestService {
		t.Errorf("served %v until %d ns, expected until %d", ok, in.Deadline, Second+DefaultLongestService)
	}
	if err := (AdmissionRules{LongestService: -1}).Validate(); err == nil {
		t.Error("a negative longest service is valid")
	}
}

func ExampleAdmission() {
	q := Admission{Rules: AdmissionRules{Capacity: 2}}
	for i, stake := range []uint64{10, 500, 30, 20} {
		in := Incoming{Call: CallID(i), StakeRao: stake, Deadline: 12 * Second}
		outcome, displaced, gaveWay := q.Offer(in, true, 0)
		fmt.Println(stake, outcome, displaced.StakeRao, gaveWay)
	}
	in, ok := q.Next(Second)
	fmt.Println("in service:", in.StakeRao, ok)
	// Output:
	// 10 waiting 0 false
	// 500 waiting 0 false
	// 30 waiting 10 true
	// 20 full 0 false
	// in service: 500 true
}

// TestServiceEndsNoLaterThanTheCallerWaits: rules that allow longer leave the caller's deadline.
func TestServiceEndsNoLaterThanTheCallerWaits(t *testing.T) {
	q := Admission{Rules: AdmissionRules{LongestService: 5 * Second}}
	q.Offer(Incoming{Call: 1, Deadline: 103 * Second}, true, 100*Second)
	if in, ok := q.Next(100 * Second); !ok || in.Deadline != 103*Second {
		t.Errorf("served %v until %d ns, expected until %d", ok, in.Deadline, 103*Second)
	}
}

// TestARestartForgetsWhoAskedWhen: the interval of a caller begins again with the queue.
func TestARestartForgetsWhoAskedWhen(t *testing.T) {
	q := Admission{Rules: AdmissionRules{MinInterval: Minute}}
	for i, want := range []Outcome{Waiting, TooSoon, Waiting} {
		if i == 2 {
			q.Clear()
		}
		if o, _, _ := q.Offer(Incoming{From: PeerID{1}, Deadline: Hour}, true, Time(i)*Second); o != want {
			t.Errorf("offer %d: %v, expected %v", i, o, want)
		}
	}
	if q.Len() != 1 || q.Busy() != 0 {
		t.Errorf("%d wait and %d are in service, expected the one that came after the restart", q.Len(), q.Busy())
	}
}
