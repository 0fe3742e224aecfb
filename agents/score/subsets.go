package score

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Lane is the purpose of a question: only the scoring lane's answers set weights.
type Lane uint8

// The lanes.
const (
	ScoringLane Lane = iota // a whole batch, to the peers whose turn it is
	ServiceLane             // the rows that the gate names a peer for
)

// Memory is the number of rows that a mean by subset reaches back.
const Memory = 100

// The pseudo-counts of SubsetMeans.Targets: each uid begins with 8 rows at the overall mean, and each of its
// subsets with 4 rows at the uid's mean.
const (
	uidPrior    = 8
	subsetPrior = 4
)

// SubsetMean is the mean target of one uid on one subset in one lane: over its rows so far, and from Memory
// rows on a moving average in which a new row has the weight 1/Memory.
type SubsetMean struct {
	Rows   uint16 // saturates at 65,535
	Target float32
}

// SubsetMeans is a table of means by uid, lane and subset. Make it with NewSubsetMeans.
type SubsetMeans struct {
	subsets int
	lanes   int          // the number of lanes kept, from the first
	uids    int          // capacity made at the first row
	cells   []SubsetMean // [uids so far x lanes x subsets]
}

// NewSubsetMeans returns an empty table of subsets, for the lanes up to last. Its first row makes room for
// uids uids; there may be more.
func NewSubsetMeans(subsets int, last Lane, uids int) *SubsetMeans {
	return &SubsetMeans{subsets: subsets, lanes: int(last) + 1, uids: uids}
}

// Shape returns the number of subsets and the last lane of the table.
func (t *SubsetMeans) Shape() (subsets int, last Lane) { return t.subsets, Lane(t.lanes - 1) }

// At returns the mean of a uid on a subset in a lane; the zero SubsetMean if it has no rows.
func (t *SubsetMeans) At(uid uint16, lane Lane, subset int) SubsetMean {
	if at := t.place(uid, lane, subset); at < len(t.cells) {
		return t.cells[at]
	}
	return SubsetMean{}
}

func (t *SubsetMeans) place(uid uint16, lane Lane, subset int) int {
	return (int(uid)*t.lanes+int(lane))*t.subsets + subset
}

// Observe adds the target of a row.
func (t *SubsetMeans) Observe(uid uint16, lane Lane, subset int, target float32) {
	c := t.grown(uid, lane, subset)
	if c.Rows < math.MaxUint16 {
		c.Rows++
	}
	c.Target += (target - c.Target) / float32(min(c.Rows, Memory))
}

func (t *SubsetMeans) grown(uid uint16, lane Lane, subset int) *SubsetMean {
	if uids := int(uid) + 1; t.place(uid, 0, 0) >= len(t.cells) {
		cells := make([]SubsetMean, max(uids, t.uids)*t.lanes*t.subsets)
		copy(cells, t.cells)
		t.cells = cells
	}
	return &t.cells[t.place(uid, lane, subset)]
}

// AddSubsets makes room for n further subsets, without rows.
func (t *SubsetMeans) AddSubsets(n int) {
	wider := make([]SubsetMean, 0, len(t.cells)/t.subsets*(t.subsets+n))
	for cells := range slices.Chunk(t.cells, t.subsets) {
		wider = append(append(wider, cells...), make([]SubsetMean, n)...)
	}
	t.subsets, t.cells = t.subsets+n, wider
}

// Forget clears a uid.
func (t *SubsetMeans) Forget(uid uint16) {
	from := t.place(uid, 0, 0)
	if from < len(t.cells) {
		clear(t.cells[from : from+t.lanes*t.subsets])
	}
}

// Targets returns the mean target of each uid below n on each subset, [n x subsets], over both lanes: with S
// and N the sum and the number of a uid's last targets, and m the mean over all uids,
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
		for lane := range Lane(t.lanes) {
			for subset := range t.subsets {
				s, r := t.At(uint16(uid), lane, subset).total()
				sum, rows = sum+s, rows+r
			}
		}
		own := sum / rows
		for subset := range t.subsets {
			sum, rows := float64(subsetPrior*own), float64(subsetPrior)
			for lane := range Lane(t.lanes) {
				s, r := t.At(uint16(uid), lane, subset).total()
				sum, rows = sum+s, rows+r
			}
			means = append(means, float32(sum/rows))
		}
	}
	return means
}

// total returns the sum and the number of the targets that the mean stands for.
func (c SubsetMean) total() (sum, rows float64) {
	rows = float64(min(c.Rows, Memory))
	return float64(rows * float64(c.Target)), rows
}

const (
	subsetsVersion = 2
	subsetsHeader  = 1 + 1 + 4 + 4 // version, lanes, subsets, cells
	cellBytes      = 2 + 4
)

// AppendBinary appends the table: a version byte, the number of lanes as a byte, of subsets and of cells
// as uint32, then each cell's count as uint16 and mean as float32, little-endian.
func (t *SubsetMeans) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, subsetsVersion, byte(t.lanes))
	b = binary.LittleEndian.AppendUint32(b, uint32(t.subsets))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.cells)))
	for _, c := range t.cells {
		b = binary.LittleEndian.AppendUint16(b, c.Rows)
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(c.Target))
	}
	return b, nil
}

// UnmarshalBinary replaces the table by what AppendBinary wrote; a refused one changes nothing.
func (t *SubsetMeans) UnmarshalBinary(b []byte) error {
	if len(b) < subsetsHeader || b[0] != subsetsVersion || b[1] < 1 || b[1] > byte(ServiceLane)+1 {
		return fmt.Errorf("score: means by subset: want version %d, 1 or 2 lanes and two counts, got %d bytes % x; was it written by this program?",
			subsetsVersion, len(b), b[:min(len(b), subsetsHeader)])
	}
	lanes, subsets, count := uint64(b[1]), uint64(binary.LittleEndian.Uint32(b[2:])), uint64(binary.LittleEndian.Uint32(b[6:]))
	body := b[subsetsHeader:]
	if row := lanes * subsets; uint64(len(body)) != count*cellBytes || subsets > 1<<16 || count > row<<16 || count > 0 && count%row != 0 {
		return fmt.Errorf("score: means by subset: %d cells of %d subsets in %d lanes take %d bytes, got %d; the state is cut or damaged",
			count, subsets, lanes, count*cellBytes, len(body))
	}
	cells := make([]SubsetMean, count)
	for i := range cells {
		cell := body[i*cellBytes:]
		c := SubsetMean{
			Rows: binary.LittleEndian.Uint16(cell), Target: math.Float32frombits(binary.LittleEndian.Uint32(cell[2:])),
		}
		if x := float64(c.Target); math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("score: means by subset: cell %d holds %v, want a finite number; the state is damaged", i, x)
		}
		cells[i] = c
	}
	t.lanes, t.subsets, t.cells = int(lanes), int(subsets), cells
	return nil
}
