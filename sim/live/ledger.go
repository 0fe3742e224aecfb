package live

import (
	"context"

	"taolab/sim/chain"
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

// Block is what a block did. Its parts are shared: nobody changes them.
type Block struct {
	Height   uint64
	TimeNs   int64        // since the Unix epoch
	Digest   chain.Digest // of the state after it: the app hash
	Receipts []Receipt    // of its transactions, in order
	Events   []chain.Event
	View     chain.View // the state after it
}

// Receipt is what a block made of a transaction.
type Receipt struct {
	Tx     chain.Tx
	Bytes  int    // on the wire, signature included
	FeeRao uint64 // burned for it, the tip not included
	// Refusal is why it did nothing, whether it paid or belonged in no block; nil: it did what it asked for.
	Refusal error
}
