package live

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"taolab/sim/chain"
)

// solo is a ledger of one machine: sim/chain behind a ticker.
type solo struct {
	mu      sync.Mutex
	state   *chain.State
	waiting [][]byte
	readers []chan Block
	blocks  []chain.Block
	refuse  error // of every transaction, while it is set
	lose    bool  // what is submitted
}

func newSolo(t testing.TB, g chain.Genesis) *solo {
	t.Helper()
	state, err := chain.New(g)
	if err != nil {
		t.Fatal(err)
	}
	return &solo{state: state}
}

func (l *solo) View() chain.View {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.View()
}

func (l *solo) Submit(_ context.Context, tx []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	if len(l.waiting) == 1000 {
		return fmt.Errorf("1000 transactions wait")
	}
	if !l.lose {
		l.waiting = append(l.waiting, tx)
	}
	return nil
}

func (l *solo) Blocks(ctx context.Context) <-chan Block {
	l.mu.Lock()
	defer l.mu.Unlock()
	blocks := make(chan Block, 1000)
	l.readers = append(l.readers, blocks)
	context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, r := range l.readers {
			if r == blocks {
				l.readers = append(l.readers[:i:i], l.readers[i+1:]...)
				close(blocks)
			}
		}
	})
	return blocks
}

// next makes a block of all that waits.
func (l *solo) next() Block {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := Block{Block: chain.Block{Height: l.state.Height() + 1, Begin: chain.Begin{TimeNs: time.Now().UnixNano()}}}
	seen := map[string]bool{}
	for _, tx := range l.waiting {
		if !seen[string(tx)] { // or it was offered again
			seen[string(tx)] = true
			b.Txs = append(b.Txs, tx)
		}
	}
	l.waiting = nil
	var err error
	if b.Outcome, err = l.state.Run(b.Block, nil); err != nil {
		panic(err)
	}
	b.Hash, b.View = b.Outcome.Digest, l.state.View()
	l.blocks = append(l.blocks, b.Block)
	for _, r := range l.readers {
		r <- b
	}
	return b
}

// recorded are all blocks so far.
func (l *solo) recorded() []chain.Block {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.blocks)
}

// tick makes blocks until ctx ends or the height is reached.
func (l *solo) tick(ctx context.Context, every time.Duration, last uint64) {
	t := time.NewTicker(every)
	defer t.Stop()
	for l.View().Height() < last {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			l.next()
		}
	}
}
