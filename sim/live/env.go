package live

import (
	"fmt"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// maxTime bounds what is added to a time: 126 years.
const maxTime = 4_000_000_000 * host.Second

// env is the world as one node's agent sees it under an identity; see host.Env.
type env struct {
	node *node
	as   *identity
}

var _ host.Env = (*env)(nil)

// use checks that the agent is handling an event.
func (e *env) use() *node {
	if e.node.handling == nil {
		panic(fmt.Sprintf("live: node %s used its Env outside Handle", e.node.cfg.Name))
	}
	return e.node
}

// newID is the next of all calls, jobs, timers, submissions and requests of the node.
func (n *node) newID() uint64 {
	n.lastID++
	return n.lastID
}

// Self is documented at host.Env.
func (e *env) Self() host.Self {
	n := e.use()
	self := e.as.self
	self.UID, self.HasUID = n.sight.view.UIDOf(self.Hotkey)
	return self
}

// As is documented at host.Env.
func (e *env) As(id host.Identity) host.Env {
	n := e.use()
	if int(id) >= len(n.ids) {
		panic(fmt.Sprintf("identity %d of a node that has %d", id, len(n.ids)))
	}
	return &n.ids[id].env
}

// Now is documented at host.Env.
func (e *env) Now() host.Time { return e.use().now }

// Chain is documented at host.Env.
func (e *env) Chain() chain.View { return e.use().sight.view }

// Rand is documented at host.Env. The stream is the one that the virtual world gives an agent of the same
// name under the same seed.
func (e *env) Rand(purpose string) *num.Stream {
	n := e.use()
	for i := range n.streams {
		if n.streams[i].purpose == purpose {
			return n.streams[i].stream
		}
	}
	if len(n.streams) == maxStreams {
		panic(fmt.Sprintf("random stream %q is one more than the %d that an agent may have", purpose, maxStreams))
	}
	s := num.NewStream(n.world.cfg.Seed, "agent\x00"+n.cfg.Name+"\x00"+purpose)
	n.streams = append(n.streams, namedStream{purpose, s})
	return s
}

// namedStream is a random stream and what it is for.
type namedStream struct {
	purpose string
	stream  *num.Stream
}

// NodeOf is documented at host.Env. Known are the nodes of this process.
func (e *env) NodeOf(peer host.PeerID) *uint32 {
	if other, known := e.use().world.byPeer[peer]; known {
		return trace.Some(other.self.Node)
	}
	return nil
}

// Record is documented at host.Env.
func (e *env) Record(r trace.Row) { e.use().world.record(r) }
