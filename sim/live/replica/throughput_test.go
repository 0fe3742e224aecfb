package replica

import (
	"context"
	"errors"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
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

var throughput = flag.Int("throughput", 0, "transfers of one run of TestThroughput; 0 skips it")

// idle is an application that accepts everything and does nothing.
type idle struct {
	abci.BaseApplication
	mu    sync.Mutex
	total int
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

func idleRunner(t *testing.T, g Genesis) runner {
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

// rate is how many transactions a second are final on all four nodes.
func (r runner) rate(t *testing.T, txs [][][]byte) float64 {
	t.Helper()
	defer r.stop()
	total := 0
	began := time.Now()
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
	return float64(total) / time.Since(began).Seconds()
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
	var ledger, none []float64
	for range 3 {
		none = append(none, idleRunner(t, g).rate(t, txs))
		ledger = append(ledger, ledgerRunner(t, g).rate(t, txs))
		t.Logf("idle application %.0f/s, ledger %.0f/s", none[len(none)-1], ledger[len(ledger)-1])
	}
	slices.Sort(none)
	slices.Sort(ledger)
	share := ledger[1] / none[1]
	t.Logf("medians: idle application %.0f/s, ledger %.0f/s, %.0f %%", none[1], ledger[1], 100*share)
	if share < 0.85 {
		t.Errorf("the ledger has %.0f %% of the rate, want 85 %%", 100*share)
	}
}

// residentMiB is the memory of this process.
func residentMiB(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc/self/status to read the memory of the process from")
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kB / 1024
}
