package chain

import (
	"slices"

	"taolab/sim/chain/fixed"
)

// applyWeights replaces the weights of a hotkey's neuron.
func (s *State) applyWeights(hotkey Key, m SetWeights) error {
	if s.params.CommitReveal {
		return refuse(CommitRevealOn, 0, 0)
	}
	uid, row, err := s.weigh(hotkey, m)
	if err != nil {
		return err
	}
	s.setWeights(uid, row)
	s.neuron(uid).lastUpdate = s.height + 1
	return nil
}

// weigh checks weights, in the order of the codes from LengthMismatch on, and returns the row that
// they make.
func (s *State) weigh(hotkey Key, m SetWeights) (UID, []WeightEntry, error) {
	if len(m.Values) != len(m.UIDs) {
		return 0, nil, refuse(LengthMismatch, uint64(len(m.Values)), uint64(len(m.UIDs)))
	}
	if n := s.neurons.n; len(m.UIDs) > n {
		return 0, nil, refuse(TooManyWeights, uint64(len(m.UIDs)), uint64(n))
	}
	uid, ok := s.neurons.uidOf(hotkey)
	if !ok {
		return 0, nil, refuse(NotRegistered, 0, 0)
	}
	onlySelf := len(m.UIDs) == 1 && UID(m.UIDs[0]) == uid
	if err := s.mayWeigh(uid, m.Version, onlySelf); err != nil {
		return 0, nil, err
	}
	if err := s.wellFormed(m.UIDs, onlySelf); err != nil {
		return 0, nil, err
	}
	values, err := s.scaled(m.Values)
	if err != nil {
		return 0, nil, err
	}
	if err := s.withinLimits(m.UIDs, values, onlySelf); err != nil {
		return 0, nil, err
	}
	row := make([]WeightEntry, len(values))
	for i, v := range values {
		row[i] = WeightEntry{UID: UID(m.UIDs[i]), Weight: v}
	}
	return uid, row, nil
}

// mayWeigh checks the neuron that sets weights. With commit-reveal the rate limit is that of the
// commits.
func (s *State) mayWeigh(uid UID, version uint64, onlySelf bool) error {
	n, p := s.neurons.get(uid), &s.params
	owner := n.hotkey == s.owner && p.ownerIsNeuron()
	if stake := s.stakeOf(uid); stake < p.StakeThresholdRao && !owner {
		return refuse(StakeBelowMinimum, stake, p.StakeThresholdRao)
	}
	if version < p.WeightsVersion {
		return refuse(VersionTooLow, version, p.WeightsVersion)
	}
	if !p.CommitReveal {
		if err := s.inTime(n); err != nil {
			return err
		}
	}
	if !n.permit && !onlySelf && !owner && !p.nakamoto() {
		return refuse(NoPermit, 0, 0)
	}
	return nil
}

// inTime checks the rate limit of weights and of commits.
func (s *State) inTime(n *neuron) error {
	passed := s.height + 1 - n.lastUpdate
	if limit := s.params.WeightsRateLimitBlocks; n.lastUpdate != 0 && passed < limit {
		return refuse(RateLimited, passed, limit)
	}
	return nil
}

// wellFormed checks the uids of a weight vector.
func (s *State) wellFormed(uids []uint16, onlySelf bool) error {
	clear(s.seen[:])
	for _, u := range uids {
		if !s.firstSeen(UID(u)) {
			return refuse(DuplicateUID, uint64(u), 0)
		}
	}
	for _, u := range uids {
		if int(u) >= s.neurons.n {
			return refuse(UnknownUID, uint64(u), uint64(s.neurons.n))
		}
	}
	least := min(s.neurons.n, int(s.params.MinAllowedWeights))
	if s.params.nakamoto() {
		least = max(least, 2) // one entry alone is a weight on oneself
	}
	if len(uids) < least && !onlySelf {
		return refuse(TooFewWeights, uint64(len(uids)), uint64(least))
	}
	return nil
}

// scaled returns weights as the ledger keeps them: the largest 65535, or, for nakamoto, their sum
// 2^32-1 but for what the floors leave.
func (s *State) scaled(values []uint32) ([]uint32, error) {
	row := make([]uint32, len(values))
	if s.params.nakamoto() {
		var sum uint64
		for _, v := range values {
			sum += uint64(v)
		}
		for i, v := range values {
			row[i] = uint32(uint64(v) * (1<<32 - 1) / max(sum, 1))
		}
		return row, nil
	}
	narrow := make([]uint16, len(values))
	for i, v := range values {
		if v > 65535 {
			return nil, refuse(WeightTooLarge, uint64(v), 65535)
		}
		narrow[i] = uint16(v)
	}
	fixed.UpscaleU16(narrow)
	for i, v := range narrow {
		row[i] = uint32(v)
	}
	return row, nil
}

// withinLimits checks scaled weights: the largest share of their sum, and how many times the
// smallest the largest is.
func (s *State) withinLimits(uids []uint16, values []uint32, onlySelf bool) error {
	p := &s.params
	if limit := p.MaxWeight; !onlySelf && limit < 65535 && !fixed.WithinLimit(values, limit) {
		return refuse(WeightAboveMaximum, largestShare(values), uint64(limit))
	}
	if p.MaxWeightRatio == 0 || len(values) == 0 {
		return nil
	}
	if i := slices.Index(values, 0); i >= 0 {
		return refuse(WeightZero, uint64(uids[i]), 0)
	}
	if ratio := slices.Max(values) / slices.Min(values); ratio > uint32(p.MaxWeightRatio) {
		return refuse(RatioAboveMaximum, uint64(ratio), uint64(p.MaxWeightRatio))
	}
	return nil
}

// largestShare is the largest of v in 1/65535 of their sum, rounded up.
func largestShare(v []uint32) uint64 {
	var largest, sum uint64
	for _, x := range v {
		largest = max(largest, uint64(x))
		sum += uint64(x)
	}
	return (largest*65535 + sum - 1) / max(sum, 1)
}
