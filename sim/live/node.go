package live

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/journal"
)

// node is one agent with all that it waits for. What follows mail belongs to its goroutine.
type node struct {
	world   *World
	cfg     Node
	agent   host.Agent
	ids     []*identity
	coldkey *signer
	log     *slog.Logger

	ctx    context.Context // ends when the node's goroutine does
	cancel context.CancelFunc
	mail   *mailbox

	now      host.Time // of the event that is handled
	handling host.Event
	sight    *sight
	afters   []func() // what to do behind the event that is handled
	lastID   uint64
	lives    uint64
	streams  []namedStream

	times, heights alarms
	timers         map[host.TimerID]timer
	calls          map[host.CallID]*call
	served         map[host.CallID]*service
	unread         atomic.Int64 // bytes of all answers that their callers have not taken
	admission      host.Admission
	open           map[signature]*submission
	job            *task
	done           chan *task

	journal     *journal.Recorder // nil: none is kept
	journalFile *os.File
	volumes     uint64 // of it in this life

	saveDue    bool
	stateBytes int           // to expect
	saving     chan struct{} // holds one while a save is being written
}

// soon does something behind the event that is handled.
func (n *node) soon(do func()) { n.afters = append(n.afters, do) }

// handle hands an event to the agent.
func (n *node) handle(e host.Event) {
	n.handling = e
	if n.journal != nil {
		n.journal.Handle(&n.ids[0].env, e)
		if err := n.checkJournal(); err != nil {
			n.log.Error("no journal is kept any more", "error", err)
		}
	} else {
		n.agent.Handle(&n.ids[0].env, e)
	}
	n.handling = nil
	n.world.metrics.handled(n, e)
}

// live is the node's goroutine: it lets things happen to the node, one after the other, until its context
// ends. Then it waits for the job that runs and saves the state. A panic of the agent or of a job ends it
// without a save and is returned.
func (n *node) live(restored bool) (err error) {
	defer n.cancel()
	defer n.endJournal()
	defer n.survive(&err)
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	saves := time.NewTicker(n.world.cfg.SaveEvery)
	defer saves.Stop()
	n.happen(func() { n.handle(host.Start{Restored: restored}) })
	for n.ctx.Err() == nil {
		n.wind(alarm)
		select {
		case <-n.ctx.Done():
		case f := <-n.mail.inputs:
			n.happen(f)
		case f := <-n.mail.requests:
			n.happen(f)
		case <-n.mail.newsCame:
			for _, s := range n.mail.takeNews() {
				n.happen(func() { n.watch(s) })
			}
		case t := <-n.done:
			n.happen(func() { n.finish(t) })
		case <-alarm.C:
			n.happen(func() {})
		case <-saves.C:
			n.saveDue = true
			if n.job == nil {
				n.save()
			}
		}
	}
	if n.job != nil {
		if t := <-n.done; t.err != nil {
			return fmt.Errorf("node %s: %w", n.cfg.Name, t.err)
		}
	}
	n.saving <- struct{}{} // waits for a save that is being written
	return n.write(n.state())
}

// happen lets something happen at the time that it is, and all that follows from it at once.
func (n *node) happen(f func()) {
	n.now = max(n.world.clock(), n.now)
	f()
	for {
		n.serve()
		if len(n.afters) > 0 {
			next := n.afters[0]
			n.afters = n.afters[1:]
			next()
		} else if a, due := n.times.next(int64(n.now)); due {
			a.ring()
		} else {
			break
		}
	}
	n.world.metrics.waiting.WithLabelValues(n.cfg.Name).Set(float64(n.admission.Len()))
}

// wind sets the alarm clock to the next time at which something is due.
func (n *node) wind(alarm *time.Timer) {
	if len(n.times) == 0 {
		alarm.Stop()
		return
	}
	alarm.Reset(max(time.Duration(host.Time(n.times[0].due)-n.world.clock()), 0))
}

// watch shows the node a block: what became of its transactions, then the timers that waited for it.
func (n *node) watch(s *sight) {
	n.sight = s
	n.decideAll(s)
	for _, x := range n.ids {
		x.announce()
	}
	for {
		a, due := n.heights.next(int64(s.view.Height()))
		if !due {
			return
		}
		a.ring()
	}
}

// survive turns a panic of the agent or of the node itself into the error that ends the world.
func (n *node) survive(err *error) {
	r := recover()
	if r == nil {
		return
	}
	what := "between events"
	if n.handling != nil {
		what = fmt.Sprintf("handling %T", n.handling)
	}
	*err = fmt.Errorf("live: node %s at height %d, %s: panic: %v\n%s", n.cfg.Name, n.sight.view.Height(), what, r, debug.Stack())
}

// admit says why a caller is not served before its question is read: the ledger knows neither its axon key
// nor stake on it. The rules of admission are for the question itself.
func (n *node) admit(from host.PeerID) error {
	s := n.world.sight.Load()
	hotkey := s.hotkeyOf(from)
	if _, hasUID := s.view.UIDOf(hotkey); hasUID || s.view.StakeOf(hotkey) > 0 {
		return nil
	}
	if _, owned := s.view.OwnerOf(hotkey); owned {
		return nil
	}
	return fmt.Errorf("key %v is not known to the ledger of %s at height %d: it has neither a uid nor stake; register the hotkey or stake on it, and ask from a node that has seen the block",
		chain.Key(from), s.view.ChainID(), s.view.Height())
}
