package live

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// call is a question that a node has asked and that is not closed.
type call struct {
	to     host.PeerID
	sentAt host.Time
	cancel context.CancelFunc // nil: it never left
}

// Call is documented at host.Env.
func (e *env) Call(to host.PeerID, req host.Request, timeout host.Time) host.CallID {
	n := e.use()
	id := host.CallID(n.newID())
	c := &call{to: to, sentAt: n.now}
	address, known := n.world.address(n.sight, to)
	var code host.Code
	switch {
	case !known:
		code = host.Unavailable
	case len(req.Body) > n.world.cfg.Limits.BodyBytes:
		code = host.InvalidRequest
	case len(n.calls) >= maxCalls:
		code = host.Backoff
	}
	n.calls[id] = c
	if code != host.NoReturn {
		n.soon(func() { n.answered(id, axon.Reply{Response: host.Response{Code: code}}) })
		return id
	}
	req.Body = slices.Clone(req.Body)
	var ctx context.Context
	ctx, c.cancel = context.WithTimeout(n.ctx, time.Duration(min(max(timeout, 0), maxTime)))
	go n.ask(ctx, e.as.client, id, to, address, req)
	return id
}

// ask makes a call and brings its replies to the node, each when the agent has had the one before: until then the
// client counts its bytes. It runs in a goroutine of its own.
func (n *node) ask(ctx context.Context, as *axon.Client, id host.CallID, to host.PeerID, at netip.AddrPort, req host.Request) {
	for r := range as.Call(ctx, to, at, req) {
		had := make(chan struct{})
		if !n.mail.bring(n.ctx, func() { n.answered(id, r); close(had) }) {
			return
		}
		select {
		case <-had:
		case <-n.ctx.Done():
			return
		}
	}
}

// address is where a peer serves, as the config or the ledger has it.
func (w *World) address(s *sight, peer host.PeerID) (netip.AddrPort, bool) {
	if w.cfg.Address != nil {
		return w.cfg.Address(s.view, peer)
	}
	n := s.peers[peer]
	return n.address, n.address.IsValid()
}

// answered hands a reply to the agent, unless the call is closed; after the last one it is.
func (n *node) answered(id host.CallID, r axon.Reply) {
	c, open := n.calls[id]
	if !open {
		return
	}
	if !r.More {
		n.close(id, c)
		n.world.metrics.called(n, r.Code, n.now-c.sentAt)
	}
	if r.Reason != "" {
		n.log.Debug("a peer did not answer", "peer", c.to.String(), "code", r.Code.String(), "reason", r.Reason)
		if r.Code != host.Success && len(r.Body) == 0 {
			r.Body = []byte(r.Reason)
		}
	}
	n.handle(host.Answer{Call: id, From: c.to, SentAt: c.sentAt, Response: r.Response})
}

func (n *node) close(id host.CallID, c *call) {
	delete(n.calls, id)
	if c.cancel != nil {
		c.cancel()
	}
}

// Cancel is documented at host.Env. The server hears of it.
func (e *env) Cancel(id host.CallID) {
	n := e.use()
	if c, open := n.calls[id]; open {
		n.close(id, c)
	}
}
