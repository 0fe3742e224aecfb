package virtual

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Config is a network and how long it lives. Two equal configs give equal runs; Workers, Recorder,
// Trace, Signed, EveryBlock, RoundTripAt, Paranoid and Stopwatch do not influence what happens.
type Config struct {
	// Origin is the digest of what the agents start from, such as a corpus and base models. The
	// event log begins with it.
	Origin  chain.Digest
	Genesis chain.Genesis
	Seed    uint64    // master seed of every stream and key
	BlockNs host.Time // time between blocks; 0 means 12 s
	Blocks  uint64    // the run ends with the one that is so many above the genesis
	Until   Position  // where the run ends before that; zero means nowhere

	Nodes  []Node
	Links  Links
	Faults []Fault
	Chain  Producer
	// QuietTail is the time before the last block in which the network must live: once the faults are
	// over, requests are answered and transactions included as they were before. 0 asks for nothing.
	QuietTail host.Time

	// SaveEvery is the time between two saved states of a node that a fault will stop; 0 means 10 min.
	SaveEvery host.Time
	// DigestEpochs is the number of epochs between ledger digests in the run digest, besides the one
	// of the end; 0 means that one only.
	DigestEpochs uint64
	// Signed makes the world sign what nodes submit and verify what blocks contain. Either way a
	// transaction costs the bandwidth of its signature, and the event log leaves the signature out.
	Signed bool

	// EveryBlock ends also empty blocks one by one, where the world would jump to the next that matters.
	EveryBlock bool

	Workers     int            // threads that run compute jobs, the loop's among them; 0 means 1
	RoundTripAt host.Time      // when to send all agents' states through bytes; 0 means never
	Recorder    trace.Recorder // nil records nothing
	Trace       Recording
	Paranoid    bool // check every invariant of the ledger after each transaction and each block

	checks func(*chain.State) func() error // in place of Paranoid's, for tests

	// Stopwatch tells wall time in nanoseconds, only for Progress. It is called from any goroutine;
	// nil measures nothing.
	Stopwatch func() int64
}

// Position is a place between two events of a run: how many blocks and events lie before it. A run
// that was interrupted there can be repeated up to the same place.
type Position struct{ Height, Events uint64 }

// Node is one machine with its agent.
type Node struct {
	Name  string            // unique; names its keys and streams
	Group string            // of which faults may speak
	Agent host.Agent        // nil: made by Fresh
	Fresh func() host.Agent // an empty agent to restore a state into; needed by crashes and round trips

	Peer       host.PeerID // axon key of the first identity; zero: the hotkey, as all others'
	Identities int         // hotkeys, named by Named; 0 means 1
	ColdkeyOf  string      // name whose coldkey this node uses; empty: its own name

	Region     int       // index into Links.Latency
	UpBps      int64     // uplink in bit/s; 0: unlimited
	DownBps    int64     // downlink in bit/s; 0: unlimited
	FLOPS      int64     // speed of the compute unit in FLOP/s; 0: unlimited
	BlockDelay host.Time // time after which the node sees a block, in nanoseconds
	Skew       host.Time // what the node's clock shows more than the virtual time
	Loss       float64   // share of the node's messages that never arrive, besides Links.Loss

	Admission host.AdmissionRules
}

// Links are the network between regions.
type Links struct {
	// Regions are the names of the regions; empty: their indexes are.
	Regions []string
	// Latency[a][b] is the one-way time from region a to region b; empty: one region without latency.
	Latency [][]host.Time
	// Jitter is the mean of an exponential delay that is added to each message.
	Jitter host.Time
	// Loss is the share of messages that never arrive.
	Loss float64
	// HeaderBytes is the length of a message without its body; 0 means DefaultHeaderBytes.
	HeaderBytes int
}

// DefaultHeaderBytes is the length that a message has on the link besides its body: about what HTTP/2
// framing, a signature and the fields of the envelope take.
const DefaultHeaderBytes = 256

// Producer is the one node that makes blocks of the transactions that reach it.
type Producer struct {
	Region       int
	MaxTxs       int    // transactions in a block at most; 0 means host.DefaultMaxTxs
	MaxWaiting   int    // transactions that wait at most; 0 means host.DefaultMaxWaiting
	ExpiryBlocks uint64 // blocks after the newest seen one in which a transaction may be included; 0 means 64
}

// Recording says which of the host's rows are recorded.
type Recording = host.Recording

// Named is the name of a node's identity, by which Key knows its hotkey: NAME, NAME/2, NAME/3 and so on.
func Named(node string, id host.Identity) string {
	if id == 0 {
		return node
	}
	return fmt.Sprintf("%s/%d", node, id+1)
}

// Key derives the private key of a node from the master seed, the node's name and the role.
func Key(seed uint64, name string, role host.KeyRole) ed25519.PrivateKey {
	h := sha256.New()
	h.Write([]byte("taolab virtual key\x00"))
	h.Write(binary.LittleEndian.AppendUint64(nil, seed))
	h.Write([]byte{byte(role)})
	h.Write([]byte(name))
	return ed25519.NewKeyFromSeed(h.Sum(nil))
}

// PublicKey is the public half of Key, as the chain knows it.
func PublicKey(seed uint64, name string, role host.KeyRole) chain.Key {
	return chain.Key(Key(seed, name, role).Public().(ed25519.PublicKey))
}

// withDefaults fills in what zero stands for.
func (c Config) withDefaults() Config {
	if c.BlockNs == 0 {
		c.BlockNs = 12 * host.Second
	}
	if c.Paranoid && c.checks == nil {
		c.checks = host.Invariants
	}
	if c.SaveEvery == 0 {
		c.SaveEvery = 10 * host.Minute
	}
	if c.Workers == 0 {
		c.Workers = 1
	}
	if c.Links.HeaderBytes == 0 {
		c.Links.HeaderBytes = DefaultHeaderBytes
	}
	if len(c.Links.Latency) == 0 {
		c.Links.Latency = [][]host.Time{{0}}
	}
	if c.Chain.MaxTxs == 0 {
		c.Chain.MaxTxs = host.DefaultMaxTxs
	}
	if c.Chain.MaxWaiting == 0 {
		c.Chain.MaxWaiting = host.DefaultMaxWaiting
	}
	if c.Chain.ExpiryBlocks == 0 {
		c.Chain.ExpiryBlocks = 64
	}
	return c
}

// Validate says everything that is wrong with the config.
func (c Config) Validate() error {
	c = c.withDefaults()
	regions := len(c.Links.Latency)
	var errs []error
	wrong := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(c.BlockNs > 0, "block time: %d ns is not positive", c.BlockNs)
	wrong(c.Blocks <= maxBlocks, "blocks: %d is more than %d", c.Blocks, uint64(maxBlocks))
	wrong(c.BlockNs <= 0 || c.Blocks <= uint64(maxTime/c.BlockNs),
		"run: %d blocks of %d ns do not fit the clock", c.Blocks, c.BlockNs)
	wrong(c.SaveEvery > 0, "save every: %d ns is not positive", c.SaveEvery)
	wrong(c.Workers >= 1 && c.Workers <= maxWorkers, "workers: %d is not in 1 to %d", c.Workers, maxWorkers)
	wrong(c.RoundTripAt >= 0, "round trip: %d ns is negative", c.RoundTripAt)
	wrong(len(c.Nodes) <= maxNodes, "nodes: %d, at most %d are allowed", len(c.Nodes), maxNodes)
	wrong(c.Chain.Region >= 0 && c.Chain.Region < regions,
		"producer: region %d, there are %d", c.Chain.Region, regions)
	wrong(c.Chain.MaxTxs > 0 && c.Chain.MaxWaiting > 0, "producer: %d transactions in a block and %d waiting, "+
		"both must be positive", c.Chain.MaxTxs, c.Chain.MaxWaiting)
	wrong(len(c.Faults) <= maxFaults, "faults: %d, at most %d are allowed", len(c.Faults), maxFaults)
	for i, f := range c.Faults[:min(len(c.Faults), maxFaults)] {
		if err := f.validate(&c); err != nil {
			errs = append(errs, fmt.Errorf("fault %d (%s): %w", i, f.Kind, err))
		}
	}
	wrong(c.QuietTail >= 0 && c.QuietTail <= maxTime, "quiet tail: %d ns is not a time", c.QuietTail)
	names := map[string]int{}
	peers := map[host.PeerID]int{}
	for i, n := range c.Nodes {
		if err := n.validate(regions, c.BlockNs, c.RoundTripAt > 0); err != nil {
			errs = append(errs, fmt.Errorf("node %d (%s): %w", i, n.Name, err))
		}
		for id := range n.identities() {
			name := Named(n.Name, id)
			if first, twice := names[name]; twice {
				errs = append(errs, fmt.Errorf("node %d (%s): node %d has the same name", i, name, first))
			}
			names[name] = i
		}
		if n.Peer == (host.PeerID{}) {
			continue
		}
		if first, twice := peers[n.Peer]; twice {
			errs = append(errs, fmt.Errorf("node %d (%s): node %d has the same peer key", i, n.Name, first))
		}
		peers[n.Peer] = i
	}
	return errors.Join(append(errs, c.Links.validate())...)
}

func (l Links) validate() error {
	for a, row := range l.Latency {
		if len(row) != len(l.Latency) {
			return fmt.Errorf("latency: row %d has %d entries, %d regions need as many", a, len(row), len(l.Latency))
		}
		for b, t := range row {
			if t < 0 || t > maxDelay {
				return fmt.Errorf("latency: %d ns from region %d to %d is not in 0 to %d", t, a, b, maxDelay)
			}
		}
	}
	switch {
	case l.Jitter < 0 || l.Jitter > maxDelay:
		return fmt.Errorf("jitter: %d ns is not in 0 to %d", l.Jitter, maxDelay)
	case !(l.Loss >= 0 && l.Loss <= 1):
		return fmt.Errorf("loss: %g is not in 0 to 1", l.Loss)
	case l.HeaderBytes < 0 || l.HeaderBytes > maxBodyBytes:
		return fmt.Errorf("header: %d bytes is not in 0 to %d", l.HeaderBytes, maxBodyBytes)
	}
	return nil
}

// identities is how many there are, within what a node may have.
func (n *Node) identities() host.Identity {
	return host.Identity(min(max(n.Identities, 1), host.MaxIdentities))
}

func (n Node) validate(regions int, blockNs host.Time, roundTrip bool) error {
	switch {
	case n.Name == "":
		return errors.New("the name is empty")
	case n.Agent == nil && n.Fresh == nil:
		return errors.New("neither Agent nor Fresh is set")
	case n.Identities < 0 || n.Identities > host.MaxIdentities:
		return fmt.Errorf("%d identities, expected 0 to %d", n.Identities, host.MaxIdentities)
	case n.Fresh == nil && roundTrip:
		return errors.New("round trips need Fresh")
	case n.Region < 0 || n.Region >= regions:
		return fmt.Errorf("region %d, there are %d", n.Region, regions)
	case n.UpBps < 0 || n.DownBps < 0 || n.FLOPS < 0:
		return fmt.Errorf("uplink %d bit/s, downlink %d bit/s, %d FLOP/s: none may be negative",
			n.UpBps, n.DownBps, n.FLOPS)
	case n.BlockDelay < 0 || n.BlockDelay/blockNs >= maxDelayBlocks:
		return fmt.Errorf("block delay %d ns is not in 0 to %d blocks", n.BlockDelay, maxDelayBlocks)
	case n.Skew < -maxDelay || n.Skew > maxDelay:
		return fmt.Errorf("clock skew %d ns is beyond %d", n.Skew, maxDelay)
	case !(n.Loss >= 0 && n.Loss <= 1):
		return fmt.Errorf("loss %g is not in 0 to 1", n.Loss)
	}
	return n.Admission.Validate()
}
