package live

import (
	"context"

	"taolab/sim/chain"
	"taolab/sim/live/replica"
)

// Ledger is the chain as a world needs it: what it shows, where transactions go, and what became of them.
// All methods may be called from any goroutine.
type Ledger interface {
	// View is the state after the newest block.
	View() chain.View
	// Submit offers a transaction's bytes to the next blocks. Nil says that it waits for one; the error
	// is why it does not.
	Submit(ctx context.Context, tx []byte) error
	// Blocks hands over every block after the call, in order and without a gap, until ctx ends. Then, and
	// when the reader falls further behind than the ledger bears, the channel is closed.
	Blocks(ctx context.Context) <-chan Block
}

// Block is a committed block and what it brought about. Its parts are shared: nobody changes them.
type Block struct {
	chain.Block
	Hash    chain.Digest
	Outcome chain.Outcome
	View    chain.View // after it
}

// Replicated is the ledger that a replica keeps.
func Replicated(n *replica.Node) Ledger { return replicated{n} }

type replicated struct{ *replica.Node }

// Blocks is documented at Ledger.
func (r replicated) Blocks(ctx context.Context) <-chan Block {
	from := r.Node.Blocks()
	to := make(chan Block)
	go func() {
		defer close(to)
		defer from.Close()
		for {
			select {
			case b, ok := <-from.C:
				if !ok {
					return
				}
				select {
				case to <- Block(b):
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return to
}
