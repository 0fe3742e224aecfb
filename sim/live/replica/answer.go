package replica

import (
	"encoding/binary"
	"errors"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"taolab/sim/chain"
)

// The engine's words for what the ledger says, and back.

// begin is what the ledger is told of a block. Addresses of the engine are those of the ledger.
func begin(before chain.Digest, at time.Time, proposer []byte, votes []chain.Vote, evidence []abci.Misbehavior) chain.Begin {
	b := chain.Begin{Hash: before, TimeNs: at.UnixNano(), Proposer: address(proposer), Votes: votes}
	for _, m := range evidence {
		b.Misbehavior = append(b.Misbehavior, chain.Misbehavior{
			Address: address(m.Validator.Address), Height: uint64(m.Height),
		})
	}
	return b
}

func address(b []byte) (a chain.Address) {
	copy(a[:], b)
	return a
}

// votes lists who took part in the decision about the block before. A vote for no block counts.
func votes(c abci.CommitInfo) (all []chain.Vote) {
	for _, v := range c.Votes {
		all = append(all, vote(v.Validator.Address, v.BlockIdFlag))
	}
	return all
}

func extendedVotes(c abci.ExtendedCommitInfo) (all []chain.Vote) {
	for _, v := range c.Votes {
		all = append(all, vote(v.Validator.Address, v.BlockIdFlag))
	}
	return all
}

func vote(a []byte, flag cmtproto.BlockIDFlag) chain.Vote {
	return chain.Vote{Address: address(a), Missed: flag == cmtproto.BlockIDFlagAbsent}
}

const (
	inadmissible = "inadmissible" // codespace of what belongs in no block
	undecodable  = 1 << 16        // code of what is no transaction at all
	poolRefusals = 1 << 17        // and above: codes of the pool
)

// result is what the engine keeps about a transaction of a block.
func result(d chain.Delivered) *abci.ExecTxResult {
	r := &abci.ExecTxResult{GasUsed: int64(d.Work), GasWanted: int64(d.Work)}
	switch {
	case d.Err != nil:
		r.Code, r.Data = coded(d.Err)
		r.Codespace = inadmissible
	case d.Refusal != nil:
		r.Code, r.Data = coded(d.Refusal)
	}
	return r
}

// coded is a refusal as a code and its numbers.
func coded(err error) (uint32, []byte) {
	var refusal *chain.Error
	if !errors.As(err, &refusal) {
		return undecodable, nil
	}
	b := binary.LittleEndian.AppendUint64(nil, refusal.Have)
	return uint32(refusal.Code), binary.LittleEndian.AppendUint64(b, refusal.Want)
}

// refusal is the error that was coded, with what was said about it.
func refusal(code uint32, data []byte, said string) error {
	switch {
	case code >= poolRefusals:
		return &Refused{said}
	case code >= undecodable || len(data) != 16:
		return errors.New(said)
	}
	return &chain.Error{
		Code: chain.Code(code), Have: binary.LittleEndian.Uint64(data), Want: binary.LittleEndian.Uint64(data[8:]),
	}
}

// Refused says that a transaction has no place in the pool now, though a block might include it.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return "the node's pool has no place for it: " + r.Reason }
