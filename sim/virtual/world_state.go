package virtual

import (
	"context"
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/snapshot"
)

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
		if n.down > 0 {
			continue
		}
		if err := w.settle(ctx, n); err != nil {
			return err
		}
	}
	for i := range w.nodes {
		if n := &w.nodes[i]; n.down == 0 {
			if err := w.replace(n, w.state(n, nil)); err != nil {
				return err
			}
		}
	}
	return nil
}

// layoutFaults codes what faults have left in a node.
func (n *node) layoutFaults(c *snapshot.Coder, w *World) {
	snapshot.Number(c, &n.down)
	n.disk.layout(c)
	c.Flag(&n.forgets)
	c.Flag(&n.misdirected)
	c.Flag(&n.slowRead)
	named := n.named
	snapshot.Number(c, &named)
	if named < 0 || named > maxInjections {
		c.Fail(errNoFault)
		return
	}
	for n.names < named { // a fork has left out the fault that named it so
		w.addName(n)
	}
	if named > 0 {
		n.setName(w, named)
	}
	snapshot.Number(c, &n.cutOff)
	snapshot.Number(c, &n.frozenUntil)
	if snapshot.Number(c, &n.floor); n.cutOff > 0 || n.floor > 0 {
		host.CodeView(c, &n.frozen)
	} else if c.Reading() {
		n.frozen = chain.View{} // and not what the faults that began again have just let it keep
	}
	n.layoutPause(c, w)
}

// longestLag is the longest time by which faults let a node see blocks later.
func (c *Config) longestLag() host.Time {
	longest := host.Time(0)
	for i := range c.Faults {
		f := &injection{Fault: &c.Faults[i], kind: kindOf(c.Faults[i].Kind)}
		if f.kind.maxLag != nil {
			longest = max(longest, f.kind.maxLag(f, c.BlockNs))
		}
	}
	return longest
}
