package replica

import (
	"context"
	"errors"
	"testing"
	"time"

	"taolab/sim/chain"
)

func TestANodeMakesItsFirstBlockInASecondAndIncludesWhatIsSubmitted(t *testing.T) {
	began := time.Now()
	g := testGenesis(t, 1, 2, 200*time.Millisecond, nil)
	c := testConfig(t, g, 0)
	n := start(t, c)
	blocks := n.Blocks()
	await(t, blocks, time.Second, func(Block) bool { return true })
	t.Logf("first block %s after nothing", time.Since(began))
	tx := transfer(t, g.ChainID, "user0", 0, n.View().Height(), public("user1"))
	if err := n.Submit(ctx, tx); err != nil {
		t.Fatal(err)
	}
	b := await(t, blocks, 5*time.Second, func(b Block) bool { return len(b.Txs) > 0 })
	if d := b.Outcome.Delivered[0]; d.Err != nil || d.Refusal != nil || d.FeeRao == 0 {
		t.Errorf("the transfer came to %+v", d)
	}
	if rao := b.View.FreeOf(public("user1")); rao != 100*chain.RaoPerTAO+1_000_000 {
		t.Errorf("the receiver has %d rao", rao)
	}
	if err := n.Submit(ctx, transfer(t, g.ChainID, "nobody", 0, b.Height, public("user1"))); !errors.Is(err, chain.NonceTooLow) {
		t.Errorf("from an account without money: %v", err)
	}
	if err := n.Submit(ctx, tx); !errors.Is(err, chain.NonceTooLow) {
		t.Errorf("what is in a block already: %v", err)
	}
	stop(t, n)
	n = start(t, c)
	defer stop(t, n)
	if v := n.View(); v.Height() < b.Height || v.FreeOf(public("user1")) != 100*chain.RaoPerTAO+1_000_000 {
		t.Errorf("after a restart: height %d, the receiver has %d rao", v.Height(), v.FreeOf(public("user1")))
	}
	again := n.Blocks()
	from := again.From.Height()
	if b := await(t, again, 5*time.Second, func(Block) bool { return true }); b.Height != from+1 {
		t.Errorf("the first block after %d is %d", from, b.Height)
	}
}

// The engine holds its pool while it commits, which on a broken store never ends.
func TestASubmitterIsNotHeldByACommitThatNeverEnds(t *testing.T) {
	g := testGenesis(t, 1, 1, time.Hour, nil)
	n := start(t, testConfig(t, g, 0))
	defer stop(t, n)
	pool := n.engine.Mempool()
	pool.Lock()
	hurried, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- n.Submit(hurried, transfer(t, g.ChainID, "user0", 0, 0, public("cold0"))) }()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it is told %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits on after its time")
	}
	pool.Unlock()
}
