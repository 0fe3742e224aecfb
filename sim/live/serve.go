package live

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// service is a request that waits at a node or is in service. All but parts and unread belongs to the node.
type service struct {
	id       host.CallID
	from     host.PeerID
	to       host.Identity
	request  host.Request
	sent     uint32 // parts
	allow    uint32
	deadline host.Time // of the caller
	overdue  *alarm
	busy     bool // in service

	parts  chan axon.Reply // room for all that may come
	unread atomic.Int64    // bytes in it, and of the part that its caller is taking
}

// Ask puts a question to a node of this world in the name of a peer that was let in by other means than the
// wire, such as the operator of the node. The answer comes as it would over the wire, refusals with their
// reasons; who stops to listen ends the question, and so does ctx.
func (w *World) Ask(ctx context.Context, node string, from host.PeerID, q host.Request) iter.Seq[axon.Reply] {
	n := w.byName[node]
	if n == nil {
		return func(yield func(axon.Reply) bool) {
			yield(refusal(host.Unavailable, fmt.Sprintf("no node %q lives here", node)))
		}
	}
	q.Body = slices.Clone(q.Body)
	return func(yield func(axon.Reply) bool) {
		ctx, cancel := context.WithTimeout(ctx, w.cfg.Limits.LongestCall)
		defer cancel()
		n.ids[0].answer(ctx, from, q)(yield)
	}
}

// answer is the axon.Handler of an identity: it carries a question to the node's goroutine and its replies back.
func (x *identity) answer(ctx context.Context, from host.PeerID, q host.Request) iter.Seq[axon.Reply] {
	return func(yield func(axon.Reply) bool) {
		n, s := x.node, &service{from: from, to: x.id, request: q, allow: min(max(q.MaxReplies, 1), maxReplies)}
		s.parts = make(chan axon.Reply, s.allow+1) // and one by which the host ends it
		deadline, _ := ctx.Deadline()
		if !n.mail.offer(func() { n.receive(ctx, s, time.Until(deadline)) }) {
			yield(n.refused(refusal(host.Backoff, fmt.Sprintf("%d requests wait to be looked at: ask again later", maxRequests))))
			return
		}
		for {
			select {
			case r := <-s.parts:
				goesOn := yield(r)
				n.hold(s, -len(r.Body))
				if !goesOn {
					n.mail.bring(n.ctx, func() { n.abandon(s) })
					return
				}
				if !r.More {
					return
				}
			case <-ctx.Done():
				n.mail.bring(n.ctx, func() { n.abandon(s) })
				yield(refusal(host.Timeout, "the answer was not ready before the deadline"))
				return
			case <-n.ctx.Done():
				yield(refusal(host.Unavailable, "this node is stopping"))
				return
			}
		}
	}
}

// receive offers a request to the admission queue, unless its caller has left while it was waiting.
func (n *node) receive(ctx context.Context, s *service, left time.Duration) {
	if ctx.Err() == context.Canceled {
		n.world.metrics.served(n, host.NoReturn)
		return
	}
	s.id = host.CallID(n.newID())
	s.deadline = n.now + host.Time(left)
	if left <= 0 {
		s.parts <- n.refused(refusal(host.Timeout, "the deadline had passed before the request was looked at"))
		return
	}
	hotkey := n.sight.hotkeyOf(s.from)
	_, hasUID := n.sight.view.UIDOf(hotkey)
	in := host.Incoming{
		Call: s.id, From: s.from, To: s.to, StakeRao: n.sight.view.StakeOf(hotkey), Deadline: s.deadline, Request: s.request,
	}
	s.request = host.Request{} // it is the agent's now
	outcome, displaced, gaveWay := n.admission.Offer(in, hasUID, n.now)
	if gaveWay {
		n.conclude(n.served[displaced.Call], n.reason(host.Full, displaced.StakeRao, hotkey))
	}
	if outcome != host.Waiting {
		s.parts <- n.refused(n.reason(outcome, in.StakeRao, hotkey))
		return
	}
	n.served[s.id] = s
	s.overdue = n.times.set(int64(s.deadline), uint64(s.id), func() { n.overrun(s) })
}

// reason is the refusal of an outcome in words that say what to do.
func (n *node) reason(o host.Outcome, stakeRao uint64, hotkey chain.Key) axon.Reply {
	rules := &n.admission.Rules
	switch o {
	case host.NoUID:
		return refusal(o.Code(), fmt.Sprintf("hotkey %v has no uid on this network: register it first", hotkey))
	case host.TooSoon:
		return refusal(o.Code(), fmt.Sprintf("the last request came less than %v ago: wait longer between requests", time.Duration(rules.MinInterval)))
	case host.TooLittle:
		return refusal(o.Code(), fmt.Sprintf("hotkey %v has a stake of %s TAO and this node serves from %s TAO on: stake %s TAO more", hotkey,
			tao(stakeRao), tao(rules.MinStakeRao), tao(rules.MinStakeRao-stakeRao)))
	default:
		return refusal(o.Code(), fmt.Sprintf("the queue is full of requests that go first, and a stake of %s TAO does not come before them: ask again later, or stake more", tao(stakeRao)))
	}
}

// tao is an amount in TAO, without zeros that say nothing.
func tao(rao uint64) string {
	text := fmt.Sprintf("%d.%09d", rao/chain.RaoPerTAO, rao%chain.RaoPerTAO)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

// refusal is a reply that says why there is no answer.
func refusal(code host.Code, reason string) axon.Reply {
	return axon.Reply{Response: host.Response{Code: code}, Reason: reason}
}

// refused counts a refusal.
func (n *node) refused(r axon.Reply) axon.Reply {
	n.world.metrics.served(n, r.Code)
	return r
}

// serve hands waiting requests to the agent as long as slots are free.
func (n *node) serve() {
	for {
		in, ok := n.admission.Next(n.now)
		if !ok {
			return
		}
		s := n.served[in.Call]
		s.busy = true
		if in.Deadline < s.deadline {
			n.times.drop(s.overdue)
			s.overdue = n.times.set(int64(in.Deadline), uint64(s.id), func() { n.overrun(s) })
		}
		n.handle(in)
	}
}

// Reply is documented at host.Env. It does nothing when the caller has given up.
func (e *env) Reply(id host.CallID, r host.Response) {
	n := e.use()
	s := n.served[id]
	if s == nil || !s.busy {
		return
	}
	s.sent++
	part := axon.Reply{Response: r}
	part.Body = slices.Clone(r.Body)
	part.More = r.More && s.sent < s.allow
	switch {
	case len(r.Body) > n.world.cfg.Limits.BodyBytes:
		part = refusal(host.InvalidResponse, "the answer is longer than a message may be")
	case s.unread.Load()+int64(len(r.Body)) > maxUnread:
		part = refusal(host.InvalidResponse, "the caller takes the answer more slowly than it comes")
	case n.unread.Load()+int64(len(r.Body)) > maxAnswers:
		part = refusal(host.Backoff, "this node holds as many bytes of answers as it may, which their callers have not taken: ask again later")
	}
	if part.More {
		n.hold(s, len(part.Body))
		s.parts <- part
		return
	}
	n.conclude(s, part)
	n.admission.Release()
	if r.More && s.sent < s.allow { // the agent would go on
		n.soon(func() { n.handle(host.Cancelled{Call: id}) })
	}
}

// hold counts bytes of an answer that wait for its caller, or, below 0, that do so no longer.
func (n *node) hold(s *service, bytes int) {
	s.unread.Add(int64(bytes))
	n.unread.Add(int64(bytes))
}

// conclude ends a request with its last reply. Who had it in service releases its slot.
func (n *node) conclude(s *service, last axon.Reply) {
	n.forget(s)
	n.world.metrics.served(n, last.Code)
	n.hold(s, len(last.Body))
	s.parts <- last
}

func (n *node) forget(s *service) {
	delete(n.served, s.id)
	n.times.drop(s.overdue)
}

// overrun ends a request whose time is up, be it the caller's or that of its service.
func (n *node) overrun(s *service) {
	reply := refusal(host.Timeout, "the answer was not ready before the deadline")
	if s.deadline > n.now {
		reply.Reason = fmt.Sprintf("the answer took longer than the %v that a request may be in service here", time.Duration(n.admission.Rules.LongestService))
	}
	n.conclude(s, reply)
	n.vacate(s)
}

// abandon ends a request whose caller no longer listens.
func (n *node) abandon(s *service) {
	n.hold(s, -int(s.unread.Load()))
	if n.served[s.id] != s { // it ended by itself
		return
	}
	n.forget(s)
	n.world.metrics.served(n, host.NoReturn)
	n.vacate(s)
}

// vacate frees the slot of a request that was in service and tells the agent, or its place in the queue.
func (n *node) vacate(s *service) {
	if !s.busy {
		n.admission.Withdraw(s.id)
		return
	}
	n.admission.Release()
	n.handle(host.Cancelled{Call: s.id})
}
