package live

import (
	"net/netip"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// sight is a block as all nodes of this world see it: its view, who is who on the wire, and what became of
// the world's own transactions. It never changes.
type sight struct {
	view  chain.View
	peers map[host.PeerID]neighbour
	fates []fate // in order
}

// neighbour is who answers at an axon key, and where.
type neighbour struct {
	hotkey  chain.Key
	address netip.AddrPort // not valid where it published none
}

// see is the sight of a view; the neighbours are those of an older one where nothing happened since.
func see(view chain.View, fates []fate, older *sight, quiet bool) *sight {
	s := &sight{view: view, fates: fates}
	if quiet && older != nil {
		s.peers = older.peers
		return s
	}
	s.peers = make(map[host.PeerID]neighbour, view.N())
	for uid := range view.N() {
		n := view.Neuron(chain.UID(uid))
		_, taken := s.peers[n.Axon]      // the key of an earlier uid is not another's
		_, owned := view.OwnerOf(n.Axon) // and a hotkey is nobody's but its own
		if n.Axon == n.Hotkey || !taken && !owned {
			s.peers[n.Axon] = neighbour{n.Hotkey, addressOf(n)}
		}
	}
	return s
}

// addressOf is where a neuron serves as the ledger publishes it; not valid where it does not.
func addressOf(n chain.Neuron) netip.AddrPort {
	if n.IP == ([16]byte{}) || n.Port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom16(n.IP).Unmap(), n.Port)
}

// hotkeyOf is the hotkey that a peer stands for: its own key, unless the ledger knows it as an axon's.
func (s *sight) hotkeyOf(peer host.PeerID) chain.Key {
	if n, known := s.peers[peer]; known {
		return n.hotkey
	}
	return peer
}

// followedBy is a later sight with the fates of this one too.
func (s *sight) followedBy(later *sight) *sight {
	both := *later
	both.fates = append(append([]fate(nil), s.fates...), later.fates...)
	return &both
}
