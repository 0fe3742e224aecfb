package report

import (
	"errors"
	"fmt"

	"taolab/sim/trace"
)

// Limits on what statistics over time keep, whatever the length of a run.
const (
	timeBins   = 60 // equal parts of a run, for means over time
	maxBatches = 24 // runs of successive epochs within the window, which are resampled for intervals
)

// Window is a span of epochs, both ends included. The zero Window stands for the last quarter of the
// recorded epochs.
type Window struct {
	From  uint32 `json:"from"`
	Until uint32 `json:"until"`
}

// WindowSummary says over which part of a run the statistics are taken.
type WindowSummary struct {
	Window
	Epochs     int    `json:"epochs"`      // recorded ones; 0: none was recorded, the blocks count
	FromBlock  uint64 `json:"from_block"`  // first block
	UntilBlock uint64 `json:"until_block"` // last block
	Chosen     bool   `json:"chosen"`      // by the reader; else the last quarter
}

// String names the window as sentences do.
func (w WindowSummary) String() string {
	switch {
	case w.Epochs == 0:
		return fmt.Sprintf("blocks %d to %d", w.FromBlock, w.UntilBlock)
	case w.Epochs == 1:
		return fmt.Sprintf("epoch %d", w.Until)
	}
	return fmt.Sprintf("epochs %d to %d", w.From, w.Until)
}

// Thinned reports whether some of its epochs were not recorded, so that sums over rows are not those of the run.
func (w WindowSummary) Thinned() bool {
	return w.Epochs > 0 && uint64(w.Until)-uint64(w.From)+1 > uint64(w.Epochs)
}

// paid names the epochs that a sum of payments covers.
func (w WindowSummary) paid() string {
	if w.Thinned() {
		return "earned in the recorded epochs (TAO)"
	}
	return "earned (TAO)"
}

// span is the extent of a run in epochs, blocks and time, as far as its tables and manifest tell.
type span struct {
	epochs      int // recorded
	first, last uint32
	firstBlock  uint64 // of the first recorded epoch
	from        uint64 // height at the beginning
	blocks      uint64 // height at the end
	ns          int64
	window      WindowSummary
}

// measure reads how far the run went and sets the window.
func (f *findings) measure() error {
	m := &f.run.Manifest
	s := &f.span
	s.from, s.blocks, s.ns = m.GenesisBlock, m.Blocks, m.VirtualNs
	var lastBlock uint64
	fail := errors.Join(
		pass(f.run, func(e trace.Epoch) error {
			if s.epochs == 0 {
				s.first, s.firstBlock = e.Epoch, e.Block
			}
			if s.epochs == 0 || e.Epoch != s.last {
				s.epochs++
				s.last, lastBlock = e.Epoch, e.Block
			}
			return nil
		}),
		pass(f.run, func(b trace.Block) error {
			if b.Height > s.blocks || s.ns == 0 {
				s.blocks, s.ns = max(s.blocks, b.Height), max(s.ns, b.TimeNs)
			}
			f.blocks.add(b)
			f.course.add(b)
			return nil
		}),
	)
	s.blocks = max(s.blocks, lastBlock)
	if fail != nil {
		return fail
	}
	return s.place(f.run.Window)
}

// place sets the window: the reader's, or the last quarter.
func (s *span) place(chosen Window) error {
	w := &s.window
	w.FromBlock, w.UntilBlock = s.blocks-(s.blocks-min(s.from, s.blocks))/4, s.blocks
	if s.epochs == 0 {
		if chosen != (Window{}) {
			return fmt.Errorf("a window of epochs %d to %d, but the run recorded no epochs: leave the window out",
				chosen.From, chosen.Until)
		}
		return nil
	}
	if chosen != (Window{}) {
		if chosen.From > chosen.Until || chosen.Until < s.first || chosen.From > s.last {
			return fmt.Errorf("a window of epochs %d to %d, expected a part of the run's epochs %d to %d",
				chosen.From, chosen.Until, s.first, s.last)
		}
		w.Window, w.Chosen = Window{max(chosen.From, s.first), min(chosen.Until, s.last)}, true
		return nil
	}
	every := uint32(1)
	if s.epochs > 1 {
		every = max(1, (s.last-s.first)/uint32(s.epochs-1))
	}
	back := every * uint32((s.epochs+3)/4-1)
	w.Window = Window{s.last - min(back, s.last-s.first), s.last}
	return nil
}

// holds reports whether a block lies in the window.
func (w WindowSummary) holds(block uint64) bool { return w.FromBlock <= block && block <= w.UntilBlock }

// bin is the place of a block among timeBins equal parts of the run.
func (s *span) bin(block uint64) int {
	return min(int(s.part(block)*timeBins), timeBins-1)
}

// batch is the place of an epoch of the window among its batches, and how many there are.
func (s *span) batch(epoch uint32) (place, batches int) {
	epochs := int(s.window.Until-s.window.From) + 1
	batches = min(epochs, maxBatches)
	return int(epoch-s.window.From) * batches / epochs, batches
}

// timeOf is the time at which a block was made, in ns.
func (s *span) timeOf(block uint64) float64 {
	return s.part(block) * float64(s.ns)
}

// part is how much of the run a block ends.
func (s *span) part(block uint64) float64 {
	if s.blocks <= s.from {
		return 0
	}
	return float64(block-min(block, s.from)) / float64(s.blocks-s.from)
}
