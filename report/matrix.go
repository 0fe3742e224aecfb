package report

import (
	"cmp"
	"slices"

	"taolab/sim/trace"
)

// pair names two neurons by their nodes; a hotkey of no node is -1 less its uid.
type pair struct{ from, to int }

// matrix is the mean over the window's recorded epochs of what validators say of miners.
type matrix struct {
	sum    map[pair]float64
	epochs int
	epoch  uint32
	row    []entry // of one validator and epoch
}

// entry is one number of a matrix between neurons.
type entry struct {
	pair
	value float64
}

// enters prepares for a row of an epoch; rows outside the window do not count.
func (m *matrix) enters(w *WindowSummary, epoch uint32) bool {
	if w.Epochs > 0 && (epoch < w.From || epoch > w.Until) {
		return false
	}
	if m.sum == nil {
		m.sum = make(map[pair]float64)
	}
	if m.epochs == 0 || m.epoch != epoch {
		m.closeRow()
		m.epochs++
		m.epoch = epoch
	}
	return true
}

// place is the node of a seat, or a place of its own for a hotkey of no node.
func (f *findings) place(node *uint32, uid uint16) int {
	if i := f.who(node); i >= 0 {
		return i
	}
	return -1 - int(uid)
}

// weightRows gathers weights as shares of their rows, which stand together.
func (f *findings) weightRows() func(trace.Weight) error {
	m := &f.weights
	started := false
	var from uint16
	return func(w trace.Weight) error {
		if !m.enters(&f.span.window, w.Epoch) {
			return nil
		}
		if started && from != w.From {
			m.closeRow()
		}
		started, from = true, w.From
		at := pair{f.place(w.FromNode, w.From), f.place(w.ToNode, w.To)}
		m.row = append(m.row, entry{at, float64(w.Weight)})
		return nil
	}
}

// closeRow adds a validator's row, scaled to the sum 1.
func (m *matrix) closeRow() {
	sum := 0.0
	for _, e := range m.row {
		sum += e.value
	}
	for _, e := range m.row {
		m.sum[e.pair] += e.value / max(sum, 1)
	}
	m.row = m.row[:0]
}

func (f *findings) bondRows() func(trace.Bond) error {
	m := &f.bonds
	return func(b trace.Bond) error {
		if m.enters(&f.span.window, b.Epoch) {
			at := pair{f.place(b.FromNode, b.From), f.place(b.ToNode, b.To)}
			m.sum[at] += float64(b.Bond)
		}
		return nil
	}
}

// entries lists the means in the order of nodes.
func (m *matrix) entries() []entry {
	m.closeRow()
	out := make([]entry, 0, len(m.sum))
	for at, sum := range m.sum { // order-free: sorted below
		out = append(out, entry{at, sum / float64(m.epochs)})
	}
	slices.SortFunc(out, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return out
}
