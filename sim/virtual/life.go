package virtual

import (
	"fmt"

	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// life counts what shows that the network lives: before the quiet tail, and in it.
type life struct {
	before, tail signs
	counting     bool // the tail has begun
}

type signs struct{ answers, included uint64 }

// see counts a sign of life.
func (l *life) see() *signs {
	if l.counting {
		return &l.tail
	}
	return &l.before
}

// tailBegins is when the quiet tail begins, as far as is known now.
func (w *World) tailBegins() host.Time { return w.producer.blockTime(w.cfg.Blocks) - w.cfg.QuietTail }

// checkLife says what the network no longer does in the quiet tail though it did before.
func (w *World) checkLife() error {
	l := &w.life
	if w.cfg.QuietTail == 0 {
		return nil
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		switch behind := w.producer.ledger.Height() - w.viewOf(n).Height(); {
		case behind > w.producer.late:
			return fmt.Errorf("virtual: %v is still %d blocks behind after the quiet tail of %s", n, behind, clock(w.cfg.QuietTail))
		case n.down == 0 && len(n.held) > 0:
			return fmt.Errorf("virtual: %v still holds %d events back after the quiet tail", n, len(n.held))
		}
	}
	if l.before.answers > 0 && l.tail.answers == 0 {
		return fmt.Errorf("virtual: no request was answered in the quiet tail, %d were before: the network did not recover from its faults", l.before.answers)
	}
	if l.before.included > 0 && l.tail.included == 0 {
		return fmt.Errorf("virtual: no transaction was included in the quiet tail, %d were before: the network did not recover from its faults", l.before.included)
	}
	return nil
}

func (l *life) layout(c *snapshot.Coder) {
	for _, s := range []*signs{&l.before, &l.tail} {
		snapshot.Number(c, &s.answers)
		snapshot.Number(c, &s.included)
	}
	c.Flag(&l.counting)
}
