package chain

import "math/bits"

// Work is counted in units; checking a signature takes 40. It measures what a transaction costs the
// network; times the price of a unit it is what the payer pays.
const (
	baseWork      = 55 // a signature, decoding, a nonce, two accounts hashed
	bytesPerUnit  = 32 // of a transaction: hashed, passed on and kept
	hotkeyWork    = 10_000
	hotkeyPrices  = 16      // times FeeRao: the most that a hotkey's owner pays for a unit
	dearest       = 1 << 16 // times FeeRao: the most that a unit ever costs
	maxFeeRao     = 1 << 32 // of FeeRao, so that no fee passes 64 bits
	leastMaxBlock = 1 << 14 // of MaxBlockWork: room for the largest transaction
)

// workOf is the work of a transaction of so many bytes.
func (s *State) workOf(tx Tx, size int) uint64 {
	return baseWork + uint64(size)/bytesPerUnit + messages[tx.Msg.kind()].work(s, tx.Msg)
}

// transferWork is greater where the payment makes an account.
func (s *State) transferWork(m Transfer) uint64 {
	if to := pathOf(m.To); s.accounts.find(&m.To, &to) == nil {
		return 15
	}
	return 0
}

// joining is the work of a registration: every row with a weight on the slot is hashed again.
func joining[M Msg](s *State, _ M) uint64 { return 10 + uint64(s.neurons.n)/6 }

// nominationWork is that of a hotkey's nominations, which are hashed again.
func (s *State) nominationWork(hotkey Key) uint64 {
	return uint64(len(s.accounts.get(hotkey).nominations)) / 64
}

func (s *State) swapWork(m SwapHotkey) uint64 {
	return 60 + uint64(s.neurons.n)/64 + s.nominationWork(m.Old)
}

// payer is the key that pays for a message: its signer, or the owner of a hotkey that signs.
func (s *State) payer(tx Tx) (coldkey Key, byHotkey bool) {
	if messages[tx.Msg.kind()].signer == hotkeySigns {
		return s.accounts.get(tx.Signer).owner, true
	}
	return tx.Signer, false
}

// A charge is what a transaction that may be included costs.
type charge struct {
	coldkey  Key // who pays
	byHotkey bool
	work     uint64
	bytes    uint32
	feeRao   uint64
	tipRao   uint64
}

// chargeFor checks that a transaction fits into the block and that its payer can pay.
func (s *State) chargeFor(tx Tx) (charge, error) {
	h := &s.params.Hard
	if h.FeeRao == 0 {
		if tx.Priced {
			return charge{}, refuse(FeesOff, 0, 0)
		}
		return charge{}, nil
	}
	if !tx.Priced {
		return charge{}, refuse(FeesOn, 0, 0)
	}
	size := tx.size()
	c := charge{work: s.workOf(tx, size), bytes: uint32(size), tipRao: tx.TipRao}
	switch {
	case s.workUsed+c.work > h.MaxBlockWork:
		return c, refuse(BlockFull, s.workUsed+c.work, h.MaxBlockWork)
	case uint64(s.bytesUsed)+uint64(c.bytes) > uint64(h.MaxBlockBytes):
		return c, refuse(BlockFull, uint64(s.bytesUsed)+uint64(c.bytes), uint64(h.MaxBlockBytes))
	}
	if c.coldkey, c.byHotkey = s.payer(tx); c.byHotkey {
		if err := s.withinBudget(tx, c.work); err != nil {
			return c, err
		}
	}
	c.feeRao = s.unitPrice(c.byHotkey) * c.work
	total, over := bits.Add64(c.feeRao, c.tipRao, 0)
	if over != 0 || total > tx.MaxFeeRao {
		return c, refuse(FeeAboveMaximum, max(total, c.feeRao), tx.MaxFeeRao)
	}
	return c, s.free(c.coldkey, tx.MaxFeeRao)
}

// unitPrice is the price of a unit of work.
func (s *State) unitPrice(byHotkey bool) uint64 {
	if byHotkey {
		return min(s.priceRao, hotkeyPrices*s.params.Hard.FeeRao)
	}
	return s.priceRao
}

// withinBudget limits what a hotkey may spend of its owner's money: no tip, and little work an epoch, so
// that a stolen hotkey cannot drain the coldkey.
func (s *State) withinBudget(tx Tx, work uint64) error {
	a := s.accounts.get(tx.Signer)
	spent := a.spentSince(s.epochs + 1)
	switch {
	case a.owner == Key{}:
		return refuse(NoPayer, 0, 0)
	case tx.TipRao != 0:
		return refuse(TipByHotkey, tx.TipRao, 0)
	case spent+work > hotkeyWork:
		return refuse(BudgetSpent, spent+work, hotkeyWork)
	}
	return nil
}

// spentSince is the work that a hotkey's owner has paid for in an epoch; epochs are numbered from 1.
func (h *hotkey) spentSince(epoch uint64) uint64 {
	if h.spentIn != epoch {
		return 0
	}
	return h.spent
}

// collect charges for a transaction. A tip belongs to the proposer of the block; without a
// known proposer it is burned with the fee.
func (s *State) collect(tx Tx, c charge) {
	if s.params.Hard.FeeRao == 0 {
		return
	}
	s.collectDue(c.coldkey)
	rao := c.feeRao
	s.account(c.coldkey).freeRao -= rao + c.tipRao
	if to := s.tipTo(); to != (Key{}) {
		s.account(to).freeRao += c.tipRao
	} else {
		rao += c.tipRao
	}
	s.money.Free -= rao
	s.money.Burned += rao
	if s.params.Hard.FeeRecycled {
		s.money.Recycled += rao
	}
	s.workUsed += c.work
	s.bytesUsed += c.bytes
	if c.byHotkey {
		h, epoch := s.hotkey(tx.Signer), s.epochs+1
		h.spentIn, h.spent = epoch, h.spentSince(epoch)+c.work
	}
}

// movePrice moves the price of a unit at the end of a block toward the one at which blocks are half
// full.
func (s *State) movePrice() {
	s.priceRao = s.params.Hard.nextPrice(s.priceRao, s.workUsed)
	s.workUsed, s.bytesUsed = 0, 0
}

func (h *Hard) nextPrice(price, used uint64) uint64 {
	if h.FeeRao == 0 {
		return 0
	}
	if h.FeeRise == 0 {
		return h.FeeRao
	}
	target := h.MaxBlockWork / 2
	step := func(off uint64) uint64 {
		hi, lo := bits.Mul64(price, off)
		q, _ := bits.Div64(hi, lo, target) // off is at most target, or one more
		return max(q/uint64(h.FeeRise), 1)
	}
	switch {
	case used > target:
		price += step(min(used-target, target))
	case used < target:
		price -= min(step(target-used), price)
	}
	return min(max(price, h.FeeRao), dearest*h.FeeRao)
}

// PriceRao is what a unit of work costs in the next block; 0: nothing.
func (v View) PriceRao() uint64 { return v.header.priceRao }

// WorkOf is the work of a transaction in units, for its fee.
func (s *State) WorkOf(tx Tx) uint64 { return s.workOf(tx, tx.size()) }

// Cost is what a transaction takes from whom.
type Cost struct {
	Payer   Key
	FreeRao uint64 // that the payer can spend in the next block
	Work    uint64 // in units, where work costs anything
	FeeRao  uint64 // at the price of the next block, the tip not included
	MostRao uint64 // that the payer may lose by it: the most that it may cost, and what it moves
}

// CostOf says what a transaction costs in the next block, whatever its nonce, or why that has no room for
// it or nobody would pay: a pool's question.
func (s *State) CostOf(tx Tx) (Cost, error) {
	if tx.Msg == nil {
		return Cost{}, refuse(MissingMessage, 0, 0)
	}
	c, err := s.chargeFor(tx)
	if err != nil {
		return Cost{}, err
	}
	payer, _ := s.payer(tx)
	a := s.accounts.get(payer)
	cost := Cost{Payer: payer, FreeRao: a.freeRao + s.dueOf(&a), Work: c.work, FeeRao: c.feeRao}
	most, over := bits.Add64(tx.MaxFeeRao, s.moves(tx.Msg), 0)
	if over != 0 || most > cost.FreeRao {
		return cost, refuse(InsufficientFree, cost.FreeRao, max(most, tx.MaxFeeRao))
	}
	cost.MostRao = most
	return cost, nil
}

// moves is the free money that a message takes from who signs it.
func (s *State) moves(m Msg) uint64 {
	switch m := m.(type) {
	case Transfer:
		return m.AmountRao
	case AddStake:
		return m.AmountRao
	case Burn:
		return m.AmountRao
	case Recycle:
		return m.AmountRao
	case Register:
		return s.burnPriceRao
	case SwapHotkey:
		return s.params.Hard.SwapRao
	}
	return 0
}

// WorkOf is State.WorkOf as it is in the next block.
func (v View) WorkOf(tx Tx) uint64 { return v.pricing().WorkOf(tx) }
