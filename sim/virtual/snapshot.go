package virtual

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"io"
	"math"

	"taolab/model/num"
	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// WriteSnapshot writes the world as it stands between two calls of Run: a section for the network and
// the ledger, and one for each node. Jobs that are under way end first; the run goes on as if nothing
// had happened. Every node needs Fresh.
func (w *World) WriteSnapshot(ctx context.Context, out *snapshot.Writer) (err error) {
	defer w.survive(&err)
	if w.ended || w.err != nil {
		return errors.Join(errors.New("virtual: the run has ended: nothing would go on from a snapshot"), w.err)
	}
	w.pool.start() // other threads end the jobs next to this one
	defer w.pool.stop()
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.cfg.Fresh == nil {
			return fmt.Errorf("virtual: %v: a snapshot needs Fresh", n)
		}
		if err := w.settle(ctx, n); err != nil {
			return err
		}
	}
	c := snapshot.Append(nil)
	w.layout(c)
	if err := errors.Join(c.Err(), out.Section(c.Written())); err != nil {
		return fmt.Errorf("virtual: snapshot: %w", err)
	}
	var b []byte
	for i := range w.nodes {
		c := snapshot.Append(b[:0])
		w.nodes[i].layout(c, w)
		b = c.Written()
		if err := errors.Join(c.Err(), out.Section(b)); err != nil {
			return fmt.Errorf("virtual: snapshot of %v: %w", &w.nodes[i], err)
		}
	}
	w.scratch = nil
	return nil
}

// Restore makes the world of a snapshot that WriteSnapshot wrote. The config is that of the world
// that was written, but for what a fork may change.
func Restore(cfg Config, in *snapshot.Reader) (w *World, err error) {
	if w, err = New(cfg); err != nil {
		return nil, err
	}
	defer w.survive(&err)
	w.queue = queue{}
	section := func(what any, layout func(*snapshot.Coder)) error {
		b, err := in.Section()
		if err == nil {
			c := snapshot.Read(b)
			layout(c)
			err = c.End()
		} else if err == io.EOF {
			err = snapshot.ErrDamaged
		}
		if err != nil {
			return fmt.Errorf("virtual: snapshot of %v: %w", what, err)
		}
		return nil
	}
	if err := section("the network", w.layout); err != nil {
		return nil, err
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		if err := section(n, func(c *snapshot.Coder) { n.layout(c, w) }); err != nil {
			return nil, err
		}
	}
	for _, e := range w.queue.overflow { // where all of a fresh queue stand
		if !w.possible(e) {
			return nil, fmt.Errorf("virtual: snapshot: an event of kind %d at %s is about nothing that is there",
				e.kind, clock(e.at))
		}
	}
	w.saveForFaults()
	w.publish()
	return w, nil
}

// possible reports whether an event that was read can be processed.
func (w *World) possible(e event) bool {
	switch e.kind {
	case evArrive, evDeliver:
		return w.messages.get(e.id) != nil
	case evTx:
		return w.producer.txs.get(e.id) != nil
	case evDone:
		return w.alive(e) && w.nodes[e.node].job.task != nil
	}
	return w.alive(e)
}

// layout codes all but the nodes.
func (w *World) layout(c *snapshot.Coder) {
	w.layoutConfig(c)
	if c.Err() != nil {
		return
	}
	snapshot.Number(c, &w.now)
	snapshot.Number(c, &w.seq)
	snapshot.Number(c, &w.events)
	snapshot.Number(c, &w.flop)
	snapshot.Number(c, &w.tokens)
	snapshot.Number(c, &w.nextMessage)
	snapshot.Number(c, &w.producer.nextTx)
	c.Flag(&w.roundTripped)
	w.log.layout(c)
	nodes := int32(len(w.nodes))
	w.messages.layout(c, func(m *message) { m.layout(c, w) })
	w.producer.txs.layout(c, func(t *travelling) {
		layoutNode(c, &t.from, nodes, false)
		snapshot.Number(c, &t.submit)
		c.Blob(&t.bytes)
		c.Flag(&t.copy)
		c.Flag(&t.damaged)
		c.Flag(&t.cut)
		c.Flag(&t.queued)
	})
	w.layoutFaultList(c)
	if c.Err() != nil {
		return
	}
	w.producer.ledger.Layout(c)
	w.layoutFaults(c)
	w.life.layout(c)
	events := w.pendingEvents(c)
	snapshot.List(c, &events, func(e *event) { e.layout(c, nodes) })
	if c.Reading() {
		for _, e := range events {
			w.queue.push(e)
		}
	}
}

// layoutConfig codes what no fork may change, and refuses a snapshot of another network.
func (w *World) layoutConfig(c *snapshot.Coder) {
	seed, block, nodes, origin := w.cfg.Seed, w.cfg.BlockNs, len(w.nodes), w.cfg.Origin
	snapshot.Number(c, &seed)
	snapshot.Number(c, &block)
	snapshot.Number(c, &nodes)
	c.Array(origin[:])
	switch {
	case c.Err() != nil:
	case seed != w.cfg.Seed:
		c.Fail(fmt.Errorf("its seed is %d, that of this network %d", seed, w.cfg.Seed))
	case block != w.cfg.BlockNs:
		c.Fail(fmt.Errorf("its blocks take %d ns, those of this network %d", block, w.cfg.BlockNs))
	case nodes != len(w.nodes):
		c.Fail(fmt.Errorf("it has %d nodes, this network %d", nodes, len(w.nodes)))
	case origin != w.cfg.Origin:
		c.Fail(errors.New("its corpus, tokenizer or base models are not those of this network"))
	}
}

// pendingEvents are the events that are about something, in order; a reader begins with none.
func (w *World) pendingEvents(c *snapshot.Coder) []event {
	if c.Reading() {
		return nil
	}
	w.queue.retain(w.alive)
	w.stale = 0
	return w.queue.all()
}

func (e *event) layout(c *snapshot.Coder, nodes int32) {
	snapshot.Number(c, &e.at)
	snapshot.Number(c, &e.seq)
	snapshot.Number(c, &e.id)
	layoutNode(c, &e.node, nodes, false)
	snapshot.Number(c, &e.kind)
	if e.at < 0 {
		c.Fail(fmt.Errorf("an event of kind %d for node %d at %d ns", e.kind, e.node, e.at))
	}
}

// layoutNode codes the index of a node; of the network, where that may be.
func layoutNode(c *snapshot.Coder, i *int32, nodes int32, network bool) {
	index := int64(*i)
	snapshot.Number(c, &index)
	if index >= int64(nodes) || index < -1 || index < 0 && !network {
		c.Fail(fmt.Errorf("node %d, there are %d", index, nodes))
		index = 0
	}
	*i = int32(index)
}

// layout codes the hash over all that has happened.
func (l *eventLog) layout(c *snapshot.Coder) {
	var state []byte
	if !c.Reading() {
		var err error
		if state, err = l.settled().(encoding.BinaryMarshaler).MarshalBinary(); err != nil {
			c.Fail(err)
		}
	}
	c.Blob(&state)
	if c.Reading() && c.Err() == nil {
		l.page = l.page[:0]
		if err := l.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			c.Fail(err)
		}
	}
}

// layoutParty codes a party of a message: the node, and the identity above its 32 bits.
func (w *World) layoutParty(c *snapshot.Coder, p *party) {
	both := uint64(uint32(p.node)) | uint64(p.id)<<32
	snapshot.Number(c, &both)
	node, id := both&math.MaxUint32, both>>32
	if node >= uint64(len(w.nodes)) || id >= uint64(len(w.nodes[node].ids)) {
		c.Fail(fmt.Errorf("identity %d of node %d, there are %d nodes", id, node, len(w.nodes)))
		node, id = 0, 0
	}
	*p = party{int32(node), host.Identity(id)}
}

func (m *message) layout(c *snapshot.Coder, w *World) {
	w.layoutParty(c, &m.from)
	w.layoutParty(c, &m.to)
	c.Flag(&m.reply)
	c.Flag(&m.more)
	snapshot.Number(c, &m.synapse)
	snapshot.Number(c, &m.dir)
	snapshot.Number(c, &m.code)
	snapshot.Number(c, &m.replies)
	snapshot.Number(c, &m.part)
	c.Flag(&m.copy)
	c.Flag(&m.cut)
	snapshot.Number(c, &m.call)
	snapshot.Number(c, &m.deadline)
	snapshot.Number(c, &m.sentAt)
	snapshot.Number(c, &m.size)
	c.Blob(&m.body)
}

// layout codes the records that are there.
func (p *pending[T]) layout(c *snapshot.Coder, record func(*T)) {
	n := p.live
	snapshot.Number(c, &n)
	if !c.Reading() {
		for i := range p.entries {
			if e := &p.entries[i]; !e.gone {
				snapshot.Number(c, &e.id)
				record(&e.value)
			}
		}
		return
	}
	*p = pending[T]{}
	for last := uint64(0); n > 0 && c.Err() == nil; n-- {
		var id uint64
		var value T
		snapshot.Number(c, &id)
		record(&value)
		if id <= last {
			c.Fail(fmt.Errorf("record %d stands behind %d", id, last))
		}
		p.add(id, value)
		last = id
	}
}

// layout codes a node. A node that is down has lost all but what it saved.
func (n *node) layout(c *snapshot.Coder, w *World) {
	name := n.cfg.Name
	if snapshot.Text(c, &name); name != n.cfg.Name {
		c.Fail(fmt.Errorf("it is of %q, expected %q", name, n.cfg.Name))
		return
	}
	delay := n.cfg.BlockDelay
	if snapshot.Number(c, &delay); delay != n.cfg.BlockDelay {
		c.Fail(fmt.Errorf("it sees blocks after %s, here after %s", clock(delay), clock(n.cfg.BlockDelay)))
		return
	}
	n.layoutFaults(c, w)
	snapshot.Number(c, &n.lastID)
	snapshot.Number(c, &n.upFree)
	snapshot.Number(c, &n.downFree)
	snapshot.Number(c, &n.txArrival)
	c.Part(n.link)
	snapshot.List(c, &n.streams, func(s *namedStream) {
		snapshot.Text(c, &s.purpose)
		if c.Reading() {
			s.Stream = new(num.Stream)
		}
		c.Part(s.Stream)
	})
	c.Flag(&n.signedTwice)
	n.job.layout(c)
	n.timers.layout(c, func(t *timer) {
		snapshot.Number(c, &t.tag)
		snapshot.Number(c, &t.height)
		c.Flag(&t.block)
	})
	n.calls.layout(c, func(x *call) { x.layout(c) })
	n.served.layout(c, func(s *service) { s.layout(c, w) })
	c.Part(&n.admission)
	if n.down == 0 && c.Err() == nil {
		n.layoutAgent(c, w)
	}
}

func (n *node) layoutAgent(c *snapshot.Coder, w *World) {
	var state []byte
	if !c.Reading() {
		w.scratch = w.state(n, w.scratch[:0])
		state = w.scratch
	}
	c.Blob(&state)
	if c.Reading() && c.Err() == nil {
		if err := w.replace(n, state); err != nil {
			c.Fail(err)
		}
	}
}

// layout codes a job that has ended and whose result is yet to be delivered.
func (j *job) layout(c *snapshot.Coder) {
	outstanding := j.task != nil
	if c.Flag(&outstanding); !outstanding {
		return
	}
	if c.Reading() {
		j.task = &task{state: taskEnded}
	}
	snapshot.Number(c, &j.id)
	snapshot.Number(c, &j.task.due)
	snapshot.Number(c, &j.began)
	snapshot.Number(c, &j.owed)
	c.Flag(&j.task.hangs)
	snapshot.Number(c, &j.task.work)
	snapshot.Number(c, &j.task.tokens)
	c.Blob(&j.task.result)
}

func (x *call) layout(c *snapshot.Coder) {
	c.Array(x.to[:])
	snapshot.Number(c, &x.sentAt)
	snapshot.Number(c, &x.parts)
	snapshot.Number(c, &x.next)
	snapshot.Number(c, &x.allow)
	snapshot.Number(c, &x.refuse)
}

func (s *service) layout(c *snapshot.Coder, w *World) {
	w.layoutParty(c, &s.from)
	snapshot.Number(c, &s.call)
	snapshot.Number(c, &s.parts)
	snapshot.Number(c, &s.allow)
	snapshot.Number(c, &s.deadline)
	c.Flag(&s.busy)
	snapshot.Number(c, &s.lastReply)
}
