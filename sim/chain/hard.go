package chain

// Hard are the settings by which strangers can use a ledger together. All zero it is the ledger of its
// era; each of them is on by itself.
type Hard struct {
	StrictNonce     bool   // a transaction has the very nonce of its signer, a new account's begins with the height
	MaxExpiryBlocks uint64 // a transaction expires at most so many blocks after the next one; 0: any time
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
	if c.reading && c.err == nil && *h == (Hard{}) {
		c.err = errCanonical
	}
}

// With strict nonces the first of an account is the height of the block that makes it, above bits for
// the transactions of that block. So what an account signed before it was removed never fits again.
const (
	nonceBits   = 20
	nonceBlocks = 1 << (64 - nonceBits - 1) // beyond which first nonces grow no more
)

// firstNonce is that of an account which is made in the block after a height.
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
