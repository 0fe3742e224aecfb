package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"taolab/sim/chain"
)

// application is the ledger as the engine drives it. The engine calls it from four connections, of
// which only the one of the consensus changes anything.
type application struct {
	abci.BaseApplication
	genesis  Genesis
	store    *store
	log      *slog.Logger
	pool     *pool
	verified *signatures
	metrics  *metrics
	feed     *feed
	end      *ending
	parent   func(height uint64) (chain.Digest, error) // the hash of a block, from the engine's own store
	archive  bool
	halt     uint64 // the last height that the node commits; 0: none
	knows    uint32 // the newest version of the rules that it knows; 0: all that the program does
	// proposalTime bounds the making of a proposal.
	proposalTime time.Duration
	snaps        *snapshots

	newest atomic.Pointer[chain.View] // after the newest block
	shown  atomic.Pointer[tip]        // the newest block, for those who must not wait

	mu      sync.Mutex
	state   *chain.State // after the newest block
	tip     tip
	kept    []*executed // what proposals for the next block came to
	decided *executed   // the next block, to be committed
	fresh   bool        // nothing is in the store
}

// executed is a block and the fork that ran it.
type executed struct {
	block   chain.Block
	hash    chain.Digest
	state   *chain.State
	outcome chain.Outcome
}

const keptForks = 8

// adopt makes a state the newest, before the engine starts or after it has brought a state here.
func (a *application) adopt(s *chain.State, v chain.View, t tip, fresh bool) {
	a.state, a.tip, a.fresh = s, t, fresh
	a.kept = nil
	a.newest.Store(&v)
	a.shown.Store(&t)
	a.pool.renew(s.Fork(), v)
}

func (a *application) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &abci.ResponseInfo{Data: "taolab", AppVersion: uint64(a.state.View().Rules())}
	if !a.fresh {
		r.LastBlockHeight = int64(a.tip.height)
		r.LastBlockAppHash = a.tip.digest[:]
	}
	return r, nil
}

func (a *application) InitChain(_ context.Context, r *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, err := a.genesis.State()
	if err != nil {
		return nil, err
	}
	if r.ChainId != s.ChainID() || uint64(r.InitialHeight) != s.Height()+1 {
		return nil, fmt.Errorf("the engine starts %q at height %d, the genesis is of %q and height %d", r.ChainId,
			r.InitialHeight, s.ChainID(), s.Height()+1)
	}
	digest := s.Seal()
	v := s.View()
	a.adopt(s, v, tip{height: s.Height(), digest: digest}, true)
	answer := &abci.ResponseInitChain{ConsensusParams: engineParams(v), AppHash: digest[:]}
	for _, o := range v.Operators() {
		if o.Power > 0 {
			answer.Validators = append(answer.Validators, abci.Ed25519ValidatorUpdate(o.ConsensusKey[:], int64(o.Power)))
		}
	}
	return answer, nil
}

const (
	maxEngineBlockBytes = 4 << 20 // the ledger bounds its blocks itself; so a proposer sees the whole pool
	maxEvidenceBytes    = 1 << 18
)

// evidenceBlocks is for how long the ledger punishes: an epoch less than stake takes to leave.
func evidenceBlocks(p *chain.Params) int64 {
	blocks := int64(p.Hard.UnbondEpochs) * int64(p.TempoBlocks)
	return max(blocks-int64(p.TempoBlocks), 1)
}

// engineParams are the settings of the engine that the ledger decides.
func engineParams(v chain.View) *cmtproto.ConsensusParams {
	p := v.Params()
	return &cmtproto.ConsensusParams{
		Block:     &cmtproto.BlockParams{MaxBytes: maxEngineBlockBytes, MaxGas: -1},
		Evidence:  &cmtproto.EvidenceParams{MaxAgeNumBlocks: evidenceBlocks(&p), MaxAgeDuration: 1e9, MaxBytes: maxEvidenceBytes},
		Validator: &cmtproto.ValidatorParams{PubKeyTypes: []string{ed25519.KeyType}},
		Version:   &cmtproto.VersionParams{App: uint64(v.Rules())},
		Abci:      &cmtproto.ABCIParams{},
	}
}

// run executes a block on a fork, or finds the fork that did.
func (a *application) run(b chain.Block) (*executed, error) {
	for _, e := range a.kept {
		if e.block.Equal(b) {
			return e, nil
		}
	}
	fork := a.state.Fork()
	began := time.Now()
	outcome, err := fork.Execute(b, a.verified.good)
	if err != nil {
		return nil, err
	}
	a.metrics.took(applyStep, began)
	outcome.Digest = a.seal(fork)
	e := &executed{block: b, state: fork, outcome: outcome}
	a.keep(e)
	return e, nil
}

// seal hashes what a block changed.
func (a *application) seal(s *chain.State) chain.Digest {
	began := time.Now()
	defer a.metrics.took(sealStep, began)
	return s.Seal()
}

// keep remembers what a proposal for the next block came to, of so many.
func (a *application) keep(e *executed) {
	if len(a.kept) < keptForks {
		a.kept = append(a.kept, e)
	}
}

// before is the hash of the newest block: the next one begins with it.
func (a *application) before() (chain.Digest, error) {
	if a.fresh || a.tip.hash != (chain.Digest{}) {
		return a.tip.hash, nil
	}
	hash, err := a.parent(a.tip.height) // the state came from other nodes
	if err == nil {
		a.tip.hash = hash
	}
	return hash, err
}

// FinalizeBlock computes what a decided block does, or takes it from the fork of its proposal. It writes
// nothing: it may be asked again after a crash.
func (a *application) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	answer, err := a.finalize(r)
	if err != nil {
		return nil, a.end.stop(err)
	}
	return answer, nil
}

func (a *application) finalize(r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.mayGoOn(); err != nil {
		return nil, err
	}
	hash, err := a.before()
	if err != nil {
		return nil, err
	}
	e, err := a.run(chain.Block{
		Height: uint64(r.Height), Txs: r.Txs,
		Begin: begin(hash, r.Time, r.ProposerAddress, votes(r.DecidedLastCommit), r.Misbehavior),
	})
	if err != nil {
		return nil, fmt.Errorf("block %d cannot be executed: %w", r.Height, err)
	}
	e.hash = chain.Digest(r.Hash)
	a.decided = e
	return a.answer(e), nil
}

// answer is what the engine is told about a block.
func (a *application) answer(e *executed) *abci.ResponseFinalizeBlock {
	r := &abci.ResponseFinalizeBlock{AppHash: e.outcome.Digest[:]}
	for _, d := range e.outcome.Delivered {
		r.TxResults = append(r.TxResults, result(d))
	}
	for _, event := range e.outcome.Events {
		if seated, ok := event.(chain.Seated); ok {
			for _, c := range seated.Changes {
				r.ValidatorUpdates = append(r.ValidatorUpdates, abci.Ed25519ValidatorUpdate(c.Key[:], int64(c.Power)))
			}
		}
	}
	// The header of the next block names the version that this answer says.
	was, is := engineParams(*a.newest.Load()), engineParams(e.state.View())
	if *was.Version != *is.Version || *was.Evidence != *is.Evidence {
		r.ConsensusParamUpdates = is
	}
	return r
}

// Commit makes the decided block the newest: in the store first, for everybody then.
func (a *application) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	retain, err := a.commit()
	if err != nil {
		return nil, a.end.stop(err)
	}
	return &abci.ResponseCommit{RetainHeight: int64(retain)}, nil
}

// commit returns the lowest height of the blocks that have to stay.
func (a *application) commit() (retain uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.decided
	if e == nil {
		return 0, errors.New("the engine commits a block that it did not decide")
	}
	t := tip{e.block.Height, e.hash, e.outcome.Digest, e.block.Begin.TimeNs}
	since := *a.newest.Load()
	if a.fresh {
		since = chain.View{}
	}
	retain = a.retain(e)
	began := time.Now()
	if err := a.store.commit(e.state, since, t, e.block, retain); err != nil {
		return 0, err
	}
	a.metrics.took(commitStep, began)
	a.metrics.committed(e, *a.newest.Load())
	a.decided = nil
	view := e.state.View()
	a.feed.publish(Block{Block: e.block, Hash: t.hash, Outcome: e.outcome, View: view}, func() {
		a.adopt(e.state, view, t, false)
	})
	a.snaps.consider(a.state)
	if err := a.mayGoOn(); err != nil {
		a.end.announce(err)
	}
	return retain, nil
}

// retain is the lowest height of the blocks that have to stay; 0: all do.
func (a *application) retain(e *executed) uint64 {
	p := e.state.View().Params()
	most := max(uint64(evidenceBlocks(&p)), 2*a.snaps.every)
	if a.archive || e.block.Height <= most {
		return 0
	}
	return e.block.Height - most
}

// mayGoOn says why the node must not begin the next block.
func (a *application) mayGoOn() error {
	if err := a.state.Outdated(); err != nil {
		return &Halted{a.tip.height, err}
	}
	if rules := a.newest.Load().Rules(); a.knows > 0 && rules > a.knows {
		return &Halted{a.tip.height, fmt.Errorf("block %d has version %d of the rules, this program knows versions 1 to %d: "+
			"install one that knows it; it goes on from here", a.tip.height+1, rules, a.knows)}
	}
	if a.halt > 0 && a.tip.height >= a.halt {
		return &Halted{a.tip.height, fmt.Errorf("halt_height is %d: set a later one, or none, to go on", a.halt)}
	}
	return nil
}
