package virtual

import (
	"context"
	"fmt"

	"taolab/sim/host"
	"taolab/sim/trace"
)

// cuts says whether the partition lies between two regions.
func (p Partition) cuts(a, b int) bool { return a != b && (p.Region == a || p.Region == b) }

// holds says whether the partition is in force.
func (p Partition) holds(t host.Time) bool { return p.From <= t && t < p.To }

// theNetwork stands for no node in fault.
const theNetwork = -1

// fault records something that went wrong. Callers that build the detail check records.Faults.
func (w *World) fault(node int32, kind, detail string) {
	if w.records.Faults {
		row := trace.Fault{TimeNs: int64(w.now), Kind: kind, Detail: detail}
		if node != theNetwork {
			row.Node = trace.Some(uint32(node))
		}
		w.record(row)
	}
}

// crash stops a node: its job, timers, calls and queue are lost, transactions that it sent and
// requests at other nodes are not.
func (w *World) crash(n *node, index uint64) {
	n.down = true
	w.fault(n.index, "crash", "the node stopped")
	if n.job.task != nil {
		w.pool.drop(n.job.task)
		n.job = job{}
		w.stale++
	}
	w.stale += n.timers.clear() + n.calls.clear() + n.served.clear() + w.ledger.Forget(n.index)
	n.admission.Clear()
	if c := n.cfg.Crashes[index]; c.After > 0 {
		w.push(w.now+c.After, evRestart, n.index, index)
	}
}

// restart brings a node back with a fresh agent in the last saved state.
func (w *World) restart(n *node) {
	w.fault(n.index, "restart", "the node started from its last saved state")
	n.down = false
	if err := w.replace(n, n.saved); err != nil {
		w.fail(err)
		return
	}
	w.handle(n, host.Start{Restored: true})
}

// save keeps the state of a node that will crash. A running job ends first, so that the state is
// the one after it whatever the number of workers.
func (w *World) save(ctx context.Context, n *node) error {
	if n.down {
		return nil
	}
	if err := w.settle(ctx, n); err != nil {
		return err
	}
	n.saved = w.state(n, n.saved[:0])
	return nil
}

// settle waits for the node's job; the result stays until its virtual time.
func (w *World) settle(ctx context.Context, n *node) error {
	if n.job.task == nil {
		return nil
	}
	if err := w.pool.wait(ctx, n.job.task); err != nil {
		return err
	}
	if err := n.job.task.err; err != nil {
		w.fail(fmt.Errorf("virtual: %v, result due at %s: %w", n, clock(n.job.task.due), err))
		return w.err
	}
	return nil
}

// state appends the state of the node's agent.
func (w *World) state(n *node, b []byte) []byte {
	w.doing = deed{n, "writing its state"}
	b = n.agent.AppendState(b)
	w.doing = deed{}
	return b
}

// replace puts a fresh agent with the given state in place of the node's agent.
func (w *World) replace(n *node, state []byte) error {
	w.doing = deed{n, "reading its state"}
	agent := n.cfg.Fresh()
	if err := agent.RestoreState(state); err != nil {
		return fmt.Errorf("%v: restore %d bytes of state: %w", n, len(state), err)
	}
	n.agent, w.doing = agent, deed{}
	return nil
}

// RoundTrip waits for running jobs, keeps their results, and sends every agent's state through
// bytes into a fresh agent. It may be called before, between and after calls of Run; the run goes
// on as if nothing had happened.
func (w *World) RoundTrip() (err error) {
	defer w.survive(&err)
	return w.roundTrip(context.Background())
}

func (w *World) roundTrip(ctx context.Context) error {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.cfg.Fresh == nil {
			return fmt.Errorf("%v: a round trip needs Fresh", n)
		}
		if n.down {
			continue
		}
		if err := w.settle(ctx, n); err != nil {
			return err
		}
	}
	for i := range w.nodes {
		if n := &w.nodes[i]; !n.down {
			if err := w.replace(n, w.state(n, nil)); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut begins a partition: nodes that it separates from the block producer keep the view that
// they have.
func (w *World) cut(p Partition) {
	w.fault(theNetwork, "partition", fmt.Sprintf("region %d was cut off from all others", p.Region))
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.cfg.Region == p.Region {
			w.fault(n.index, "partition", "the node's region was cut off")
		}
		if !p.cuts(n.cfg.Region, w.cfg.Chain.Region) {
			continue
		}
		if n.cutOff == 0 {
			n.frozen = w.ledger.View(heightAt(w.now-1-n.cfg.BlockDelay, w.cfg.BlockNs))
		}
		n.cutOff++
	}
}

// heal ends a partition.
func (w *World) heal(p Partition) {
	w.fault(theNetwork, "heal", fmt.Sprintf("region %d was joined to the others again", p.Region))
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.cfg.Region == p.Region {
			w.fault(n.index, "heal", "the node's region was joined again")
		}
		if p.cuts(n.cfg.Region, w.cfg.Chain.Region) {
			n.cutOff--
		}
	}
}
