package score

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Smoothing is the default weight of a new value in an Average.
const Smoothing = 0.1

// Average is an exponential moving average and the number of values in it.
type Average struct {
	Value   float64
	Updates uint64
}

// Observe adds a value with weight alpha; the first one becomes the average, and a value that is not finite
// is ignored.
func (a *Average) Observe(x, alpha float64) {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return
	case a.Updates == 0:
		a.Value = x
	default:
		a.move(x, alpha)
	}
	a.Updates++
}

// ObserveFromZero adds a value with weight alpha, starting from zero: a newcomer earns its score query by
// query. A value that is not finite counts as zero.
func (a *Average) ObserveFromZero(x, alpha float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		x = 0
	}
	a.move(x, alpha)
	a.Updates++
}

func (a *Average) move(x, alpha float64) {
	a.Value = float64((1-alpha)*a.Value) + float64(alpha*x)
}

// Entry holds a validator's averages of the peer at one uid. Every query updates Score, with zero when no
// usable answer came; only usable answers update the others.
type Entry struct {
	Hotkey      [32]byte
	Score       Average
	Shapley     Average
	Loss        Average // nats per standard token
	Base        Average
	Synergy     Average
	SynergyLoss Average // nats per standard token
	Route       Average // the gate's score
	LatencyNs   Average

	ServiceRows   float64 // of the service lane, the older ones counting less
	ServiceMissed float64 // those of them without a usable answer
}

// Unanswered is the moving average of the share of the service lane's rows without a usable answer; 0 before
// the first.
func (e Entry) Unanswered() float64 {
	if e.ServiceRows == 0 {
		return 0
	}
	return e.ServiceMissed / e.ServiceRows
}

// Weight is the score from which weights are computed: that of the scoring lane, less the share of the
// service lane that stayed unanswered. So answering only the scoring lane does not pay.
func (e Entry) Weight() float64 { return float64(e.Score.Value * (1 - e.Unanswered())) }

// Averages is a table of entries by uid; its zero value is empty.
type Averages struct {
	Alpha   float64 // weight of a new value, 0: Smoothing; a setting, not part of the state's bytes
	entries []Entry
}

// MeanLoss adds the loss of an answer to the moving average at its uid and returns the average.
func (a *Averages) MeanLoss(uid uint16, hotkey [32]byte, loss float64) float64 {
	e := a.at(uid, hotkey)
	e.Loss.Observe(loss, a.alpha())
	return e.Loss.Value
}

// Answered notes a query with a usable answer, whose loss MeanLoss has already added.
func (a *Averages) Answered(hotkey [32]byte, c Credit, route float64, latencyNs int64) {
	e, alpha := a.at(c.UID, hotkey), a.alpha()
	e.Score.ObserveFromZero(c.Shapley(), alpha)
	e.Shapley.Observe(c.Shapley(), alpha)
	e.Base.Observe(c.Base, alpha)
	e.Synergy.Observe(c.Synergy, alpha)
	e.SynergyLoss.Observe(c.SynergyLoss, alpha)
	e.Route.Observe(route, alpha)
	e.LatencyNs.Observe(float64(latencyNs), alpha)
}

// Silent notes a query without a usable answer.
func (a *Averages) Silent(uid uint16, hotkey [32]byte) {
	a.at(uid, hotkey).Score.ObserveFromZero(0, a.alpha())
}

// Served notes a request of the service lane: its number of rows, and whether a usable answer came. Each
// later request multiplies a row's count by 1 - Alpha.
func (a *Averages) Served(uid uint16, hotkey [32]byte, rows int, answered bool) {
	e, keep := a.at(uid, hotkey), 1-a.alpha()
	e.ServiceRows = float64(keep*e.ServiceRows) + float64(rows)
	e.ServiceMissed = float64(keep * e.ServiceMissed)
	if !answered {
		e.ServiceMissed += float64(rows)
	}
}

func (a *Averages) alpha() float64 {
	if a.Alpha == 0 {
		return Smoothing
	}
	return a.Alpha
}

// Refresh forgets the entry at a uid whose hotkey changed and reports whether there was one.
func (a *Averages) Refresh(uid uint16, hotkey [32]byte) bool {
	if int(uid) >= len(a.entries) || a.entries[uid] == (Entry{}) || a.entries[uid].Hotkey == hotkey {
		return false
	}
	a.entries[uid] = Entry{}
	return true
}

// at is the entry of a peer, empty if the uid had another hotkey before.
func (a *Averages) at(uid uint16, hotkey [32]byte) *Entry {
	if n := int(uid) + 1 - len(a.entries); n > 0 {
		a.entries = append(a.entries, make([]Entry, n)...)
	}
	a.Refresh(uid, hotkey)
	a.entries[uid].Hotkey = hotkey
	return &a.entries[uid]
}

// Entry returns the entry of a uid; the zero entry if there is none.
func (a *Averages) Entry(uid uint16) Entry {
	if int(uid) >= len(a.entries) {
		return Entry{}
	}
	return a.entries[uid]
}

// Len is one more than the highest uid noted so far.
func (a *Averages) Len() int { return len(a.entries) }

func (e *Entry) averages() []*Average {
	return []*Average{
		&e.Score, &e.Shapley, &e.Loss, &e.Base, &e.Synergy, &e.SynergyLoss, &e.Route, &e.LatencyNs,
	}
}

const (
	averagesVersion = 2
	averagesHeader  = 5                  // version, count
	entryBytes      = 32 + 8*(8+8) + 2*8 // hotkey, averages, rows
)

// AppendBinary appends the table: a version byte, the count as uint32, then each entry's hotkey
// and averages as float64 value and uint64 count, and the rows of the service lane as float64, little-endian.
func (a *Averages) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, averagesVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(a.entries)))
	for i := range a.entries {
		e := &a.entries[i]
		b = append(b, e.Hotkey[:]...)
		for _, avg := range e.averages() {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(avg.Value))
			b = binary.LittleEndian.AppendUint64(b, avg.Updates)
		}
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.ServiceRows))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.ServiceMissed))
	}
	return b, nil
}

// UnmarshalBinary replaces the table by what AppendBinary wrote; a refused one changes nothing.
func (a *Averages) UnmarshalBinary(b []byte) error {
	if len(b) < averagesHeader || b[0] != averagesVersion {
		return fmt.Errorf("score: averages: want version %d and a count, got %d bytes % x; was it written by this program?",
			averagesVersion, len(b), b[:min(len(b), averagesHeader)])
	}
	count, body := int(binary.LittleEndian.Uint32(b[1:])), b[averagesHeader:]
	if count > 1<<16 || len(body) != count*entryBytes {
		return fmt.Errorf("score: averages: %d entries take %d bytes, got %d; the state is cut or damaged",
			count, count*entryBytes, len(body))
	}
	entries := make([]Entry, count)
	for i := range entries {
		e := &entries[i]
		body = body[copy(e.Hotkey[:], body):]
		for _, avg := range e.averages() {
			avg.Value = math.Float64frombits(binary.LittleEndian.Uint64(body))
			avg.Updates = binary.LittleEndian.Uint64(body[8:])
			if math.IsNaN(avg.Value) || math.IsInf(avg.Value, 0) {
				return fmt.Errorf("score: averages: entry %d holds %v, want finite numbers; the state is damaged",
					i, avg.Value)
			}
			body = body[16:]
		}
		e.ServiceRows = math.Float64frombits(binary.LittleEndian.Uint64(body))
		e.ServiceMissed = math.Float64frombits(binary.LittleEndian.Uint64(body[8:]))
		if !(e.ServiceMissed >= 0 && e.ServiceMissed <= e.ServiceRows && e.ServiceRows <= math.MaxFloat32) {
			return fmt.Errorf("score: averages: entry %d missed %v of %v rows, want at most all; the state is damaged",
				i, e.ServiceMissed, e.ServiceRows)
		}
		body = body[16:]
	}
	a.entries = entries
	return nil
}
