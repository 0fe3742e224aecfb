package chain

import "taolab/sim/chain/fixed"

// Apply applies a transaction to the block after Height. A rejected one, for which it returns an
// *Error, changes nothing.
func (s *State) Apply(tx Tx) error {
	if err := s.admissible(tx); err != nil {
		return err
	}
	var err error
	switch m := tx.Msg.(type) {
	case Register:
		err = s.register(tx.Signer, m)
	case AddStake:
		err = s.addStake(tx.Signer, m)
	case RemoveStake:
		err = s.removeStake(tx.Signer, m)
	case Transfer:
		err = s.transfer(tx.Signer, m)
	case SetWeights:
		err = s.applyWeights(tx.Signer, m)
	case ServeAxon:
		err = s.serveAxon(tx.Signer, m)
	default:
		err = refuse(MissingMessage, 0, 0)
	}
	if err != nil {
		return err
	}
	s.account(tx.Signer).nonce = tx.Nonce + 1
	s.mustConserve()
	return nil
}

// admissible checks what all transactions have in common.
func (s *State) admissible(tx Tx) error {
	if tx.Msg == nil {
		return refuse(MissingMessage, 0, 0)
	}
	if s.height+1 > tx.Expiry {
		return refuse(Expired, s.height+1, tx.Expiry)
	}
	if next := s.Nonce(tx.Signer); tx.Nonce < next {
		return refuse(NonceTooLow, tx.Nonce, next)
	}
	const highest = 1<<64 - 2
	if tx.Nonce > highest {
		return refuse(NonceTooHigh, tx.Nonce, highest)
	}
	if !tx.Verify(s.chainID) {
		return refuse(BadSignature, 0, 0)
	}
	return nil
}

// free checks that a coldkey can spend an amount.
func (s *State) free(coldkey Key, rao uint64) error {
	if have := s.accounts.get(coldkey).freeRao; have < rao {
		return refuse(InsufficientFree, have, rao)
	}
	return nil
}

// mayOwn checks that a hotkey is a coldkey's or nobody's yet.
func (s *State) mayOwn(coldkey, hotkey Key) error {
	if hotkey == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	if owner := s.accounts.get(hotkey).owner; owner != coldkey && owner != (Key{}) {
		return refuse(NotOwner, 0, 0)
	}
	return nil
}

func (s *State) addStake(coldkey Key, m AddStake) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	if err := s.mayOwn(coldkey, m.Hotkey); err != nil {
		return err
	}
	if err := s.free(coldkey, m.AmountRao); err != nil {
		return err
	}
	s.account(coldkey).freeRao -= m.AmountRao
	a := s.account(m.Hotkey)
	a.owner = coldkey
	a.stakeRao += m.AmountRao
	s.money.Free -= m.AmountRao
	s.money.Staked += m.AmountRao
	return nil
}

func (s *State) removeStake(coldkey Key, m RemoveStake) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	a := s.accounts.get(m.Hotkey)
	if a.owner != coldkey {
		return refuse(NotOwner, 0, 0)
	}
	if a.stakeRao < m.AmountRao {
		return refuse(InsufficientStake, a.stakeRao, m.AmountRao)
	}
	s.account(m.Hotkey).stakeRao -= m.AmountRao
	s.account(coldkey).freeRao += m.AmountRao
	s.money.Staked -= m.AmountRao
	s.money.Free += m.AmountRao
	return nil
}

func (s *State) transfer(coldkey Key, m Transfer) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	if m.To == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	if err := s.free(coldkey, m.AmountRao); err != nil {
		return err
	}
	s.account(coldkey).freeRao -= m.AmountRao
	s.account(m.To).freeRao += m.AmountRao
	return nil
}

func (s *State) serveAxon(hotkey Key, m ServeAxon) error {
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	if m.Axon == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	s.neuron(uid).axon = m.Axon
	return nil
}

// applyWeights stores the weights scaled such that the largest is 65535.
func (s *State) applyWeights(hotkey Key, m SetWeights) error {
	if len(m.Values) != len(m.UIDs) {
		return refuse(LengthMismatch, uint64(len(m.Values)), uint64(len(m.UIDs)))
	}
	if n := s.neurons.n; len(m.UIDs) > n {
		return refuse(TooManyWeights, uint64(len(m.UIDs)), uint64(n))
	}
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return refuse(NotRegistered, 0, 0)
	}
	onlySelf := len(m.UIDs) == 1 && UID(m.UIDs[0]) == uid
	if err := s.mayWeigh(uid, m.Version, onlySelf); err != nil {
		return err
	}
	if err := s.wellFormed(m.UIDs, onlySelf); err != nil {
		return err
	}
	values := append([]uint16(nil), m.Values...)
	fixed.UpscaleU16(values)
	if limit := s.params.MaxWeight; !onlySelf && limit < 65535 && !fixed.WithinLimit(values, limit) {
		return refuse(WeightAboveMaximum, largestShare(values), uint64(limit))
	}
	row := make([]WeightEntry, len(values))
	for i, v := range values {
		row[i] = WeightEntry{UID: UID(m.UIDs[i]), Weight: v}
	}
	s.setWeights(uid, row)
	s.neuron(uid).lastUpdate = s.height + 1
	return nil
}

// mayWeigh checks the neuron that sets weights.
func (s *State) mayWeigh(uid UID, version uint64, onlySelf bool) error {
	n, p := s.neurons.get(uid), &s.params
	if stake := s.accounts.get(n.hotkey).stakeRao; stake < p.StakeThresholdRao {
		return refuse(StakeBelowMinimum, stake, p.StakeThresholdRao)
	}
	if version < p.WeightsVersion {
		return refuse(VersionTooLow, version, p.WeightsVersion)
	}
	passed := s.height + 1 - n.lastUpdate
	if n.lastUpdate != 0 && passed < p.WeightsRateLimitBlocks {
		return refuse(RateLimited, passed, p.WeightsRateLimitBlocks)
	}
	if !n.permit && !onlySelf {
		return refuse(NoPermit, 0, 0)
	}
	return nil
}

// wellFormed checks the uids of a weight vector.
func (s *State) wellFormed(uids []uint16, onlySelf bool) error {
	clear(s.seen[:])
	for _, u := range uids {
		if int(u) < maxWeights && !s.firstSeen(UID(u)) {
			return refuse(DuplicateUID, uint64(u), 0)
		}
	}
	for _, u := range uids {
		if int(u) >= s.neurons.n {
			return refuse(UnknownUID, uint64(u), uint64(s.neurons.n))
		}
	}
	least := min(s.neurons.n, int(s.params.MinAllowedWeights))
	if len(uids) < least && !onlySelf {
		return refuse(TooFewWeights, uint64(len(uids)), uint64(least))
	}
	return nil
}

// largestShare is the largest of v in 1/65535 of their sum, rounded up.
func largestShare(v []uint16) uint64 {
	var largest, sum uint64
	for _, x := range v {
		largest = max(largest, uint64(x))
		sum += uint64(x)
	}
	return (largest*65535 + sum - 1) / max(sum, 1)
}
