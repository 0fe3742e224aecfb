package replica

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtconfig "github.com/cometbft/cometbft/config"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	blockstore "github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"
	"github.com/prometheus/client_golang/prometheus"

	"taolab/sim/chain"
)

// Config says what a node is.
type Config struct {
	Genesis        Genesis
	Dir            string                // of its own, for all that it keeps
	ConsensusKey   ed25519.PrivateKey    // signs votes, where an operator serves it
	NodeKey        ed25519.PrivateKey    // names the node to its peers, see PeerID
	Listen         string                // host:port for peers; port 0: any that is free
	RPC            string                // host:port of the engine's own interface, of which state sync needs one; empty: none
	Peers          []string              // PeerID@host:port, always kept connected
	Discover       bool                  // learn of more peers from peers; nodes on one machine want false
	StateSync      *StateSync            // fetch a state in place of all blocks; nil: do not
	Archive        bool                  // keep all blocks, for replay; else only those that may still matter
	SnapshotBlocks uint64                // between two snapshots for others; 0: 1000
	HaltHeight     uint64                // stop after this block; 0: do not
	FS             vfs.FS                // of the store; nil: the machine's
	Log            *slog.Logger          // nil: none
	Metrics        prometheus.Registerer // for the node's figures; nil: none

	knows uint32 // the newest version of the rules that an older program knew; 0: this one's
}

// StateSync says whom to ask for a state and what to trust.
type StateSync struct {
	Servers []string // host:port of the RPC of two or more nodes
	Height  uint64   // of a block that is known to be right
	Hash    chain.Digest
}

// Node is one replica.
type Node struct {
	config Config
	app    *application
	store  *store
	end    *ending
	feed   *feed

	mu      sync.Mutex
	engine  *node.Node
	started bool

	readers sync.RWMutex // held while others than the engine read from the store
	closed  bool         // the store is
}

// PeerID is the name of the node that has a node key.
func PeerID(key ed25519.PrivateKey) string {
	return string(p2p.PubKeyToID(cmted25519.PrivKey(key).PubKey()))
}

// Open opens the stores of a node and brings the ledger to the newest block in them.
func Open(c Config) (*Node, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.FS == nil {
		c.FS = vfs.Default
	}
	if c.SnapshotBlocks == 0 {
		c.SnapshotBlocks = 1000
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.choosePorts(); err != nil {
		return nil, err
	}
	if err := errors.Join(makeFolder(c.FS, c.Dir), os.MkdirAll(filepath.Join(c.Dir, "log"), 0o700)); err != nil {
		return nil, fmt.Errorf("folder of the node: %w", err)
	}
	n := &Node{config: c, end: newEnding(c.Log), feed: &feed{all: map[*Subscription]bool{}}}
	opened := make(chan error, 1)
	go func() { opened <- n.open() }()
	var err error
	select {
	case err = <-opened:
	case <-n.end.failed:
		select {
		case err = <-opened:
		case <-time.After(stopPatience): // a store that is broken holds its writers for ever
			err = n.Err()
		}
	}
	switch why := n.Err(); {
	case err == nil:
		return n, nil
	case why != nil: // in the node's own words
		return nil, fmt.Errorf("the node in %s cannot go on from its newest block: %w", c.Dir, why)
	}
	return nil, err
}

func (c *Config) check() error {
	if len(c.ConsensusKey) != ed25519.PrivateKeySize || len(c.NodeKey) != ed25519.PrivateKeySize {
		return fmt.Errorf("keys of %d and %d bytes for consensus and node: want ed25519 keys of %d", len(c.ConsensusKey),
			len(c.NodeKey), ed25519.PrivateKeySize)
	}
	if c.Dir == "" || c.Listen == "" {
		return errors.New("a node needs a folder of its own and an address to listen on")
	}
	return c.Genesis.check()
}

// broken takes note that the store accepts no more writes.
func (n *Node) broken(err error) {
	n.end.announce(fmt.Errorf("the store of the node is broken, its blocks up to the last one are whole: %w: give it room or "+
		"another disk, and start it again", err))
}

// open opens the store and makes ledger and engine over it.
func (n *Node) open() (err error) {
	c := &n.config
	n.store, err = openStore(c.FS, filepath.Join(c.Dir, "store"), c.Log, n.broken)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.store.close())
		}
	}()
	state, newest, err := n.store.load()
	if err != nil {
		return err
	}
	fresh := state == nil
	if !fresh && n.engineEmpty() { // a crash while a state was fetched: the engine begins again
		if err := n.store.forget(); err != nil {
			return err
		}
		fresh = true
	}
	if fresh {
		if state, err = c.Genesis.State(); err != nil {
			return err
		}
		newest = tip{height: state.Height(), digest: state.Seal()}
	}
	if state.ChainID() != c.Genesis.ChainID {
		return fmt.Errorf("%s has the chain %q, the genesis is of %q: use the genesis that the node started with, or an "+
			"empty folder", c.Dir, state.ChainID(), c.Genesis.ChainID)
	}
	arriving := chunks{fs: c.FS, dir: filepath.Join(c.Dir, chunksFolder)}
	if err := c.emptyChunks(&arriving); err != nil {
		return err
	}
	figures := newMetrics()
	verified := newSignatures(state.ChainID(), figures)
	settings := c.engine()
	n.app = &application{
		genesis: c.Genesis, store: n.store, log: c.Log, pool: newPool(verified, figures), verified: verified, feed: n.feed, metrics: figures,
		end: n.end, archive: c.Archive, halt: c.HaltHeight, knows: c.knows, snaps: &snapshots{every: c.SnapshotBlocks, log: c.Log, chunks: arriving},
		proposalTime: settings.Consensus.TimeoutPropose / 2, parent: n.hashAt,
	}
	n.app.adopt(state, state.View(), newest, fresh)
	if err := n.app.mayGoOn(); err != nil {
		return err // before the engine, which would replay the next block
	}
	signer, err := openSigner(c.ConsensusKey, c.FS, c.Dir, n.unsigned, n.end.announce)
	if err != nil {
		return err
	}
	if n.engine, err = n.makeEngine(settings, signer); err != nil {
		return fmt.Errorf("the engine of %q cannot begin: %w: if the disk is sound, join again with an empty folder", c.Genesis.ChainID, err)
	}
	n.end.opening.Store(false)
	n.end.fetching = n.engine.ConsensusReactor().WaitSync
	if c.Metrics != nil {
		return figures.register(c.Metrics, n)
	}
	return nil
}

// emptyChunks removes what a node that was killed left of a state, and makes the engine's folder for another.
func (c *Config) emptyChunks(own *chunks) error {
	err := errors.Join(own.begin(0), os.RemoveAll(own.dir))
	if c.StateSync != nil {
		err = errors.Join(err, os.MkdirAll(own.dir, 0o700))
	}
	return err
}

// makeEngine makes the engine, which replays the blocks that the ledger does not have yet. It panics where
// they do not fit.
func (n *Node) makeEngine(settings *cmtconfig.Config, signer types.PrivValidator) (engine *node.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			said := strings.Join(strings.Fields(fmt.Sprint(r)), " ") // it ends with whole states
			err = fmt.Errorf("its blocks and the ledger do not fit: %.200s", said)
		}
	}()
	return node.NewNode(settings, signer, &p2p.NodeKey{PrivKey: cmted25519.PrivKey(n.config.NodeKey)},
		proxy.NewConnSyncLocalClientCreator(n.app), n.genesisDoc, n.database,
		node.DefaultMetricsProvider(settings.Instrumentation), engineLogger{n.config.Log, n.end})
}

// engineEmpty reports whether the engine knows of no state.
func (n *Node) engineEmpty() bool {
	s, err := sm.NewStore(dbm.NewPrefixDB(n.store.database(), []byte("state/")), sm.StoreOptions{}).Load()
	return err == nil && s.IsEmpty()
}

// doubleSignBlocks is how many of the newest blocks are searched for votes of a key that has no record of
// what it signed.
const doubleSignBlocks = 1000

// unsigned returns an error if the consensus key signed blocks before a height, of which this folder knows
// nothing: another node has the key, or the folder was emptied.
func (n *Node) unsigned(height int64) error {
	address := cmted25519.PrivKey(n.config.ConsensusKey).PubKey().Address()
	for h := height - 1; h > max(height-doubleSignBlocks, 0); h-- {
		c := n.engine.BlockStore().LoadSeenCommit(h)
		if c == nil {
			continue
		}
		for _, s := range c.Signatures {
			if s.BlockIDFlag == types.BlockIDFlagCommit && bytes.Equal(s.ValidatorAddress, address) {
				err := fmt.Errorf("the consensus key signed block %d, of which %s has no record: another node has the key, or "+
					"%s was deleted; stop the other node and restore the file, or serve a new consensus key", h, n.config.Dir,
					signedFile)
				n.end.announce(err)
				return err
			}
		}
	}
	return nil
}

func (n *Node) genesisDoc() (*types.GenesisDoc, error) {
	s, err := n.config.Genesis.State()
	if err != nil {
		return nil, err
	}
	params := types.ConsensusParamsFromProto(*engineParams(s.View()))
	digest := s.Seal()
	doc := &types.GenesisDoc{
		GenesisTime: n.config.Genesis.Time, ChainID: s.ChainID(), InitialHeight: int64(s.Height() + 1),
		ConsensusParams: &params, AppHash: digest[:],
	}
	return doc, doc.ValidateAndComplete()
}

func (n *Node) database(c *cmtconfig.DBContext) (dbm.DB, error) {
	return dbm.NewPrefixDB(n.store.database(), []byte(c.ID+"/")), nil
}

// hashAt is the hash of a block of which the engine has the votes. It is asked also while the engine is made,
// which replays blocks then.
func (n *Node) hashAt(height uint64) (chain.Digest, error) {
	db := dbm.NewPrefixDB(n.store.database(), []byte("blockstore/"))
	if c := blockstore.NewBlockStore(db).LoadSeenCommit(int64(height)); c != nil {
		return chain.Digest(c.BlockID.Hash), nil
	}
	return chain.Digest{}, fmt.Errorf("the hash of block %d is not known", height)
}

// Start lets the node talk to its peers, fetch the blocks that it misses, and vote.
func (n *Node) Start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.engine.Start(); err != nil {
		return fmt.Errorf("start of the node at %s: %w", n.config.Listen, err)
	}
	n.started = true
	return nil
}

// Stop ends the node and closes its stores. Nothing that it committed is lost, whether it is called or not.
func (n *Node) Stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.end.release()
	if n.started {
		n.started = false
		done := make(chan error, 1)
		go func() { // an engine whose store is broken waits for a write that never ends
			err := n.engine.Stop()
			n.engine.Wait()
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("stop of the node: %w", err)
			}
		case <-time.After(stopPatience):
			n.feed.close()
			return fmt.Errorf("stop of the node: it was not done after %s", stopPatience)
		}
	}
	n.feed.close()
	n.readers.Lock()
	defer n.readers.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	if err := n.store.close(); err != nil {
		return fmt.Errorf("stop of the node: %w", err)
	}
	return nil
}

const stopPatience = 10 * time.Second

// Failed is closed when the node must stop, for the reason that Err says.
func (n *Node) Failed() <-chan struct{} { return n.end.failed }

// Err says why the node must stop: a *Halted if it was meant to, nil if it need not.
func (n *Node) Err() error { return n.end.reason() }

// View is the ledger after the newest block.
func (n *Node) View() chain.View { return *n.app.newest.Load() }

// Blocks subscribes to the blocks after the newest.
func (n *Node) Blocks() *Subscription { return n.feed.subscribe(n.View) }

// Submit puts a transaction into the pool, from which it spreads. It is in the chain when a block has it, not
// before: a caller watches Blocks and submits it again where it does not come. A refusal is a *chain.Error,
// or a *Refused where the node has no room for it.
func (n *Node) Submit(ctx context.Context, tx []byte) error {
	done := make(chan error, 1)
	go func() { done <- n.submit(tx) }() // the pool is locked for as long as a commit takes
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) submit(tx []byte) error {
	answer := make(chan *abci.ResponseCheckTx, 1)
	err := n.engine.Mempool().CheckTx(tx, func(r *abci.ResponseCheckTx) { answer <- r }, mempool.TxInfo{})
	switch {
	case errors.Is(err, mempool.ErrTxInCache): // it waits, or was in a block
		return n.app.pool.pending(tx)
	case err != nil:
		return &Refused{err.Error()}
	}
	if r := <-answer; r.Code != abci.CodeTypeOK {
		return refusal(r.Code, r.Data, r.Log)
	}
	return nil
}

// Status is how a node is doing.
type Status struct {
	ChainID    string
	Height     uint64
	Time       time.Time // of the newest block; zero before the first
	CatchingUp bool      // it fetches blocks and does not vote yet
	Peers      int
	Address    string // host:port on which it listens
	RPC        string // that of the engine's own interface; empty: none
	PeerID     string
	Digest     chain.Digest
	Hash       chain.Digest // of the newest block, which a late node can trust; zero before the first
	Waiting    int          // transactions in the pool
	Stranger   string       // why a peer that was met last is of another network; empty: none was met
}

// Status says how the node is doing, also when it must stop or was stopped. It reads nothing from the store.
func (n *Node) Status() Status {
	t := n.app.shown.Load()
	s := Status{ChainID: n.config.Genesis.ChainID, Height: t.height, Digest: t.digest}
	s.CatchingUp, s.PeerID = n.end.fetching(), PeerID(n.config.NodeKey)
	s.Peers, s.Waiting = n.engine.Switch().Peers().Size(), n.engine.Mempool().Size()
	s.Hash, s.Address, s.RPC, s.Stranger = t.hash, n.config.Listen, n.config.RPC, n.end.strangerMet()
	if t.timeNs != 0 {
		s.Time = time.Unix(0, t.timeNs).UTC()
	}
	return s
}

// Record returns a block that the node keeps, with all that a replay needs.
func (n *Node) Record(height uint64) (b chain.Block, kept bool, err error) {
	err = n.read(func() error {
		b, kept, err = n.store.block(height)
		return err
	})
	return b, kept, err
}

var errStopped = errors.New("the node was stopped: open it again to read from its store")

// read lets f read from the store, which is not closed meanwhile. The gate of a closed store would end the
// caller's goroutine, as it ends the engine's.
func (n *Node) read(f func() error) error {
	n.readers.RLock()
	defer n.readers.RUnlock()
	if n.closed {
		return errStopped
	}
	return f()
}

// Export is the state after the newest block as canonical bytes, and its height.
func (n *Node) Export() (state []byte, height uint64, err error) {
	n.app.mu.Lock()
	fork := n.app.state.Fork()
	n.app.mu.Unlock()
	state, err = fork.AppendBinary(nil)
	return state, fork.Height(), err
}

// WriteRecord writes all blocks that the node keeps since the genesis, for chain.Replay. It needs a node that
// archives.
func (n *Node) WriteRecord(w io.Writer) error {
	s, err := n.config.Genesis.State()
	if err != nil {
		return err
	}
	record, err := chain.NewRecordWriter(w, s)
	if err != nil {
		return err
	}
	newest := *n.app.shown.Load()
	for h := s.Height() + 1; h <= newest.height; h++ {
		var b chain.Block
		var after chain.Digest
		if err := n.read(func() error {
			var kept, known bool
			b, kept, err = n.store.block(h)
			if after, known = n.digestAt(h, newest); err == nil && !(kept && known) {
				err = fmt.Errorf("block %d is not kept: only a node with archive = true since the genesis has all", h)
			}
			return err
		}); err != nil {
			return err
		}
		if err := record.Write(b, after); err != nil {
			return fmt.Errorf("record of block %d: %w", h, err)
		}
	}
	return nil
}

// digestAt is the digest of the state after a block: the next header has it.
func (n *Node) digestAt(height uint64, newest tip) (chain.Digest, bool) {
	if height == newest.height {
		return newest.digest, true
	}
	m := n.engine.BlockStore().LoadBlockMeta(int64(height + 1))
	if m == nil {
		return chain.Digest{}, false
	}
	return chain.Digest(m.Header.AppHash), true
}
