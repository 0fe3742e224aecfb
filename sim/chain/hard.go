package chain

import "fmt"

// Hard are the settings that make a ledger safe for strangers. With all of them zero the ledger is that
// of its era; each setting works on its own.
type Hard struct {
	StrictNonce     bool   // a transaction has the very nonce of its signer, a new account's begins with the height
	MaxExpiryBlocks uint64 // a transaction expires at most so many blocks after the next one; 0: any time
	FeeRao          uint64 // least price of a unit of work; 0: transactions cost nothing
	FeeRise         uint16 // the price moves by at most one such part in a block; 0: never
	FeeRecycled     bool   // fees leave the issuance, so that they are minted again
	MaxBlockWork    uint64 // units in a block, if work costs anything
	MaxBlockBytes   uint32 // of transactions in a block, if work costs anything

	Seats             uint16 // validators of the network itself; 0: it has none of its own
	MinSeatRao        uint64 // of stake that a seat needs
	ChurnDen          uint16 // an epoch moves at most one such part of all power; 0: any
	JailWindow        uint16 // blocks in which a seat has to be there; 0: nobody is jailed for being away
	JailSigned        uint16 // share of them
	JailEpochs        uint16 // before who was away may come back
	SlashEquivocation uint16 // share of its stake that who signs twice loses
	UnbondEpochs      uint16 // that stake takes to leave a hotkey; 0: it leaves at once
	WarmStake         bool   // stake counts from the next epoch on

	ExistentialRao   uint64 // that an account holds which nothing else needs; 0: anything
	MinNominationRao uint64 // that a nominator has on a delegate; 0: anything
	ServeBlocks      uint64 // between two of a hotkey's endpoints
	ResetBlocks      uint64 // between two resets of the bonds in it
	TakeBlocks       uint64 // between two raises of its take
	Consent          bool   // hotkeys and consensus keys agree by signatures to whom they belong
	SoundKeys        bool   // keys that enter the ledger are points that somebody may sign for
	HashEntropy      bool   // proofs of work seal the hashes that BeginBlock is told
	SwapRao          uint64 // that a change of a hotkey burns
	HotSwapBlocks    uint64 // between two changes of a hotkey; 0: hotkeys never change
	VoteDelayBlocks  uint64 // that what the council agreed on waits; 0: a governor governs, or nobody
	MoneyDelayBlocks uint64 // the same about money, the council itself and upgrades
	ParamEpochs      uint16 // between two changes of one parameter
}

// layout codes the settings: one zero byte if all are zero, else one and the settings.
func (h *Hard) layout(c *coder) {
	is := *h != Hard{}
	c.flag(&is)
	if !is {
		return
	}
	c.flag(&h.StrictNonce)
	c.u64(&h.MaxExpiryBlocks)
	c.u64(&h.FeeRao)
	c.u16(&h.FeeRise)
	c.flag(&h.FeeRecycled)
	c.u64(&h.MaxBlockWork)
	c.u32(&h.MaxBlockBytes)
	c.u16(&h.Seats)
	c.u64(&h.MinSeatRao)
	c.u16(&h.ChurnDen)
	c.u16(&h.JailWindow)
	c.u16(&h.JailSigned)
	c.u16(&h.JailEpochs)
	c.u16(&h.SlashEquivocation)
	c.u16(&h.UnbondEpochs)
	c.flag(&h.WarmStake)
	c.u64(&h.ExistentialRao)
	c.u64(&h.MinNominationRao)
	c.u64(&h.ServeBlocks)
	c.u64(&h.ResetBlocks)
	c.u64(&h.TakeBlocks)
	c.flag(&h.Consent)
	c.flag(&h.SoundKeys)
	c.flag(&h.HashEntropy)
	c.u64(&h.SwapRao)
	c.u64(&h.HotSwapBlocks)
	c.u64(&h.VoteDelayBlocks)
	c.u64(&h.MoneyDelayBlocks)
	c.u16(&h.ParamEpochs)
	if c.reading && c.err == nil && *h == (Hard{}) {
		c.err = errCanonical
	}
}

func (h *Hard) validate() error {
	if h.ExistentialRao != 0 && !h.StrictNonce { // or who comes back signs his old transactions again
		return fmt.Errorf("Hard.ExistentialRao %d without Hard.StrictNonce: accounts that are removed want it",
			h.ExistentialRao)
	}
	if h.FeeRao == 0 {
		return nil
	}
	for _, r := range []struct {
		field        string
		have, lo, hi uint64
	}{
		{"Hard.FeeRao", h.FeeRao, 1, maxFeeRao},
		{"Hard.MaxBlockWork", h.MaxBlockWork, leastMaxBlock, 1 << 40},
		{"Hard.MaxBlockBytes", uint64(h.MaxBlockBytes), MaxTxBytes, 1 << 30},
	} {
		if r.have < r.lo || r.have > r.hi {
			return &RangeError{r.field, r.have, r.lo, r.hi}
		}
	}
	return nil
}

// With strict nonces the first of an account is the height of the block that makes it, above bits for
// the transactions of that block, so a transaction from before an account was removed never fits again.
const (
	nonceBits   = 20
	nonceBlocks = 1 << (64 - nonceBits - 1) // beyond which first nonces grow no more
)

// firstNonce is the first nonce of an account that is made in the block after a height.
func (p *Params) firstNonce(height uint64) uint64 {
	if !p.Hard.StrictNonce {
		return 0
	}
	return min(height+1, nonceBlocks) << nonceBits
}

// nonceOf is the smallest nonce that the next transaction of a key may have in the block after a height.
func (t accounts) nonceOf(k Key, p *Params, height uint64) uint64 {
	to := pathOf(k)
	if a := t.find(&k, &to); a != nil {
		return a.nonce
	}
	return p.firstNonce(height)
}

// timely checks nonce and expiry of a transaction.
func (s *State) timely(tx Tx) error {
	block, h := s.height+1, &s.params.Hard
	if block > tx.Expiry {
		return refuse(Expired, block, tx.Expiry)
	}
	if most := h.MaxExpiryBlocks; most != 0 && tx.Expiry-block > most {
		return refuse(ExpiryTooFar, tx.Expiry, block+most)
	}
	next := s.Nonce(tx.Signer)
	const highest = 1<<64 - 2
	switch {
	case tx.Nonce < next:
		return refuse(NonceTooLow, tx.Nonce, next)
	case tx.Nonce > highest:
		return refuse(NonceTooHigh, tx.Nonce, highest)
	case h.StrictNonce && tx.Nonce > next:
		return refuse(NonceAhead, tx.Nonce, next)
	}
	return nil
}
