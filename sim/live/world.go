package live

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
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
	byPeer  map[host.PeerID]*identity
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
		cfg: cfg.withDefaults(), byPeer: map[host.PeerID]*identity{}, byName: map[string]*node{},
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

// keepsBooks reports whether no crash may set an agent back.
func keepsBooks(a host.Agent) bool {
	_, keeps := a.(host.Bookkeeper)
	return keeps
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
	case len(cfg.Others) >= host.MaxIdentities:
		return fmt.Errorf("node %s has %d identities; expected at most %d", cfg.Name, len(cfg.Others)+1, host.MaxIdentities)
	case keepsBooks(cfg.Agent):
		return fmt.Errorf("node %s keeps books that no crash may set back (%T), and the live world saves states at intervals: "+
			"run it in a scenario", cfg.Name, cfg.Agent)
	}
	if err := cfg.Admission.Validate(); err != nil {
		return fmt.Errorf("node %s, admission: %w", cfg.Name, err)
	}
	n := &node{
		world: w, cfg: cfg, agent: cfg.Agent, log: w.log.With("node", cfg.Name), mail: newMailbox(),
		timers: map[host.TimerID]timer{}, calls: map[host.CallID]*call{}, served: map[host.CallID]*service{},
		open: map[signature]*submission{}, done: make(chan *task, 1), saving: make(chan struct{}, 1),
		coldkey: w.signer(cfg.Coldkey),
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.admission.Rules = cfg.Admission
	w.byName[cfg.Name] = n
	w.nodes = append(w.nodes, n)
	for _, of := range cfg.identities() {
		if err := w.addIdentity(n, uint32(i), of); err != nil {
			return err
		}
	}
	return nil
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

// Addr is where a node serves under its first identity; nil where it does not.
func (w *World) Addr(node string) net.Addr {
	if n := w.byName[node]; n != nil && n.ids[0].socket != nil {
		return n.ids[0].socket.Addr()
	}
	return nil
}

// clock is the time since the genesis.
func (w *World) clock() host.Time { return w.offset + host.Time(time.Since(w.started)) }

// release lets go of what New took hold of.
func (w *World) release() {
	for _, x := range w.identities() {
		x.release()
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
	for _, x := range w.identities() {
		if err := x.serve(); err != nil {
			return err
		}
	}
	return nil
}

// close stops the servers, all at once.
func (w *World) close() error {
	all := w.identities()
	errs := make([]error, len(all))
	var servers sync.WaitGroup
	for i, x := range all {
		if x.server != nil {
			servers.Go(func() { errs[i] = x.server.Stop() })
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
