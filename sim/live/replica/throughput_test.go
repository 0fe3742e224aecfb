package replica

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	abci "github.com/cometbft/cometbft/abci/types"
	cmtconfig "github.com/cometbft/cometbft/config"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"

	"taolab/sim/chain"
)

var (
	throughput   = flag.Int("throughput", 0, "transfers of one run of TestThroughput...; 0 skips it")
	throughputOf = flag.String("throughput-of", "", "the one application that it measures, for a profile; empty: all")
)

// idle is an application that accepts everything and does nothing, but that it may check the one signature of
// a transaction, as every ledger has to.
type idle struct {
	abci.BaseApplication
	verified *signatures // nil: it checks nothing
	mu       sync.Mutex
	total    int
}

func (a *idle) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if a.verified != nil && r.Type == abci.CheckTxType_New {
		tx, err := chain.DecodeTx(r.Tx)
		if err != nil || !a.verified.good(tx, sha256.Sum256(r.Tx)) {
			return &abci.ResponseCheckTx{Code: 1}, nil
		}
	}
	return &abci.ResponseCheckTx{}, nil
}

func (a *idle) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	size := 0
	for i, tx := range r.Txs {
		if size += len(tx) + bytesAround; size > maxProposalBytes {
			return &abci.ResponsePrepareProposal{Txs: r.Txs[:i]}, nil
		}
	}
	return &abci.ResponsePrepareProposal{Txs: r.Txs}, nil
}

func (a *idle) ProcessProposal(context.Context, *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

func (a *idle) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.total += len(r.Txs)
	answer := &abci.ResponseFinalizeBlock{}
	for range r.Txs {
		answer.TxResults = append(answer.TxResults, &abci.ExecTxResult{})
	}
	return answer, nil
}

// runner is four nodes that take transactions.
type runner struct {
	submit func(node int, tx []byte) error
	final  func(node int) int // transactions in its blocks
	stop   func()
}

func ledgerRunner(t *testing.T, g Genesis) runner {
	nodes := startAll(t, testConfigs(t, g, 4))
	awaitHeight(t, nodes[0], 2, 20*time.Second)
	var mu sync.Mutex
	counts := make([]int, 4)
	for i, n := range nodes {
		blocks := n.Blocks()
		go func() {
			for b := range blocks.C {
				mu.Lock()
				for _, d := range b.Outcome.Delivered {
					if d.Err == nil && d.Refusal == nil {
						counts[i]++
					}
				}
				mu.Unlock()
			}
		}()
	}
	return runner{
		submit: func(i int, tx []byte) error { return nodes[i].Submit(ctx, tx) },
		final: func(i int) int {
			mu.Lock()
			defer mu.Unlock()
			return counts[i]
		},
		stop: func() { stopAll(t, nodes) },
	}
}

func idleRunner(t *testing.T, g Genesis, checks bool) runner {
	var apps []*idle
	var engines []*node.Node
	var stores []*store
	s, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range testConfigs(t, g, 4) {
		if err := os.MkdirAll(c.Dir+"/log", 0o700); err != nil {
			t.Fatal(err)
		}
		if c.FS == nil {
			c.FS = disk
		}
		db, err := openStore(c.FS, c.Dir+"/store", discard, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		signer, err := openSigner(c.ConsensusKey, c.FS, c.Dir, nil, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		app := &idle{}
		if checks {
			app.verified = newSignatures(g.ChainID, newMetrics())
		}
		e, err := node.NewNode(c.engine(), signer, &p2p.NodeKey{PrivKey: cmted25519.PrivKey(c.NodeKey)},
			proxy.NewConnSyncLocalClientCreator(app), func() (*types.GenesisDoc, error) {
				params := types.ConsensusParamsFromProto(*engineParams(s.View()))
				doc := &types.GenesisDoc{GenesisTime: g.Time, ChainID: g.ChainID, InitialHeight: 1, ConsensusParams: &params}
				for _, o := range s.View().Operators() {
					doc.Validators = append(doc.Validators, types.GenesisValidator{PubKey: cmted25519.PubKey(o.ConsensusKey[:]), Power: int64(o.Power)})
				}
				return doc, doc.ValidateAndComplete()
			}, func(c *cmtconfig.DBContext) (dbm.DB, error) {
				return dbm.NewPrefixDB(db.database(), []byte(c.ID+"/")), nil
			}, node.DefaultMetricsProvider(c.engine().Instrumentation), log.NewNopLogger())
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		apps, engines, stores = append(apps, app), append(engines, e), append(stores, db)
	}
	for engines[0].BlockStore().Height() < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	return runner{
		submit: func(i int, tx []byte) error {
			err := engines[i].Mempool().CheckTx(tx, nil, mempool.TxInfo{})
			if err == nil || errors.Is(err, mempool.ErrTxInCache) {
				return nil
			}
			return &Refused{err.Error()}
		},
		final: func(i int) int {
			apps[i].mu.Lock()
			defer apps[i].mu.Unlock()
			return apps[i].total
		},
		stop: func() {
			for i, e := range engines {
				e.Stop()
				e.Wait()
				stores[i].close()
			}
		},
	}
}

// pace is how fast transactions become final on all four nodes, and what one costs.
type pace struct {
	perSecond float64
	cpuMs     float64 // of all four nodes together, for 1,000 transactions: a busy machine moves it less
}

func (p pace) String() string {
	return fmt.Sprintf("%.0f/s (%.0f ms of CPU for 1,000)", p.perSecond, p.cpuMs)
}

// cpu is the time that the process has had on a processor.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (r runner) pace(t *testing.T, txs [][][]byte) pace {
	t.Helper()
	defer r.stop()
	total := 0
	began, used := time.Now(), cpu(t)
	var wait sync.WaitGroup
	for i := range txs {
		total += len(txs[i])
		wait.Go(func() {
			for _, tx := range txs[i] {
				for {
					err := r.submit(i, tx)
					var full *Refused
					if err == nil {
						break
					}
					if !errors.As(err, &full) && !errors.Is(err, chain.NonceTooHigh) {
						t.Error(err)
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	wait.Wait()
	for i := range 4 {
		for r.final(i) < total {
			if time.Since(began) > 3*time.Minute {
				t.Fatalf("node %d has %d of %d transactions after %s", i, r.final(i), total, time.Since(began))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	thousands := float64(total) / 1000
	return pace{1000 * thousands / time.Since(began).Seconds(), 1000 * (cpu(t) - used).Seconds() / thousands}
}

func TestThroughputIsNearThatOfAnIdleApplication(t *testing.T) {
	if *throughput == 0 {
		t.Skip("a measurement: ask for it with -throughput 20000")
	}
	const users = 200
	g := testGenesis(t, 4, users, time.Second, nil)
	txs := make([][][]byte, 4)
	for nonce := range *throughput / users {
		for u := range users {
			txs[u%4] = append(txs[u%4], signedTransfer(t, g.ChainID, "user"+strconv.Itoa(u), uint64(nonce), 1000, 0, 1))
		}
	}
	kinds := []struct {
		name  string
		start func() runner
	}{
		{"idle application", func() runner { return idleRunner(t, g, false) }},
		{"idle application that checks a signature", func() runner { return idleRunner(t, g, true) }},
		{"ledger", func() runner { return ledgerRunner(t, g) }},
	}
	measured := make([][]pace, len(kinds))
	for range 3 {
		for i, k := range kinds {
			if *throughputOf != "" && *throughputOf != k.name {
				continue
			}
			p := k.start().pace(t, txs)
			t.Logf("%s: %s", k.name, p)
			measured[i] = append(measured[i], p)
		}
	}
	if *throughputOf != "" {
		return
	}
	var median []pace
	for _, list := range measured {
		slices.SortFunc(list, func(a, b pace) int { return cmp.Compare(a.perSecond, b.perSecond) })
		median = append(median, list[1])
	}
	of := func(i int) float64 { return 100 * median[2].perSecond / median[i].perSecond }
	t.Logf("medians: %s, %s, %s: the ledger has %.0f %% and %.0f %% of their rates", median[0], median[1], median[2], of(0), of(1))
	if of(1) < 85 {
		t.Errorf("the ledger has %.0f %% of the rate of an application that checks a signature, want 85 %%", of(1))
	}
}
