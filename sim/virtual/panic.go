package virtual

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"taolab/sim/host"
)

// deed is what an agent is doing, for the error that a panic becomes.
type deed struct {
	node *node
	what any // the event that it handles, or words
}

// String names the node in errors.
func (n *node) String() string { return fmt.Sprintf("node %d (%s)", n.index, n.cfg.Name) }

// clock is a time in words.
func clock(t host.Time) string { return time.Duration(t).String() }

// survive turns a panic of an agent, or of the world itself, into the error that ends the run.
func (w *World) survive(err *error) {
	r := recover()
	if r == nil {
		return
	}
	where := "between events at " + clock(w.now)
	if d := w.doing; d.node != nil {
		words, ok := d.what.(string)
		if !ok {
			words = fmt.Sprintf("handling %T", d.what)
		}
		where = fmt.Sprintf("%v at %s, %s", d.node, clock(w.now), words)
	}
	w.active, w.doing = nil, deed{}
	w.err = errors.Join(fmt.Errorf("virtual: %s: panic: %v\n%s", where, r, debug.Stack()), w.err)
	*err = w.err
}
