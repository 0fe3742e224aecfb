package virtual

import (
	"crypto/ed25519"
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/host"
)

var churnKind = FaultKind{
	Name: "churn", Doc: "the target's nodes leave, and come back at the end as new ones: fresh agents with new hotkeys, all of which the coldkeys register in one block; stake stays with the former hotkeys",
	fresh: true, renames: true,
	effect: func(f *injection) effect { return churn{f} },
}

type churn struct{ *injection }

func (churn) attach(*World) {}
func (churn) detach(*World) {}

func (f churn) begin(w *World) {
	f.members.each(func(i int32) {
		w.fault(i, "churn", "the node left")
		w.stop(&w.nodes[i])
	})
}

func (f churn) end(w *World) {
	f.members.each(func(i int32) {
		n := &w.nodes[i]
		w.rename(n)
		w.register(n)
		n.forgets = true
		w.restart(n)
	})
}

// nextName is the private key of the next hotkey of an identity that is not yet known.
func nextName(seed uint64, n *node, id int) ed25519.PrivateKey {
	return Key(seed, fmt.Sprintf("%s\x00%d", Named(n.cfg.Name, host.Identity(id)), n.names+1), host.Hotkey)
}

// rename gives a node its next hotkeys. Nobody answers at those before.
func (w *World) rename(n *node) { n.setName(w, n.named+1) }

// setName gives a node one of its sets of hotkeys, 0 the first.
func (n *node) setName(w *World, named int) {
	if n.named == named {
		return
	}
	n.named = named
	for i := range n.ids {
		id := &n.ids[i]
		delete(w.peers, id.peer)
		id.hotkey = id.names[named-1]
		if i > 0 || n.cfg.Peer == (host.PeerID{}) {
			id.peer = id.hotkey.Key
		}
		w.peers[id.peer] = party{n.index, host.Identity(i)}
	}
}

// register hands the block producer the registrations of a node's hotkeys.
func (w *World) register(n *node) {
	expiry := w.producer.ledger.Height() + w.cfg.Chain.ExpiryBlocks
	for i := range n.ids {
		bytes, err := w.producer.ledger.Transaction(n.coldkey.account, expiry, chain.Register{Hotkey: n.ids[i].hotkey.Key})
		if err != nil {
			w.fail(err)
			return
		}
		w.log.transaction(bytes)
		w.producer.ledger.Receive(theNetwork, 0, bytes, w.now)
	}
}
