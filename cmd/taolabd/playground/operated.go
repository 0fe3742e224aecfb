package playground

import (
	"context"
	"crypto/ed25519"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live"
)

// Operated is an application that lives in this process.
type Operated struct {
	World  *live.World
	Ledger live.Ledger
	Node   live.Node // as the world has it
}

var _ Application = Operated{}

// Self implements Application.
func (o Operated) Self() host.Self {
	public := func(k ed25519.PrivateKey) chain.Key { return chain.Key(k.Public().(ed25519.PublicKey)) }
	self := host.Self{Hotkey: public(o.Node.Hotkey)}
	self.Peer = self.Hotkey
	if o.Node.Axon != nil {
		self.Peer = public(o.Node.Axon)
	}
	if o.Node.Coldkey != nil {
		self.Coldkey = public(o.Node.Coldkey)
	}
	self.UID, self.HasUID = o.View().UIDOf(self.Hotkey)
	return self
}

// View implements Application.
func (o Operated) View() chain.View { return o.Ledger.View() }

// Ask implements Application.
func (o Operated) Ask(ctx context.Context, r host.Request, part func(host.Response)) error {
	for reply := range o.World.Ask(ctx, o.Node.Name, o.Self().Peer, r) {
		if reply.Code != host.Success && len(reply.Body) == 0 {
			reply.Body = []byte(reply.Reason)
		}
		part(reply.Response)
	}
	return ctx.Err()
}
