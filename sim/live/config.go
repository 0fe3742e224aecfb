package live

import (
	"crypto/ed25519"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live/axon"
	"taolab/sim/trace"
)

// Config is the part of a network that lives in this process.
type Config struct {
	Ledger Ledger
	// Genesis is the wall time from which the agents' clocks count.
	Genesis time.Time
	// Seed is the master seed of the agents' random streams. Worlds that should draw alike need equal seeds.
	Seed  uint64
	Nodes []Node

	// Dir holds what outlives the process: NAME.state, the newest saved state of each node, and the
	// journals. Empty: nothing outlives it.
	Dir string
	// SaveEvery is the time between two saves of a node's state; 0 means 1 min. A stop saves too.
	SaveEvery time.Duration
	// Journal keeps what each agent was given and what it did, for sim/journal to replay: in
	// NAME-LIFE-VOLUME.journal, where each start of the process begins a life, and a save behind so many
	// bytes a volume.
	Journal      bool
	JournalBytes int64 // 0 means 256 MiB
	// JournalVolumes is how many volumes of each node stay: as one begins, the oldest go. 0: all stay, and
	// who wants the space back removes old ones.
	JournalVolumes int

	Workers      int    // goroutines that run compute jobs; 0: one for each processor
	ExpiryBlocks uint64 // how long a transaction may wait for its block; 0 means 64

	// Address says where a peer serves; nil: what the ledger publishes.
	Address func(chain.View, host.PeerID) (netip.AddrPort, bool)
	Network axon.Network // nil: axon.TCP
	Limits  axon.Limits  // of the wire

	Log     *slog.Logger          // nil: slog.Default
	Metrics prometheus.Registerer // nil: nobody asks for figures
	// Recorder gets the rows of the agents and, as far as Trace says, of the chain. It is called by one
	// goroutine at a time; nil records nothing.
	Recorder trace.Recorder
	Trace    host.Recording
}

// Node is one agent with its keys and its servers.
type Node struct {
	Name  string // unique; names its random streams and files: letters, digits, - and _
	Agent host.Agent

	Hotkey  ed25519.PrivateKey
	Coldkey ed25519.PrivateKey // nil: it cannot sign, and what the agent submits with it is rejected
	Axon    ed25519.PrivateKey // nil: the hotkey

	// Listen is where the node serves, such as "127.0.0.1:8091"; empty: it serves nobody from outside.
	Listen string
	// Announce is the address that the node publishes on the ledger once it has a uid, and again when the
	// ledger shows another; port 0: the one on which it serves; zero: it leaves what is there.
	Announce netip.AddrPort
	// Others are the identities behind the first: the agent answers for all of them, and one queue admits what
	// they are asked.
	Others    []Identity
	Admission host.AdmissionRules
}
