package score

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Market is the credit that pays by subset. Each subset has a pot, the validator's demand for it, and a uid's
// part of the pot is its base score on that subset over the sum of all uids': a uid that serves a subset which
// few serve well earns most of its pot, even if it is poor at all others.
//
// A base score comes from the moving average of the losses in the scoring lane, times the share of its questions
// that the uid answered, which rises from zero. The zero Market is empty.
type Market struct {
	Alpha    float64 // weight of a new value, 0: Smoothing; a setting, not part of the state's bytes
	supplies []supply
}

// supply is the performance of one uid.
type supply struct {
	answered Average   // share of its questions with a usable answer, from zero
	losses   []Average // by subset, up to the last one seen, nats per standard token
}

// Answered notes an answer to a question of the scoring lane: the loss of each row and its subset.
func (m *Market) Answered(uid uint16, losses []float64, subsets []uint16) {
	s := m.at(uid)
	s.answered.ObserveFromZero(1, m.alpha())
	for len(s.losses) <= int(slices.Max(subsets)) {
		s.losses = append(s.losses, Average{})
	}
	for subset := range s.losses {
		sum, rows := 0.0, 0.0
		for row, of := range subsets {
			if int(of) == subset {
				sum, rows = sum+losses[row], rows+1
			}
		}
		if rows > 0 {
			s.losses[subset].Observe(sum/rows, m.alpha())
		}
	}
}

// Silent notes a question of the scoring lane without a usable answer.
func (m *Market) Silent(uid uint16) { m.at(uid).answered.ObserveFromZero(0, m.alpha()) }

// Forget clears a uid.
func (m *Market) Forget(uid uint16) {
	if int(uid) < len(m.supplies) {
		m.supplies[uid] = supply{}
	}
}

// Pay is each uid's part of each pot, [uids x subsets]. demand is the content of the pots, by subset, and served
// the share of the service lane that each uid answers. The pot of a subset that nobody serves is not paid out.
func (m *Market) Pay(demand, served []float64, p Powers) []float64 {
	pay := make([]float64, len(served)*len(demand))
	for subset, pot := range demand {
		total := 0.0
		for uid, share := range served {
			base := float64(m.base(uid, subset, p) * share)
			pay[uid*len(demand)+subset] = base
			total += base
		}
		if total == 0 {
			continue
		}
		for uid := range served {
			at := uid*len(demand) + subset
			pay[at] = float64(pay[at] * (pot / total))
		}
	}
	return pay
}

// base is a uid's base score on a subset, for its answered share.
func (m *Market) base(uid, subset int, p Powers) float64 {
	if uid >= len(m.supplies) || subset >= len(m.supplies[uid].losses) || m.supplies[uid].losses[subset].Updates == 0 {
		return 0
	}
	s := &m.supplies[uid]
	return float64(p.BaseScore(s.losses[subset].Value) * s.answered.Value)
}

func (m *Market) alpha() float64 {
	if m.Alpha == 0 {
		return Smoothing
	}
	return m.Alpha
}

func (m *Market) at(uid uint16) *supply {
	for len(m.supplies) <= int(uid) {
		m.supplies = append(m.supplies, supply{})
	}
	return &m.supplies[uid]
}

const (
	marketVersion = 1
	marketHeader  = 1 + 4 // version, uids
	averageBytes  = 8 + 8
)

// AppendBinary appends the market: a version byte and the number of uids as uint32, then for each uid the average
// of its answers, the number of its subsets as uint16 and their averages, each as the bits of its value and the
// number of its updates, little-endian.
func (m *Market) AppendBinary(b []byte) ([]byte, error) {
	average := func(a Average) {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(a.Value))
		b = binary.LittleEndian.AppendUint64(b, a.Updates)
	}
	b = append(b, marketVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(m.supplies)))
	for _, s := range m.supplies {
		average(s.answered)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s.losses)))
		for _, loss := range s.losses {
			average(loss)
		}
	}
	return b, nil
}

// UnmarshalBinary replaces the market by what AppendBinary wrote; a refused one changes nothing.
func (m *Market) UnmarshalBinary(b []byte) error {
	if len(b) < marketHeader || b[0] != marketVersion {
		return fmt.Errorf("score: market: want version %d and a count, got %d bytes % x; was it written by this program?",
			marketVersion, len(b), b[:min(len(b), marketHeader)])
	}
	count, b := binary.LittleEndian.Uint32(b[1:]), b[marketHeader:]
	if uint64(len(b)) < uint64(count)*(averageBytes+2) || count > 1<<16 {
		return fmt.Errorf("score: market: %d uids in %d bytes; the state is cut or damaged", count, len(b))
	}
	supplies := make([]supply, count)
	for uid := range supplies {
		list, rest, err := averages(b, 1)
		if err == nil && len(rest) < 2 {
			err = fmt.Errorf("no number of subsets")
		}
		if err != nil {
			return fmt.Errorf("score: market: uid %d: %w; the state is cut or damaged", uid, err)
		}
		supplies[uid].answered = list[0]
		if supplies[uid].losses, b, err = averages(rest[2:], int(binary.LittleEndian.Uint16(rest))); err != nil {
			return fmt.Errorf("score: market: uid %d: %w; the state is cut or damaged", uid, err)
		}
	}
	if len(b) > 0 {
		return fmt.Errorf("score: market: %d bytes after the last of %d uids; the state is damaged", len(b), count)
	}
	m.supplies = supplies
	return nil
}

// averages reads n averages, whose values must be finite.
func averages(b []byte, n int) (list []Average, rest []byte, err error) {
	if len(b) < n*averageBytes {
		return nil, nil, fmt.Errorf("%d averages in %d bytes", n, len(b))
	}
	for range n {
		a := Average{Value: math.Float64frombits(binary.LittleEndian.Uint64(b)), Updates: binary.LittleEndian.Uint64(b[8:])}
		if math.IsNaN(a.Value) || math.IsInf(a.Value, 0) {
			return nil, nil, fmt.Errorf("an average of %v, want a finite number", a.Value)
		}
		list, b = append(list, a), b[averageBytes:]
	}
	return list, b, nil
}
