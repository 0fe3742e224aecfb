package virtual

import (
	"math"

	"taolab/sim/host"
	"taolab/sim/snapshot"
)

var ledgerPauseKind = FaultKind{
	Name: "ledger_pause", Doc: "no blocks are made; afterwards they come in their rhythm, and the run ends later by that time",
	effect: func(f *injection) effect { return ledgerPause{f} },
}

type ledgerPause struct{ *injection }

func (ledgerPause) attach(*World) {}
func (ledgerPause) detach(*World) {}

func (f ledgerPause) begin(w *World) {
	w.pauses++
	w.pausedUntil = max(w.pausedUntil, f.To)
}

func (f ledgerPause) end(w *World) {
	w.pauses--
	height := w.ledger.Height()
	if due := w.blockTime(height + 1); w.pauses == 0 && due < w.now {
		total := w.now - host.Time(height+1)*w.cfg.BlockNs
		w.breaks = append(w.breaks, ledgerBreak{height, total})
	}
}

// ledgerBreak is a time without blocks: those above a height come later by a total.
type ledgerBreak struct {
	height uint64
	total  host.Time
}

// nextBlock is when the next block is made.
func (w *World) nextBlock() host.Time {
	due := w.blockTime(w.ledger.Height() + 1)
	if w.pauses > 0 {
		due = max(due, w.pausedUntil)
	}
	return due
}

// blockTime is when a block is or was made, as far as it is known now.
func (w *World) blockTime(height uint64) host.Time {
	for i := len(w.breaks) - 1; i >= 0; i-- {
		if b := &w.breaks[i]; height > b.height {
			return host.Time(height-w.genesis)*w.cfg.BlockNs + b.total
		}
	}
	return host.Time(height-w.genesis) * w.cfg.BlockNs
}

// heightAt is the height of the chain at a time; that of the genesis before the first block.
func (w *World) heightAt(t host.Time) uint64 {
	if t < 0 {
		return w.genesis
	}
	highest := uint64(math.MaxUint64)
	if w.pauses > 0 {
		highest = w.ledger.Height()
	}
	for i := len(w.breaks) - 1; i >= 0; i-- {
		b := &w.breaks[i]
		if t >= b.total {
			if height := w.genesis + uint64((t-b.total)/w.cfg.BlockNs); height > b.height {
				return min(height, highest)
			}
		}
		highest = min(highest, b.height)
	}
	return min(w.genesis+uint64(t/w.cfg.BlockNs), highest)
}

func (w *World) layoutPauses(c *snapshot.Coder) {
	snapshot.Number(c, &w.pauses)
	snapshot.Number(c, &w.pausedUntil)
	snapshot.List(c, &w.breaks, func(b *ledgerBreak) {
		snapshot.Number(c, &b.height)
		snapshot.Number(c, &b.total)
	})
}
