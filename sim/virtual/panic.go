package virtual

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"taolab/sim/host"
)

// deed is what an agent is doing besides handling an event, for the error that a panic becomes.
type deed struct {
	node *node
	what string
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
	switch {
	case w.active != nil:
		where = fmt.Sprintf("%v at %s, handling %T", w.active, clock(w.now), w.handled)
	case w.doing.node != nil:
		where = fmt.Sprintf("%v at %s, %s", w.doing.node, clock(w.now), w.doing.what)
	}
	w.active = nil
	w.err = errors.Join(fmt.Errorf("virtual: %s: panic: %v\n%s", where, r, debug.Stack()), w.err)
	*err = w.err
}
