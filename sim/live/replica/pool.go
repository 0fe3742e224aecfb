package replica

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"

	"taolab/sim/chain"
)

// lane is a share of pool and blocks: what runs the network, what neurons do, and what moves money.
type lane int

const (
	systemLane lane = iota
	workLane
	moneyLane
	lanes
)

func (l lane) String() string { return [lanes]string{"system", "work", "money"}[l] }

// lanePercent is each lane's share. The others get the part of a block that a lane leaves.
var lanePercent = [lanes]uint64{5, 45, 50}

func laneOf(m chain.Msg) lane {
	switch m.(type) {
	case chain.Propose, chain.Approve, chain.Unjail, chain.ServeConsensus, chain.ProveConsensus, chain.SetParams:
		return systemLane
	case chain.SetWeights, chain.CommitWeights, chain.RevealWeights, chain.ServeAxon, chain.ResetBonds:
		return workLane
	}
	return moneyLane
}

const (
	poolTxs     = 30_000
	nonceWindow = 256 // gossip shuffles: a transaction may come before those with smaller nonces
)

// pool is what a node knows about transactions that wait: enough to let none in that could not pay. It is not
// part of the ledger, and made again from the engine's list after each block.
type pool struct {
	verified *signatures
	metrics  *metrics

	mu      sync.Mutex
	state   *chain.State // after the newest block; only read
	view    chain.View
	waiting map[place]waiter
	before  map[place]waiter     // who waited when the newest block came
	owed    map[chain.Key]uint64 // by payer: the most that those who wait may take
	errands map[errand]int
	count   [lanes]int
}

// place is where a transaction stands among its sender's.
type place struct {
	signer chain.Key
	nonce  uint64
}

// waiter is the transaction that has a place.
type waiter struct {
	hash   [32]byte
	lane   lane
	errand errand
	payer  chain.Key
	most   uint64 // that it may take from its payer
	tip    uint64
}

// errand is a kind of work of a hotkey, of which one may wait.
type errand struct {
	signer chain.Key
	kind   string
}

func newPool(verified *signatures, m *metrics) *pool { return &pool{verified: verified, metrics: m} }

// renew empties the pool after a block. The engine offers again what is left.
func (p *pool) renew(s *chain.State, v chain.View) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.view = s, v
	p.before = p.waiting
	p.waiting, p.owed, p.errands = make(map[place]waiter, len(p.before)), map[chain.Key]uint64{}, map[errand]int{}
	p.count = [lanes]int{}
}

// counts is how many wait in each lane.
func (p *pool) counts() [lanes]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// CheckTx reports whether a transaction may wait in the node's pool.
func (a *application) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	err := a.pool.admit(r.Tx, r.Type == abci.CheckTxType_Recheck)
	if err == nil {
		return &abci.ResponseCheckTx{}, nil
	}
	answer := &abci.ResponseCheckTx{Log: err.Error()}
	if refused, ok := err.(*Refused); ok {
		answer.Code, answer.Log = poolRefusals, refused.Reason
	} else {
		answer.Code, answer.Data = coded(err)
	}
	return answer, nil
}

func refuse(code chain.Code, have, want uint64) error {
	return &chain.Error{Code: code, Have: have, Want: want}
}

// admit checks in the order of cost: length, form, expiry, nonce, room, money, signature. A transaction that
// was admitted before has a good signature.
func (p *pool) admit(data []byte, again bool) error {
	tx, err := chain.DecodeTx(data)
	if err != nil {
		p.metrics.refused(noLane, err)
		return err
	}
	if err := p.queue(tx, data, again); err != nil {
		p.metrics.refused(laneOf(tx.Msg).String(), err)
		return err
	}
	return nil
}

// queue admits a transaction that decodes.
func (p *pool) queue(tx chain.Tx, data []byte, again bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.timely(tx); err != nil {
		return err
	}
	at := place{tx.Signer, tx.Nonce}
	w := waiter{hash: sha256.Sum256(data), lane: laneOf(tx.Msg), tip: tx.TipRao}
	if w.lane == workLane {
		w.errand = errand{tx.Signer, fmt.Sprintf("%T", tx.Msg)}
	}
	if last, known := p.before[at]; again && known && last.hash != w.hash {
		return &Refused{"a transaction with the same nonce and a larger tip took its place"}
	}
	rival, taken := p.waiting[at]
	switch {
	case taken && rival.hash == w.hash:
		return nil
	case taken && w.tip < dearer(rival.tip):
		return &Refused{fmt.Sprintf("another with nonce %d waits, which a tip of %d rao would replace", tx.Nonce,
			dearer(rival.tip))}
	case taken:
		p.leave(at, rival)
	}
	err := p.enter(at, tx, w)
	if err == nil && !again && !p.verified.good(tx, w.hash) {
		err = refuse(chain.BadSignature, 0, 0)
		p.leave(at, p.waiting[at])
	}
	if err != nil && taken {
		p.put(at, rival)
	}
	return err
}

// dearer is the least tip that takes the place of another.
func dearer(tipRao uint64) uint64 { return tipRao + max(tipRao/10, 1) }

// timely checks expiry and nonce as far as the pool's order is concerned.
func (p *pool) timely(tx chain.Tx) error {
	next, nonce := p.view.Height()+1, p.view.Nonce(tx.Signer)
	params := p.view.Params()
	switch most := next + params.Hard.MaxExpiryBlocks; {
	case tx.Expiry < next:
		return refuse(chain.Expired, next, tx.Expiry)
	case params.Hard.MaxExpiryBlocks > 0 && tx.Expiry > most:
		return refuse(chain.ExpiryTooFar, tx.Expiry, most)
	case tx.Nonce < nonce:
		return refuse(chain.NonceTooLow, tx.Nonce, nonce)
	case tx.Nonce-nonce >= nonceWindow:
		return refuse(chain.NonceTooHigh, tx.Nonce, nonce+nonceWindow-1)
	}
	return nil
}

// pending says why a transaction that was offered before does not wait any more.
func (p *pool) pending(data []byte) error {
	tx, err := chain.DecodeTx(data)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.timely(tx)
}

// enter gives a transaction its place, if there is room and its payer has the money for all that wait.
func (p *pool) enter(at place, tx chain.Tx, w waiter) error {
	if room := int(poolTxs / 100 * lanePercent[w.lane]); p.count[w.lane] >= room {
		return &Refused{fmt.Sprintf("%d of its lane wait", room)}
	}
	if w.lane == workLane && p.errands[w.errand] > 0 {
		return &Refused{"one of its kind by its hotkey waits"}
	}
	cost, err := p.state.CostOf(tx)
	if err != nil {
		return err
	}
	w.payer, w.most = cost.Payer, cost.MostRao
	if sum, over := bits.Add64(p.owed[w.payer], w.most, 0); over != 0 || sum > cost.FreeRao {
		return refuse(chain.InsufficientFree, cost.FreeRao, max(sum, w.most))
	}
	p.put(at, w)
	return nil
}

func (p *pool) put(at place, w waiter) {
	p.waiting[at] = w
	p.owed[w.payer] += w.most
	p.count[w.lane]++
	if w.lane == workLane {
		p.errands[w.errand]++
	}
}

func (p *pool) leave(at place, w waiter) {
	delete(p.waiting, at)
	p.owed[w.payer] -= w.most
	p.count[w.lane]--
	if w.lane == workLane {
		p.errands[w.errand]--
	}
}
