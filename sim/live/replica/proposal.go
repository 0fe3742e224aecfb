package replica

import (
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"errors"
	"math/bits"
	"slices"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"taolab/sim/chain"
)

// PrepareProposal chooses what goes into a block: by lanes, within them by tip per unit of work and then
// by arrival, each sender's in the order of nonces. What would be refused but pays is in; what belongs in no
// block is left out. The time in which a proposal is due is the one place where a clock decides.
func (a *application) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.mayGoOn(); err != nil {
		return nil, err
	}
	hash, err := a.before()
	if err != nil {
		return nil, err
	}
	b := chain.Block{
		Height: uint64(r.Height),
		Begin:  begin(hash, r.Time, r.ProposerAddress, extendedVotes(r.LocalLastCommit), r.Misbehavior),
	}
	fork := a.state.Fork()
	fork.BeginBlock(b.Begin)
	c := chooser{
		state: fork, verified: a.verified, deadline: time.Now().Add(a.proposalTime),
		bytesLeft: min(r.MaxTxBytes, maxProposalBytes),
	}
	params := fork.View().Params()
	c.workLeft = params.Hard.MaxBlockWork
	c.line(r.Txs)
	began := time.Now()
	c.choose()
	b.Txs = c.chosen
	outcome := chain.Outcome{Delivered: c.delivered, Events: fork.EndBlock()}
	a.metrics.took(applyStep, began)
	outcome.Digest = a.seal(fork)
	// So the proposer need not run its own proposal again.
	a.keep(&executed{block: b, state: fork, outcome: outcome})
	return &abci.ResponsePrepareProposal{Txs: c.chosen}, nil
}

// maxProposalBytes bounds a block of a ledger that has no bound of its own.
const maxProposalBytes = 1 << 20

// ProcessProposal rejects a block in which a transaction is inadmissible. It never errs: the engine would
// panic.
func (a *application) ProcessProposal(_ context.Context, r *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.judge(r); err != nil {
		a.log.Warn("proposal rejected", "height", r.Height, "reason", err)
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

var errTooLong = errors.New("more bytes of transactions than a block may have")

// judge runs a proposed block and says what is wrong with it.
func (a *application) judge(r *abci.RequestProcessProposal) error {
	if err := a.mayGoOn(); err != nil {
		return err
	}
	hash, err := a.before()
	if err != nil {
		return err
	}
	size := 0
	for _, tx := range r.Txs {
		size += len(tx) + bytesAround
	}
	if size > maxProposalBytes {
		return errTooLong
	}
	e, err := a.run(chain.Block{
		Height: uint64(r.Height), Txs: r.Txs,
		Begin: begin(hash, r.Time, r.ProposerAddress, votes(r.ProposedLastCommit), r.Misbehavior),
	})
	if err != nil {
		return err
	}
	for _, d := range e.outcome.Delivered {
		if d.Err != nil {
			return d.Err
		}
	}
	return nil
}

// chooser fills a proposal.
type chooser struct {
	state     *chain.State
	verified  *signatures
	deadline  time.Time
	bytesLeft int64
	workLeft  uint64 // 0: work costs nothing and is not bounded
	heads     candidates
	chosen    [][]byte
	delivered []chain.Delivered // what came of the chosen
}

// candidate is a transaction of the pool.
type candidate struct {
	tx      chain.Tx
	data    []byte
	arrival int
	lane    lane
	work    uint64
	next    []*candidate // of the same sender, by nonce
}

// line makes a queue of each sender's transactions.
func (c *chooser) line(txs [][]byte) {
	senders := map[chain.Key][]*candidate{}
	var order []chain.Key
	for i, data := range txs {
		tx, err := chain.DecodeTx(data)
		if err != nil {
			continue
		}
		if _, met := senders[tx.Signer]; !met {
			order = append(order, tx.Signer)
		}
		senders[tx.Signer] = append(senders[tx.Signer], &candidate{tx: tx, data: data, arrival: i, lane: laneOf(tx.Msg)})
	}
	for _, k := range order {
		line := senders[k]
		slices.SortStableFunc(line, func(a, b *candidate) int {
			return cmp.Or(cmp.Compare(a.tx.Nonce, b.tx.Nonce), -cmp.Compare(a.tx.TipRao, b.tx.TipRao))
		})
		c.push(line)
	}
}

// push puts the first of a line up for choice.
func (c *chooser) push(line []*candidate) {
	if len(line) == 0 {
		return
	}
	head := line[0]
	head.next = line[1:]
	head.work = max(c.state.WorkOf(head.tx), 1)
	heap.Push(&c.heads, head)
}

// choose delivers candidates until the block is full or time is up. First each lane gets its share of the
// work, then the lanes what is left, in their order.
func (c *chooser) choose() {
	all := c.workLeft
	var waiting []*candidate
	var used [lanes]uint64
	for c.heads.Len() > 0 && time.Now().Before(c.deadline) {
		h := heap.Pop(&c.heads).(*candidate)
		if all > 0 && used[h.lane]+h.work > all/100*lanePercent[h.lane] {
			waiting = append(waiting, h)
			continue
		}
		if c.deliver(h) {
			used[h.lane] += h.work
		}
	}
	for _, h := range waiting {
		heap.Push(&c.heads, h)
	}
	for c.heads.Len() > 0 && time.Now().Before(c.deadline) {
		c.deliver(heap.Pop(&c.heads).(*candidate))
	}
}

// deliver adds a transaction if it may be in the block, and puts up the next of its sender.
func (c *chooser) deliver(h *candidate) bool {
	if int64(len(h.data))+bytesAround > c.bytesLeft {
		return false
	}
	receipt, err := c.state.DeliverIf(h.tx, func() bool { return c.verified.good(h.tx, sha256.Sum256(h.data)) })
	switch {
	case err == nil:
		c.bytesLeft -= int64(len(h.data)) + bytesAround
		c.chosen = append(c.chosen, h.data)
		c.delivered = append(c.delivered, chain.Delivered{Receipt: receipt})
		c.push(h.next)
	case errors.Is(err, chain.NonceTooLow): // used, or another with this nonce was chosen
		c.push(h.next)
	}
	return err == nil // after any other refusal the sender's later nonces do not fit either
}

// bytesAround is what the engine's encoding adds to a transaction.
const bytesAround = 8

// candidates is a heap: what goes first into a block.
type candidates []*candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *candidates) Push(x any)   { *c = append(*c, x.(*candidate)) }

func (c candidates) Less(i, j int) bool {
	a, b := c[i], c[j]
	if a.lane != b.lane {
		return a.lane < b.lane
	}
	// tip per unit of work, without division
	aHigh, aLow := bits.Mul64(a.tx.TipRao, b.work)
	bHigh, bLow := bits.Mul64(b.tx.TipRao, a.work)
	return cmp.Or(cmp.Compare(bHigh, aHigh), cmp.Compare(bLow, aLow), a.arrival-b.arrival) < 0
}

func (c *candidates) Pop() any {
	old := *c
	x := old[len(old)-1]
	*c = old[:len(old)-1]
	return x
}
