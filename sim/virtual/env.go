package virtual

import (
	"fmt"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// env is the world as one node's agent sees it under an identity; see host.Env.
type env struct {
	world *World
	node  *node
	id    host.Identity
}

var _ host.Env = (*env)(nil)

// use checks that the agent is handling an event.
func (e *env) use() (*World, *node) {
	if e.world.active != e.node {
		panic(fmt.Sprintf("virtual: %v used its Env outside Handle", e.node))
	}
	return e.world, e.node
}

func (n *node) newID() uint64 {
	n.lastID++
	return n.lastID
}

// bounded keeps a duration within what the clock can add.
func bounded(d host.Time) host.Time { return min(max(d, 0), maxTime) }

// Self is documented at host.Env.
func (e *env) Self() host.Self {
	w, n := e.use()
	as := &n.ids[e.id]
	uid, has := w.viewOf(n).UIDOf(as.hotkey.Key)
	return host.Self{Node: uint32(n.index), Peer: as.peer, Hotkey: as.hotkey.Key, Coldkey: n.coldkey.Key, UID: uid, HasUID: has}
}

// As is documented at host.Env.
func (e *env) As(id host.Identity) host.Env {
	_, n := e.use()
	if int(id) >= len(n.ids) {
		panic(fmt.Sprintf("identity %d of a node that has %d", id, len(n.ids)))
	}
	return &n.ids[id].env
}

// Now is documented at host.Env; it shows the node's own clock.
func (e *env) Now() host.Time {
	w, n := e.use()
	return w.now + w.skew(n)
}

// Rand is documented at host.Env.
func (e *env) Rand(purpose string) *num.Stream {
	w, n := e.use()
	for i := range n.streams {
		if n.streams[i].purpose == purpose {
			return n.streams[i].Stream
		}
	}
	if len(n.streams) == maxStreams {
		w.fail(fmt.Errorf("%v: random stream %q is one more than the %d that an agent may have",
			n, purpose, maxStreams))
	}
	s := num.NewStream(w.cfg.Seed, "agent\x00"+n.cfg.Name+"\x00"+purpose)
	n.streams = append(n.streams, namedStream{purpose, s})
	return s
}

// Chain is documented at host.Env.
func (e *env) Chain() chain.View {
	w, n := e.use()
	return w.viewOf(n)
}

// Compute is documented at host.Env.
func (e *env) Compute(j host.Job) host.JobID {
	w, n := e.use()
	if n.job.task != nil {
		panic(fmt.Sprintf("job %T while job %d is outstanding: one at a time", j, n.job.id))
	}
	work := max(j.Work(), 0)
	takes := duration(work, n.cfg.FLOPS)
	t := &task{job: j, work: work, takes: takes, due: w.now + takes}
	for _, f := range n.faults.jobs {
		f.effect.(laborer).compute(w, n, t)
	}
	if r, ok := j.(host.Reader); ok {
		t.tokens = r.Tokens()
	}
	n.job = job{id: n.newID(), task: t, began: w.now}
	w.push(t.due, evDone, n.index, n.job.id)
	w.pool.add(t)
	return host.JobID(n.job.id)
}

// After is documented at host.Env.
func (e *env) After(d host.Time, tag host.Tag) host.TimerID {
	w, n := e.use()
	return e.timer(w.now+n.span(bounded(d)), timer{tag: tag})
}

// AtBlock is documented at host.Env. A block that the node has seen counts as seen now.
func (e *env) AtBlock(height uint64, tag host.Tag) host.TimerID {
	w, n := e.use()
	return e.timer(max(w.seen(n, height), w.now), timer{tag: tag, block: true, height: height})
}

func (e *env) timer(at host.Time, t timer) host.TimerID {
	w, n := e.use()
	if n.timers.live >= maxTimers {
		w.fail(fmt.Errorf("%v: one more timer than the %d that an agent may have", n, maxTimers))
	}
	id := n.newID()
	n.timers.add(id, t)
	w.push(at, evTimer, n.index, id)
	return host.TimerID(id)
}

// Stop is documented at host.Env.
func (e *env) Stop(id host.TimerID) {
	w, n := e.use()
	if _, open := n.timers.take(uint64(id)); open {
		w.stale++
	}
}

// NodeOf is documented at host.Env.
func (e *env) NodeOf(peer host.PeerID) *uint32 {
	w, _ := e.use()
	if p, known := w.peers[peer]; known {
		return trace.Some(uint32(p.node))
	}
	return nil
}

// Record is documented at host.Env.
func (e *env) Record(r trace.Row) {
	if w, _ := e.use(); w.producer.ledger.Kept() {
		w.record(r)
	}
}
