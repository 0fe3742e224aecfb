package chain

import "taolab/sim/chain/fixed"

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
	values := make([]uint16, len(m.Values))
	for i, v := range m.Values {
		if v > 65535 {
			return refuse(WeightTooLarge, uint64(v), 65535)
		}
		values[i] = uint16(v)
	}
	fixed.UpscaleU16(values)
	if limit := s.params.MaxWeight; !onlySelf && limit < 65535 && !fixed.WithinLimit(values, limit) {
		return refuse(WeightAboveMaximum, largestShare(values), uint64(limit))
	}
	row := make([]WeightEntry, len(values))
	for i, v := range values {
		row[i] = WeightEntry{UID: UID(m.UIDs[i]), Weight: uint32(v)}
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
