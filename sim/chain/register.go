package chain

import (
	"math/big"
	"slices"
)

// register burns the price and gives the hotkey a slot: a new one, or that of the pruned.
func (s *State) register(coldkey Key, m Register) error {
	p := &s.params
	if uid, ok := s.neurons.uidOf(m.Hotkey); ok {
		return refuse(AlreadyRegistered, uint64(uid), 0)
	}
	if err := s.mayOwn(coldkey, m.Hotkey); err != nil {
		return err
	}
	if s.inBlock >= p.MaxRegistrationsPerBlock {
		return refuse(TooManyInBlock, uint64(s.inBlock), uint64(p.MaxRegistrationsPerBlock))
	}
	if most := 3 * uint32(p.TargetRegistrations); p.BurnRule == BurnByInterval && s.inInterval() >= most {
		return refuse(TooManyInInterval, uint64(s.inInterval()), uint64(most))
	}
	price := s.burnPriceRao
	if m.LimitRao != 0 && price > m.LimitRao {
		return refuse(PriceAboveLimit, price, m.LimitRao)
	}
	if err := s.free(coldkey, price); err != nil {
		return err
	}
	uid, replaces := UID(s.neurons.n), false
	if s.neurons.n >= int(p.MaxUIDs) {
		var err error
		if uid, err = s.pruned(); err != nil {
			return err
		}
		replaces = true
	}
	s.burn(coldkey, price)
	s.account(m.Hotkey).owner = coldkey
	block := s.height + 1
	fresh := newcomer(m.Hotkey, block)
	if replaces {
		s.events = append(s.events, Replaced{block, uid, s.neurons.get(uid).hotkey})
		if p.PruneBy == PruneByScore {
			fresh.pruningScore = 65535
		}
		s.replaceNeuron(uid, fresh)
		s.zeroWeightsOn(uid)
	} else {
		s.appendNeuron(fresh)
	}
	s.events = append(s.events, Registered{block, uid, m.Hotkey, price})
	s.inBlock++
	s.burnsInterval++
	if p.BurnRule == BurnByDemand {
		s.burnPriceRao = p.raisedBurn(price)
	}
	return nil
}

// zeroWeightsOn makes the weights of others on a slot explicit zeros. Their bonds stay, and the next
// epoch ignores them as older than the neuron.
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

// newcomer is a neuron that registers at the end of a block.
func newcomer(hotkey Key, block uint64) neuron {
	return neuron{hotkey: hotkey, axon: hotkey, registeredAt: block, lastUpdate: block}
}

func (s *State) burn(coldkey Key, rao uint64) {
	s.account(coldkey).freeRao -= rao
	s.money.Free -= rao
	s.money.Burned += rao
	if s.params.RecycleBurned {
		s.money.Recycled += rao
	}
}

// inInterval is the number of registrations in this interval.
func (h *header) inInterval() uint32 { return h.burnsInterval + h.worksInterval }

// movePrices moves the price of registration at the end of a block and forgets what was counted.
func (s *State) movePrices(height uint64) {
	s.burnPriceRao = s.nextBurn(height)
	s.inBlock = 0
	if p := &s.params; p.BurnRule == BurnByInterval && height%p.AdjustmentIntervalBlocks == 0 {
		s.burnsInterval, s.worksInterval = 0, 0
	}
}

// pricesRest says whether movePrices changes nothing at the ends of blocks without registrations.
func (s *State) pricesRest() bool {
	if s.inBlock > 0 {
		return false
	}
	if s.params.BurnRule == BurnByInterval {
		return s.inInterval() == 0 && s.adjusted() == s.burnPriceRao
	}
	return s.nextBurn(s.height+1) == s.burnPriceRao
}

// candidate is a neuron that may have to give way: the lowest score goes, of equals the earlier
// registered, of those the lower uid.
type candidate struct {
	score, registeredAt uint64
}

func (c candidate) before(d candidate) bool {
	return c.score < d.score || c.score == d.score && c.registeredAt < d.registeredAt
}

// prune chooses among n candidates. Immune ones go only where no other may; others only while
// there are more than minNonImmune of them. ok is false if nobody may go.
func prune(n int, at func(int) candidate, block, immunity uint64, minNonImmune int) (
	worst, others int, ok bool) {
	best := [2]int{-1, -1} // not immune, immune
	for i := range n {
		c := at(i)
		group := 0
		if block-c.registeredAt < immunity {
			group = 1
		} else {
			others++
		}
		if best[group] < 0 || c.before(at(best[group])) {
			best[group] = i
		}
	}
	if best[0] >= 0 && others > minNonImmune {
		return best[0], others, true
	}
	return best[1], others, best[1] >= 0
}

// pruned returns the uid that gives way to a newcomer.
func (s *State) pruned() (UID, error) {
	p := &s.params
	least := 0
	if p.PruneBy == PruneByEmission {
		least = int(p.MinNonImmune)
	}
	uid, others, ok := prune(s.neurons.n, func(i int) candidate {
		n := s.neurons.get(UID(i))
		if p.PruneBy == PruneByScore {
			return candidate{uint64(n.pruningScore), n.registeredAt}
		}
		return candidate{n.emissionRao, n.registeredAt}
	}, s.height+1, p.ImmunityBlocks, least)
	if !ok {
		return 0, refuse(NoSlot, uint64(others), uint64(least))
	}
	return UID(uid), nil
}

func (p *Params) clampBurn(rao uint64) uint64 { return min(max(rao, p.MinBurnRao), p.MaxBurnRao) }

// raisedBurn is the price after a registration at rao.
func (p *Params) raisedBurn(rao uint64) uint64 {
	return p.clampBurn(rao * uint64(p.BurnIncreasePercent) / 100)
}

// decayFactor returns the largest f in 1/2^32 with f^halfLife <= 1/2 in arithmetic that floors
// every product; 0 for a half-life of 0.
func decayFactor(halfLife uint64) uint64 {
	if halfLife == 0 {
		return 0
	}
	const one = 1 << 32
	lo, hi := uint64(0), uint64(one)
	for lo < hi {
		f := (lo + hi + 1) / 2
		if powQ32(f, halfLife) <= one/2 {
			lo = f
		} else {
			hi = f - 1
		}
	}
	return lo
}

// powQ32 returns f^n for f of at most one, in 1/2^32.
func powQ32(f, n uint64) uint64 {
	const one = 1 << 32
	result := uint64(one)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			result = mulQ32(result, f)
		}
		f = mulQ32(f, f)
	}
	return result
}

// mulQ32 returns a*b/2^32 for b of at most 2^32.
func mulQ32(a, b uint64) uint64 {
	return a>>32*b + (a&(1<<32-1))*b>>32
}

// nextBurn returns the price of a registration after a block.
func (s *State) nextBurn(height uint64) uint64 {
	p := &s.params
	if p.BurnRule == BurnByDemand {
		return p.clampBurn(mulQ32(s.burnPriceRao, s.decayQ32))
	}
	if height%p.AdjustmentIntervalBlocks != 0 {
		return s.burnPriceRao
	}
	return s.adjusted()
}

func (s *State) adjusted() uint64 {
	p := &s.params
	return adjust(s.burnPriceRao, uint64(s.inInterval()), uint64(p.TargetRegistrations),
		p.AdjustmentAlpha, p.MinBurnRao, p.MaxBurnRao)
}

// adjust moves a price toward the value at which target registrations come per interval:
// x' = a x + (1 - a) x (registrations + target) / (2 target), with 18 fraction bits.
func adjust(x, registrations, target, alpha, lo, hi uint64) uint64 {
	const bits = 18
	one := big.NewInt(1 << bits)
	a := new(big.Int).SetUint64(alpha)
	a.Div(a.Lsh(a, bits), new(big.Int).SetUint64(1<<64-1))
	current := new(big.Int).SetUint64(x)
	current.Lsh(current, bits)
	moved := new(big.Int).SetUint64(registrations + target)
	moved.Div(moved.Mul(moved, current), new(big.Int).SetUint64(2*target))
	kept := new(big.Int).Mul(a, current)
	kept.Rsh(kept, bits)
	moved.Mul(moved, one.Sub(one, a))
	moved.Rsh(moved, bits)
	next := kept.Add(kept, moved)
	next.Rsh(next, bits)
	if !next.IsUint64() {
		return hi
	}
	return min(max(next.Uint64(), lo), hi)
}
