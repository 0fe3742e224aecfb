package chain

import (
	"slices"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/registration"
)

// register burns the price and gives the hotkey a slot.
func (s *State) register(coldkey Key, m Register) error {
	if !s.params.AllowBurn {
		return refuse(BurnNotAllowed, 0, 0)
	}
	if err := s.mayJoin(coldkey, m.Hotkey); err != nil {
		return err
	}
	price := s.burnPriceRao
	if m.LimitRao != 0 && price > m.LimitRao {
		return refuse(PriceAboveLimit, price, m.LimitRao)
	}
	if err := s.free(coldkey, price); err != nil {
		return err
	}
	uid, err := s.findSlot()
	if err != nil {
		return err
	}
	s.burn(coldkey, price)
	s.join(coldkey, m.Hotkey, uid, price)
	if p := &s.params; p.BurnRule == BurnByDemand {
		s.burnPriceRao = registration.Raise(price, uint64(p.BurnIncreasePercent), p.MinBurnRao, p.MaxBurnRao)
	} else {
		s.burnsInterval++
	}
	return nil
}

// mayJoin makes the checks that registrations by burn and by work have in common.
func (s *State) mayJoin(coldkey, hotkey Key) error {
	p := &s.params
	if uid, ok := s.neurons.uidOf(hotkey); ok {
		return refuse(AlreadyRegistered, uint64(uid), 0)
	}
	if err := s.mayOwn(coldkey, hotkey); err != nil {
		return err
	}
	if s.inBlock >= p.MaxRegistrationsPerBlock {
		return refuse(TooManyInBlock, uint64(s.inBlock), uint64(p.MaxRegistrationsPerBlock))
	}
	most := 3 * uint64(p.TargetRegistrations)
	if made := s.inInterval(); p.intervalLimited() && made >= most {
		return refuse(TooManyInInterval, made, most)
	}
	return nil
}

// intervalLimited reports whether an interval has at most three times its target of registrations.
func (p *Params) intervalLimited() bool {
	return p.BurnRule == BurnByInterval && p.AdjustBy != AdjustByDoubleHalve
}

// inInterval is the number of registrations in this interval.
func (h *header) inInterval() uint64 { return uint64(h.burnsInterval) + uint64(h.worksInterval) }

func (s *State) burn(coldkey Key, rao uint64) {
	s.account(coldkey).freeRao -= rao
	s.money.Free -= rao
	s.money.Burned += rao
	if s.params.RecycleBurned {
		s.money.Recycled += rao
	}
}

// findSlot returns the uid that a newcomer gets: the next free one, or that of the pruned.
func (s *State) findSlot() (UID, error) {
	p, n := &s.params, s.neurons.n
	if n < int(p.MaxUIDs) {
		return UID(n), nil
	}
	block := s.height + 1
	switch p.PruneBy {
	case PruneByScore, PruneByScoreLast:
		choose := registration.PruneByScore
		if p.PruneBy == PruneByScoreLast {
			choose = registration.PruneByScoreLast
		}
		uid, _ := choose(n, func(i int) registration.Candidate {
			x := s.neurons.get(UID(i))
			return registration.Candidate{Score: uint64(x.pruningScore), RegisteredAt: x.registeredAt}
		}, block, p.ImmunityBlocks)
		return UID(uid), nil
	case PruneByStakeOrIncentive:
		var total uint64
		for i := range n {
			total += s.stakeOf(UID(i))
		}
		uid, _ := registration.PruneByStakeOrIncentive(n, func(i int) registration.Holding {
			x := s.neurons.get(UID(i))
			return registration.Holding{
				StakeRao: s.stakeOf(UID(i)), Incentive: x.incentiveQ64(), RegisteredAt: x.registeredAt,
			}
		}, total, block, p.ImmunityBlocks)
		return UID(uid), nil
	}
	uid, others, ok := registration.PruneByEmission(n, func(i int) registration.Candidate {
		x := s.neurons.get(UID(i))
		return registration.Candidate{
			Score: x.emissionRao, RegisteredAt: x.registeredAt, Exempt: x.hotkey == s.owner,
		}
	}, block, p.ImmunityBlocks, int(p.MinNonImmune))
	if !ok {
		return 0, refuse(NoSlot, uint64(others), uint64(p.MinNonImmune))
	}
	return UID(uid), nil
}

func (s *State) stakeOf(uid UID) uint64 {
	n := s.neurons.get(uid)
	if a := s.accounts.find(&n.hotkey, &n.path); a != nil {
		return a.stakeRao
	}
	return 0
}

// weightOf is the stake of a neuron that counts in the epoch that ends.
func (s *State) weightOf(uid UID) uint64 {
	if !s.params.Hard.WarmStake {
		return s.stakeOf(uid)
	}
	n := s.neurons.get(uid)
	a := s.accounts.at(n.hotkey, &n.path)
	return a.counted(s.epochs + 1)
}

// incentiveQ64 is the incentive in 1/(2^64-1), which rules other than nakamoto know to 16 bits.
func (n *neuron) incentiveQ64() uint64 {
	if n.wide.incentive > 0 {
		return n.wide.incentive
	}
	return uint64(n.incentive) * ((1<<64 - 1) / 65535)
}

// join puts a newcomer into a slot that findSlot returned.
func (s *State) join(coldkey, hotkey Key, uid UID, priceRao uint64) {
	block := s.height + 1
	s.own(coldkey, hotkey)
	fresh := s.newcomer(uid, hotkey, block)
	if int(uid) < s.neurons.n {
		old := s.neurons.get(uid).hotkey
		s.events = append(s.events, Replaced{block, uid, old})
		if by := s.params.PruneBy; by == PruneByScore || by == PruneByScoreLast {
			fresh.pruningScore = 65535 // the slot is not taken again before the next epoch
		}
		if s.params.nakamoto() {
			fresh.pruned = true
			s.returnStake(old)
		} else {
			s.zeroWeightsOn(uid)
		}
		s.replaceNeuron(uid, fresh)
		s.touch(old)
	} else {
		s.appendNeuron(fresh)
	}
	s.events = append(s.events, Registered{block, uid, hotkey, priceRao})
	s.inBlock++
}

// nakamoto reports whether the ledger keeps the books of 2022: weights whose sum is 2^32-1, bonds in
// rao, no permits, the stake of the pruned given back.
func (p *Params) nakamoto() bool { return p.Rule == consensus.Nakamoto }

// newcomer is a neuron that registers in a block.
func (s *State) newcomer(uid UID, hotkey Key, block uint64) neuron {
	n := neuron{hotkey: hotkey, axon: hotkey, registeredAt: block, lastUpdate: block}
	if s.params.nakamoto() {
		n.weights = []WeightEntry{{UID: uid, Weight: 1<<32 - 1}}
	}
	return n
}

// returnStake returns all stake on a hotkey to the free money of its stakers.
func (s *State) returnStake(hotkey Key) {
	a := s.hotkey(hotkey)
	s.release(a.owner, hotkey, a.ownStake())
	for _, n := range a.nominations {
		s.release(n.coldkey, hotkey, n.stakeRao)
		s.unrefer(n.coldkey)
	}
	a.stakeRao = 0
	a.setNominations(nil)
}

// zeroWeightsOn sets the weights of others on a slot to explicit zeros. Their bonds stay: the next epoch
// ignores bonds that are older than the newcomer.
func (s *State) zeroWeightsOn(uid UID) {
	for from := range s.neurons.n {
		row := s.neurons.get(UID(from)).weights
		k := slices.IndexFunc(row, func(w WeightEntry) bool { return w.UID == uid })
		if k >= 0 && row[k].Weight != 0 {
			row = slices.Clone(row)
			row[k].Weight = 0
			s.setWeights(UID(from), row)
		}
	}
}

func (p *Params) clampBurn(rao uint64) uint64 { return min(max(rao, p.MinBurnRao), p.MaxBurnRao) }

// movePrices moves price and difficulty of registration at the end of a block, and forgets what
// was counted and which works grew too old.
func (s *State) movePrices(height uint64) {
	p := &s.params
	s.inBlock = 0
	s.forgetWorks()
	if p.BurnRule == BurnByDemand {
		s.burnPriceRao = registration.Decayed(s.burnPriceRao, s.decayQ32, p.MinBurnRao, p.MaxBurnRao)
	} else if height%p.AdjustmentIntervalBlocks == 0 {
		s.burnPriceRao, s.difficulty = s.adjusted()
		s.burnsInterval, s.worksInterval = 0, 0
	}
}

// pricesRest reports whether movePrices changes nothing while nobody registers.
func (s *State) pricesRest() bool {
	p := &s.params
	if s.inBlock > 0 || len(s.works) > 0 {
		return false
	}
	if p.BurnRule == BurnByDemand {
		return registration.Decayed(s.burnPriceRao, s.decayQ32, p.MinBurnRao, p.MaxBurnRao) == s.burnPriceRao
	}
	price, difficulty := s.adjusted()
	return s.inInterval() == 0 && price == s.burnPriceRao && difficulty == s.difficulty
}

// adjusted returns price and difficulty after an interval with the registrations counted so far.
func (s *State) adjusted() (priceRao, difficulty uint64) {
	p := &s.params
	priceRao, difficulty = s.burnPriceRao, s.difficulty
	made, target := s.inInterval(), uint64(p.TargetRegistrations)
	if p.AdjustBy == AdjustByDoubleHalve {
		return priceRao, registration.DoubleOrHalve(difficulty, made, target, p.MinDifficulty, p.MaxDifficulty)
	}
	moved := registration.Moved
	if p.AdjustBy == AdjustByTarget2023 {
		moved = registration.Moved2023
	}
	harder, dearer := moved(uint64(s.worksInterval), uint64(s.burnsInterval), target)
	if harder {
		difficulty = registration.Adjust(difficulty, made, target, p.AdjustmentAlpha,
			p.MinDifficulty, p.MaxDifficulty)
	}
	if dearer {
		priceRao = registration.Adjust(priceRao, made, target, p.AdjustmentAlpha, p.MinBurnRao, p.MaxBurnRao)
	}
	return priceRao, difficulty
}
