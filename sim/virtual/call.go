package virtual

import (
	"taolab/sim/chain"
	"taolab/sim/host"
)

// call is a question that a node has asked and that is not closed.
type call struct {
	to     host.PeerID
	sentAt host.Time
	parts  uint32    // received
	next   uint32    // place of the earliest part that may still come
	allow  uint32    // parts that may come
	refuse host.Code // the host answers with it; NoReturn when the question is on its way
}

// service is a request that waits at a node or is in service.
type service struct {
	from      party
	call      host.CallID // the caller's
	parts     uint32      // sent
	allow     uint32
	deadline  host.Time
	busy      bool      // in service
	lastReply host.Time // arrival of the last part
}

// Call is documented at host.Env.
func (e *env) Call(to host.PeerID, req host.Request, timeout host.Time) host.CallID {
	w, n := e.use()
	id := n.newID()
	c := call{to: to, sentAt: w.now, allow: min(max(req.MaxReplies, 1), maxReplies)}
	target, known := w.peers[to]
	switch {
	case !known:
		c.refuse = host.Unavailable
	case len(req.Body) > maxBodyBytes:
		c.refuse = host.InvalidRequest
		w.fault(n.index, "refused", "a request whose body is longer than a message may be")
	case n.calls.live >= maxCalls:
		c.refuse = host.Backoff
		w.fault(n.index, "refused", "a call beyond the limit of open calls")
	}
	n.calls.add(id, c)
	if c.refuse != host.NoReturn {
		w.push(w.now, evRefuse, n.index, id)
		return host.CallID(id)
	}
	deadline := w.now + n.span(bounded(timeout))
	w.push(deadline, evTimeout, n.index, id)
	w.send(message{
		from: party{n.index, e.id}, to: target, synapse: req.Synapse, dir: req.Dir, replies: c.allow,
		call: host.CallID(id), deadline: deadline, body: req.Body,
	}, 0)
	return host.CallID(id)
}

// Cancel is documented at host.Env. The server is not told.
func (e *env) Cancel(id host.CallID) {
	w, n := e.use()
	if _, open := n.calls.take(uint64(id)); open {
		w.stale++
	}
}

// Reply is documented at host.Env. It does nothing when the caller has given up.
func (e *env) Reply(id host.CallID, r host.Response) {
	w, n := e.use()
	s := n.served.get(uint64(id))
	if s == nil || !s.busy {
		return
	}
	if len(r.Body) > maxBodyBytes {
		r = host.Response{Code: host.InvalidResponse}
		w.fault(n.index, "refused", "a reply whose body is longer than a message may be")
	}
	s.parts++
	more := r.More && s.parts < s.allow
	s.lastReply = w.send(message{
		from: party{node: n.index}, to: s.from, reply: true, more: more, code: r.Code, call: s.call,
		part: s.parts - 1, deadline: s.deadline, body: r.Body,
	}, s.lastReply)
	if !more {
		n.served.take(uint64(id))
		n.admission.Release()
		w.stale++
	}
}

// standing is what a server's view of the chain says of a caller.
type standing struct {
	hotkey   chain.Key
	height   uint64 // of the view, and one more
	stakeRao uint64
	seated   bool // it has a uid
}

// standingIn is the identity's standing in a view. It is looked up once for all that the node asks about one block.
func (x *identity) standingIn(view chain.View) standing {
	s := &x.standing
	if s.height != view.Height()+1 || s.hotkey != x.hotkey.Key {
		_, seated := view.UIDOf(x.hotkey.Key)
		*s = standing{x.hotkey.Key, view.Height() + 1, view.StakeOf(x.hotkey.Key), seated}
	}
	return *s
}

// deliverRequest offers a request to the node's admission queue.
func (w *World) deliverRequest(n *node, m *message) {
	if m.deadline <= w.now {
		return
	}
	if n.down > 0 {
		w.refuse(n, m.from, m.call, m.deadline, host.Unavailable)
		return
	}
	if m.copy {
		w.fault(n.index, "duplicate", "a request was refused: its nonce has been used")
		return
	}
	if caller := &w.nodes[m.from.node]; !speak(n, caller) {
		w.fault(n.index, "version", "a request was refused: its wire version is not spoken here")
		w.refuse(n, m.from, m.call, m.deadline, host.NotImplemented)
		return
	}
	caller := &w.nodes[m.from.node].ids[m.from.id]
	standing := caller.standingIn(w.viewOf(n))
	in := host.Incoming{
		Call:     host.CallID(n.newID()),
		From:     caller.peer,
		To:       m.to.id,
		StakeRao: standing.stakeRao,
		Deadline: m.deadline,
		Request:  host.Request{Synapse: m.synapse, Dir: m.dir, Body: m.body, MaxReplies: m.replies},
	}
	outcome, displaced, gaveWay := n.admission.Offer(in, standing.seated, w.now)
	if gaveWay {
		s, _ := n.served.take(uint64(displaced.Call))
		w.stale++
		w.refuse(n, s.from, s.call, s.deadline, host.Full.Code())
	}
	if outcome != host.Waiting {
		w.refuse(n, m.from, m.call, m.deadline, outcome.Code())
		return
	}
	n.served.add(uint64(in.Call), service{from: m.from, call: m.call, allow: m.replies, deadline: m.deadline})
	w.push(m.deadline, evOverdue, n.index, uint64(in.Call))
}

// refuse answers a request without the agent.
func (w *World) refuse(n *node, caller party, id host.CallID, deadline host.Time, code host.Code) {
	w.send(message{from: party{node: n.index}, to: caller, reply: true, code: code, call: id, deadline: deadline}, 0)
}

// serve hands waiting requests to the agent as long as slots are free.
func (w *World) serve(n *node) {
	for w.err == nil && n.down == 0 && n.paused == 0 {
		in, ok := n.admission.Next(w.now)
		if !ok {
			return
		}
		s := n.served.get(uint64(in.Call))
		s.busy = true
		if in.Deadline < s.deadline {
			w.push(in.Deadline, evOverdue, n.index, uint64(in.Call))
		}
		in.Deadline += w.skew(n)
		w.handle(n, in)
	}
}

// endService takes a request that nobody may be served any longer from its node. A caller who has
// not given up is told that it took too long.
func (w *World) endService(n *node, id uint64) {
	s, _ := n.served.take(id)
	if s.deadline > w.now {
		w.stale++ // the event of the caller's own deadline
		w.refuse(n, s.from, s.call, s.deadline, host.Timeout)
	}
	if s.busy {
		n.admission.Release()
		w.handle(n, host.Cancelled{Call: host.CallID(id)})
	}
}

// deliverReply hands a reply to the agent that waits for it; after the last one the call is closed.
func (w *World) deliverReply(n *node, m *message) {
	c := n.calls.get(uint64(m.call))
	if c == nil || m.part < c.next {
		return
	}
	c.next = m.part + 1
	if m.code == host.Success {
		w.life.see().answers++
	}
	c.parts++
	more := m.more && c.parts < c.allow
	a := host.Answer{
		Call: m.call, From: c.to, SentAt: c.sentAt + w.skew(n),
		Response: host.Response{Code: m.code, Body: m.body, More: more},
	}
	if !more {
		n.calls.take(uint64(m.call))
		w.stale++
	}
	w.handle(n, a)
}

// giveUp closes a call whose time is up or that the host refused.
func (w *World) giveUp(n *node, id uint64) {
	c, _ := n.calls.take(id)
	code := c.refuse
	if code == host.NoReturn {
		code = host.Timeout
	}
	w.handle(n, host.Answer{
		Call: host.CallID(id), From: c.to, SentAt: c.sentAt + w.skew(n),
		Response: host.Response{Code: code},
	})
}
