package live

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// World is the agents of one process in real time. After New its methods may be called from any goroutine.
type World struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	pool    *pool
	nodes   []*node
	byPeer  map[host.PeerID]*node
	byName  map[string]*node
	signers map[chain.Key]*signer

	started time.Time // of the clock, which from there on never goes back
	offset  host.Time // of it from the genesis

	sight  atomic.Pointer[sight]
	offers chan offer
	own    ownTxs

	recording sync.Mutex
	chronicle *host.Chronicle // nil: rows of the chain are not recorded
}

// nodeName is the form of a node's name.
var nodeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// New makes the world and takes hold of the addresses where it serves. Nothing happens before Run, which
// is to be called.
func New(cfg Config) (*World, error) {
	w := &World{
		cfg: cfg.withDefaults(), byPeer: map[host.PeerID]*node{}, byName: map[string]*node{},
		signers: map[chain.Key]*signer{}, offers: make(chan offer, maxOffers), started: time.Now(),
	}
	w.own.open = map[signature]bool{}
	w.log = w.cfg.Log
	w.offset = host.Time(w.started.Sub(w.cfg.Genesis))
	var err error
	if w.metrics, err = newMetrics(w.cfg.Metrics); err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	if w.cfg.Dir != "" {
		if err := os.MkdirAll(w.cfg.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("live: the folder %s for saved states cannot be made: %w", w.cfg.Dir, err)
		}
	}
	for i := range w.cfg.Nodes {
		if err := w.addNode(i); err != nil {
			w.release()
			return nil, fmt.Errorf("live: %w", err)
		}
	}
	return w, nil
}

func (c Config) withDefaults() Config {
	c.Limits = c.Limits.WithDefaults()
	if c.Network == nil {
		c.Network = axon.TCP
	}
	if c.SaveEvery == 0 {
		c.SaveEvery = time.Minute
	}
	if c.JournalBytes == 0 {
		c.JournalBytes = defaultJournalBytes
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	if c.ExpiryBlocks == 0 {
		c.ExpiryBlocks = defaultExpiryBlocks
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// addNode gives a node its keys, its wire and its agent's state.
func (w *World) addNode(i int) error {
	cfg := w.cfg.Nodes[i]
	switch {
	case !nodeName.MatchString(cfg.Name):
		return fmt.Errorf("node %q: expected a name of at most 64 letters, digits, - and _", cfg.Name)
	case w.byName[cfg.Name] != nil:
		return fmt.Errorf("two nodes have the name %q", cfg.Name)
	case cfg.Agent == nil:
		return fmt.Errorf("node %s has no agent", cfg.Name)
	case len(cfg.Hotkey) != ed25519.PrivateKeySize:
		return fmt.Errorf("node %s has a hotkey of %d bytes; expected %d, ed25519", cfg.Name, len(cfg.Hotkey), ed25519.PrivateKeySize)
	}
	if err := cfg.Admission.Validate(); err != nil {
		return fmt.Errorf("node %s, admission: %w", cfg.Name, err)
	}
	if cfg.Axon == nil {
		cfg.Axon = cfg.Hotkey
	}
	n := &node{
		world: w, cfg: cfg, agent: cfg.Agent, log: w.log.With("node", cfg.Name), mail: newMailbox(),
		timers: map[host.TimerID]timer{}, calls: map[host.CallID]*call{}, served: map[host.CallID]*service{},
		open: map[signature]*submission{}, done: make(chan *task, 1), saving: make(chan struct{}, 1),
		hotkey: w.signer(cfg.Hotkey), coldkey: w.signer(cfg.Coldkey),
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.env = env{n}
	n.admission.Rules = cfg.Admission
	n.self = host.Self{Node: uint32(i), Peer: axon.KeyOf(cfg.Axon), Hotkey: n.hotkey.key}
	if n.coldkey != nil {
		n.self.Coldkey = n.coldkey.key
	}
	if other := w.byPeer[n.self.Peer]; other != nil {
		return fmt.Errorf("nodes %s and %s have the same axon key", other.cfg.Name, cfg.Name)
	}
	w.byPeer[n.self.Peer], w.byName[cfg.Name] = n, n
	w.nodes = append(w.nodes, n)
	var err error
	if n.client, err = axon.Dial(cfg.Axon, w.cfg.Network, w.cfg.Limits); err != nil {
		return fmt.Errorf("node %s: %w", cfg.Name, err)
	}
	if cfg.Listen != "" {
		if n.socket, err = w.cfg.Network.Listen(cfg.Listen); err != nil {
			return fmt.Errorf("node %s cannot serve at %s: %w: is another program there, or is the address another machine's?", cfg.Name, cfg.Listen, err)
		}
		if at := &n.cfg.Announce; at.IsValid() && at.Port() == 0 {
			*at = netip.AddrPortFrom(at.Addr(), portOf(n.socket))
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

// signer is the one of a private key; nil for none.
func (w *World) signer(private ed25519.PrivateKey) *signer {
	if private == nil {
		return nil
	}
	key := chain.Key(private.Public().(ed25519.PublicKey))
	if w.signers[key] == nil {
		w.signers[key] = &signer{private: private, key: key}
	}
	return w.signers[key]
}

// Addr is where a node serves; nil where it does not.
func (w *World) Addr(node string) net.Addr {
	if n := w.byName[node]; n != nil && n.socket != nil {
		return n.socket.Addr()
	}
	return nil
}

// clock is the time since the genesis.
func (w *World) clock() host.Time { return w.offset + host.Time(time.Since(w.started)) }

// release lets go of what New took hold of.
func (w *World) release() {
	for _, n := range w.nodes {
		if n.client != nil {
			n.client.Close()
		}
		if n.socket != nil && n.server == nil {
			n.socket.Close()
		}
	}
}

// ErrLedgerEnded says that the ledger hands out no more blocks.
var ErrLedgerEnded = errors.New("live: the ledger handed out no more blocks: it has stopped, or this process did not keep up with it")

// Run lets the agents live until ctx ends, an agent or a job panics, or the ledger ends. Then the servers
// take no more requests, the ones in service may end within Limits.StopTimeout, jobs that run do end, and
// the states are saved. It may be called once. The error is nil when ctx ended it and all was saved.
func (w *World) Run(parent context.Context) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	defer w.release()
	blocks := w.cfg.Ledger.Blocks(ctx)
	first := see(w.cfg.Ledger.View(), nil, nil, false)
	w.sight.Store(first)
	restored := make([]bool, len(w.nodes))
	for i, n := range w.nodes {
		n.sight = first
		defer n.cancel()
		var err error
		if restored[i], err = n.restore(); err == nil {
			err = n.begin()
		}
		if err != nil {
			return fmt.Errorf("live: %w", err)
		}
	}
	w.beginChronicle(first.view)
	defer w.endChronicle()
	w.pool = newPool(w.cfg.Workers, len(w.nodes))
	defer w.pool.stop()
	var others, nodes sync.WaitGroup
	others.Go(func() { w.offerAll(ctx) })
	others.Go(func() { stop(w.follow(ctx, blocks, first)) })
	errs := make([]error, len(w.nodes))
	for i, n := range w.nodes {
		nodes.Go(func() {
			if errs[i] = n.live(restored[i]); errs[i] != nil {
				stop(errs[i])
			}
		})
	}
	err := w.open()
	if err == nil {
		<-ctx.Done()
	}
	stop(err)
	w.log.Info("the world stops", "why", context.Cause(ctx))
	err = errors.Join(err, w.close())
	for _, n := range w.nodes {
		n.cancel()
	}
	nodes.Wait()
	others.Wait()
	err = errors.Join(append(errs, err)...)
	if err == nil && parent.Err() == nil {
		return context.Cause(ctx)
	}
	return err
}

// open lets the servers serve.
func (w *World) open() error {
	for _, n := range w.nodes {
		if n.socket == nil {
			continue
		}
		var err error
		n.server, err = axon.Serve(n.socket, axon.Service{Key: n.cfg.Axon, Admit: n.admit, Handle: n.answer, Limits: w.cfg.Limits})
		if err != nil {
			return fmt.Errorf("live: node %s: %w", n.cfg.Name, err)
		}
		n.log.Info("the node serves", "address", n.socket.Addr().String(), "peer", n.self.Peer.String())
	}
	return nil
}

// close stops the servers, all at once.
func (w *World) close() error {
	errs := make([]error, len(w.nodes))
	var servers sync.WaitGroup
	for i, n := range w.nodes {
		if n.server != nil {
			servers.Go(func() { errs[i] = n.server.Stop() })
		}
	}
	servers.Wait()
	return errors.Join(errs...)
}

// follow shows the nodes every block after the first sight.
func (w *World) follow(ctx context.Context, blocks <-chan Block, newest *sight) error {
	for b := range blocks {
		height := newest.view.Height()
		switch {
		case b.Height <= height:
			continue
		case b.Height > height+1:
			return fmt.Errorf("live: the ledger handed out block %d after block %d", b.Height, height)
		}
		newest = see(b.View, w.own.fates(&b), newest, len(b.Txs) == 0 && len(b.Outcome.Events) == 0)
		w.sight.Store(newest)
		w.metrics.height.Set(float64(b.Height))
		w.chronicleBlock(&b)
		for _, n := range w.nodes {
			n.mail.tell(newest)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrLedgerEnded
}
