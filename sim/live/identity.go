package live

import (
	"crypto/ed25519"
	"fmt"
	"net"
	"net/netip"

	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// Identity is a hotkey of a node with the axon that serves under it.
type Identity struct {
	Hotkey   ed25519.PrivateKey
	Axon     ed25519.PrivateKey // nil: the hotkey
	Listen   string             // as Node.Listen
	Announce netip.AddrPort     // as Node.Announce
}

// identities are all of a node, the first one's fields are those of the node.
func (n *Node) identities() []Identity {
	return append([]Identity{{n.Hotkey, n.Axon, n.Listen, n.Announce}}, n.Others...)
}

// identity is one that lives: what the wire and the ledger know it by. It belongs to its node.
type identity struct {
	Identity
	node   *node
	id     host.Identity
	env    env
	self   host.Self // without uid
	hotkey *signer
	client *axon.Client
	socket net.Listener // nil: it serves nobody from outside
	server *axon.Server

	announceFrom uint64 // height
}

// addIdentity gives a node a hotkey and its wire.
func (w *World) addIdentity(n *node, index uint32, of Identity) error {
	if len(of.Hotkey) != ed25519.PrivateKeySize {
		return fmt.Errorf("node %s has a hotkey of %d bytes; expected %d, ed25519", n.cfg.Name, len(of.Hotkey), ed25519.PrivateKeySize)
	}
	if of.Axon == nil {
		of.Axon = of.Hotkey
	}
	x := &identity{Identity: of, node: n, id: host.Identity(len(n.ids)), hotkey: w.signer(of.Hotkey)}
	x.env = env{n, x}
	x.self = host.Self{Node: index, Peer: axon.KeyOf(of.Axon), Hotkey: x.hotkey.key}
	if n.coldkey != nil {
		x.self.Coldkey = n.coldkey.key
	}
	if other := w.byPeer[x.self.Peer]; other != nil {
		return fmt.Errorf("nodes %s and %s have the same axon key", other.node.cfg.Name, n.cfg.Name)
	}
	w.byPeer[x.self.Peer] = x
	n.ids = append(n.ids, x)
	dial := func(key ed25519.PrivateKey) (*axon.Client, error) { return axon.Dial(key, w.cfg.Network, w.cfg.Limits) }
	if x.id > 0 {
		dial = n.ids[0].client.Under
	}
	var err error
	if x.client, err = dial(of.Axon); err != nil {
		return fmt.Errorf("node %s: %w", n.cfg.Name, err)
	}
	if of.Listen != "" {
		if x.socket, err = w.cfg.Network.Listen(of.Listen); err != nil {
			return fmt.Errorf("node %s cannot serve at %s: %w: is another program there, or is the address another machine's?", n.cfg.Name, of.Listen, err)
		}
		if at := &x.Announce; at.IsValid() && at.Port() == 0 {
			*at = netip.AddrPortFrom(at.Addr(), portOf(x.socket))
		}
	}
	return nil
}

// portOf is the port on which a socket listens; 0 where it has none.
func portOf(socket net.Listener) uint16 {
	at, err := netip.ParseAddrPort(socket.Addr().String())
	if err != nil {
		return 0 // of another network
	}
	return at.Port()
}

// serve lets the server of an identity serve.
func (x *identity) serve() (err error) {
	if x.socket == nil {
		return nil
	}
	x.server, err = axon.Serve(x.socket, axon.Service{Key: x.Axon, Admit: x.node.admit, Handle: x.answer, Limits: x.node.world.cfg.Limits})
	if err != nil {
		return fmt.Errorf("live: node %s: %w", x.node.cfg.Name, err)
	}
	x.node.log.Info("the node serves", "address", x.socket.Addr().String(), "peer", x.self.Peer.String())
	return nil
}

// release lets go of the wire where no server does.
func (x *identity) release() {
	if x.client != nil {
		x.client.Close()
	}
	if x.socket != nil && x.server == nil {
		x.socket.Close()
	}
}

// identities are all that live in this world.
func (w *World) identities() []*identity {
	var all []*identity
	for _, n := range w.nodes {
		all = append(all, n.ids...)
	}
	return all
}
