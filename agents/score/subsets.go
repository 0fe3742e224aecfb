package score

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Lane is the purpose of a question: only the scoring lane's answers set weights.
type Lane uint8

// The lanes.
const (
	ScoringLane Lane = iota // a whole batch, to the peers whose turn it is
	ServiceLane             // the rows that the gate names a peer for
	lanes
)

// Memory is how many rows back a mean by subset reaches.
const Memory = 100

// The pseudo-counts of SubsetMeans.Targets: rows of the overall mean that a uid begins with, and of
// the uid's mean that each of its subsets begins with.
const (
	uidPrior    = 8
	subsetPrior = 4
)

// SubsetMean is how one uid did on one subset in one lane: means over the rows so far, from
// Memory rows on moving averages with a weight of 1/Memory for a new row.
type SubsetMean struct {
	Rows     uint32  // rows in the means of gate and target
	Answered uint32  // rows in the mean loss
	Loss     float32 // nats per standard token
	Gate     float32 // the gate's score
	Target   float32 // what the gate is trained toward
}

// SubsetMeans is a table of means by uid, lane and subset. Make it with NewSubsetMeans.
type SubsetMeans struct {
	subsets int
	cells   []SubsetMean // [uids so far x lanes x subsets]
}

// NewSubsetMeans returns an empty table of so many subsets.
func NewSubsetMeans(subsets int) *SubsetMeans { return &SubsetMeans{subsets: subsets} }

// Subsets is the number of subsets in the table.
func (t *SubsetMeans) Subsets() int { return t.subsets }

// At is what is known of a uid; the zero SubsetMean when nothing is.
func (t *SubsetMeans) At(uid uint16, lane Lane, subset int) SubsetMean {
	if at := t.place(uid, lane, subset); at < len(t.cells) {
		return t.cells[at]
	}
	return SubsetMean{}
}

func (t *SubsetMeans) place(uid uint16, lane Lane, subset int) int {
	return (int(uid)*int(lanes)+int(lane))*t.subsets + subset
}

// Answered takes in a row with its loss.
func (t *SubsetMeans) Answered(uid uint16, lane Lane, subset int, loss, gate, target float32) {
	c := t.grown(uid, lane, subset)
	c.observe(gate, target)
	c.Answered++
	move(&c.Loss, loss, c.Answered)
}

// Unanswered takes in a row that brought no usable answer; only the service lane learns from those.
func (t *SubsetMeans) Unanswered(uid uint16, subset int, gate float32) {
	t.grown(uid, ServiceLane, subset).observe(gate, 0)
}

func (t *SubsetMeans) grown(uid uint16, lane Lane, subset int) *SubsetMean {
	if n := (int(uid)+1)*int(lanes)*t.subsets - len(t.cells); n > 0 {
		t.cells = append(t.cells, make([]SubsetMean, n)...)
	}
	return &t.cells[t.place(uid, lane, subset)]
}

func (c *SubsetMean) observe(gate, target float32) {
	c.Rows++
	move(&c.Gate, gate, c.Rows)
	move(&c.Target, target, c.Rows)
}

// move takes x into the mean of what is now n values.
func move(mean *float32, x float32, n uint32) {
	*mean += (x - *mean) / float32(min(n, Memory))
}

// Forget clears what is known of a uid.
func (t *SubsetMeans) Forget(uid uint16) {
	from := t.place(uid, 0, 0)
	if from < len(t.cells) {
		clear(t.cells[from : from+int(lanes)*t.subsets])
	}
}

// Targets is the mean target of each uid below n on each subset, [n x subsets], over both lanes: with
// S and N the sum and the number of a uid's last targets, and m the mean over all uids,
//
//	of a uid              m(u)   = (S + 8 m) / (N + 8)
//	of a uid on a subset  m(s,u) = (S + 4 m(u)) / (N + 4)
//
// A mean reaches back Memory rows for each lane and subset; before the first row m is 1/2.
func (t *SubsetMeans) Targets(n int) []float32 {
	sum, rows := 0.0, 0.0
	for _, c := range t.cells {
		s, r := c.total()
		sum, rows = sum+s, rows+r
	}
	overall := 0.5
	if rows > 0 {
		overall = sum / rows
	}
	means := make([]float32, 0, n*t.subsets)
	for uid := range n {
		sum, rows := float64(uidPrior*overall), float64(uidPrior)
		for lane := range lanes {
			for subset := range t.subsets {
				s, r := t.At(uint16(uid), lane, subset).total()
				sum, rows = sum+s, rows+r
			}
		}
		own := sum / rows
		for subset := range t.subsets {
			sum, rows := float64(subsetPrior*own), float64(subsetPrior)
			for lane := range lanes {
				s, r := t.At(uint16(uid), lane, subset).total()
				sum, rows = sum+s, rows+r
			}
			means = append(means, float32(sum/rows))
		}
	}
	return means
}

// total is the sum and the number of the targets that the mean stands for.
func (c SubsetMean) total() (sum, rows float64) {
	rows = float64(min(c.Rows, Memory))
	return float64(rows * float64(c.Target)), rows
}

const (
	subsetsVersion = 1
	subsetsHeader  = 1 + 4 + 4 // version, subsets, cells
	cellBytes      = 5 * 4
)

// AppendBinary appends the table: a version byte, the number of subsets and of cells as uint32, then
// each cell's counts as uint32 and means as float32, little-endian.
func (t *SubsetMeans) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, subsetsVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(t.subsets))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.cells)))
	for _, c := range t.cells {
		for _, v := range [...]uint32{c.Rows, c.Answered, math.Float32bits(c.Loss), math.Float32bits(c.Gate), math.Float32bits(c.Target)} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	return b, nil
}

// UnmarshalBinary replaces the table by what AppendBinary wrote; a refused one changes nothing.
func (t *SubsetMeans) UnmarshalBinary(b []byte) error {
	if len(b) < subsetsHeader || b[0] != subsetsVersion {
		return fmt.Errorf("score: means by subset: want version %d and two counts, got %d bytes % x; was it written by this program?",
			subsetsVersion, len(b), b[:min(len(b), subsetsHeader)])
	}
	subsets, count := binary.LittleEndian.Uint32(b[1:]), binary.LittleEndian.Uint32(b[5:])
	body := b[subsetsHeader:]
	if uint64(len(body)) != uint64(count)*cellBytes || count > 0 && (subsets == 0 || count%(uint32(lanes)*subsets) != 0) ||
		subsets > 1<<16 || uint64(count) > uint64(lanes)*uint64(subsets)<<16 {
		return fmt.Errorf("score: means by subset: %d cells of %d subsets take %d bytes, got %d; the state is cut or damaged",
			count, subsets, uint64(count)*cellBytes, len(body))
	}
	cells := make([]SubsetMean, count)
	for i := range cells {
		word := func(k int) uint32 { return binary.LittleEndian.Uint32(body[i*cellBytes+4*k:]) }
		mean := func(k int) float32 { return math.Float32frombits(word(k)) }
		cells[i] = SubsetMean{Rows: word(0), Answered: word(1), Loss: mean(2), Gate: mean(3), Target: mean(4)}
		for k := 2; k < 5; k++ {
			if x := float64(mean(k)); math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("score: means by subset: cell %d holds %v, want finite numbers; the state is damaged", i, x)
			}
		}
	}
	t.subsets, t.cells = int(subsets), cells
	return nil
}
