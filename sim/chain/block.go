package chain

import "taolab/sim/chain/consensus"

// EndBlock ends the block: mints its emission, moves the price of registration, runs an epoch
// when due, and returns what happened in the block in order.
func (s *State) EndBlock() []Event {
	s.migrate()
	s.height++
	rao, _ := s.params.curve().Next(s.height, s.issuance())
	s.mint(rao)
	s.movePrices(s.height)
	s.movePrice()
	s.reap()
	s.markEntropy()
	events := s.events
	s.events = nil
	if s.blocksToEpoch(s.height) == 0 {
		events = append(events, s.epoch())
		events = append(events, s.reseat()...)
		events = append(events, s.govern()...)
	}
	events = append(events, s.turn()...)
	s.begun, s.proposer = false, Key{}
	s.mustConserve()
	return events
}

// Epochs is the number of epochs that have run.
func (s *State) Epochs() uint64 { return s.epochs }

// EmissionLasts is the number of blocks, the next one included, whose emission equals the next one's as
// long as nothing but emission changes the issuance; the largest uint64 if it never changes.
func (s *State) EmissionLasts() uint64 {
	_, blocks := s.params.curve().Next(s.height+1, s.issuance())
	return blocks
}

// mostMinted bounds the total ever minted, which recycling lets grow beyond every cap.
const mostMinted = 1 << 62

func (s *State) mint(rao uint64) {
	rao = min(rao, mostMinted-s.money.Minted)
	s.money.Minted += rao
	s.money.Pending += rao
}

// blocksToEpoch is the number of blocks from a height to the next epoch.
func (s *State) blocksToEpoch(height uint64) uint64 {
	return BlocksToEpoch(s.params.EpochDue, s.params.TempoBlocks, s.lastEpoch, height)
}

// BlocksToEpoch is how many blocks after a block the next epoch runs by a rule, 0 meaning in that
// block itself, and the largest uint64 if never. lastEpoch is the block of the epoch before, which
// only DueSinceLast asks for.
func BlocksToEpoch(due EpochDue, tempoBlocks, lastEpoch, block uint64) uint64 {
	switch {
	case tempoBlocks == 0:
		return never
	case due == DueByHeight:
		return tempoBlocks - (block+1)%(tempoBlocks+1)
	}
	return tempoBlocks - min(block-min(lastEpoch, block), tempoBlocks)
}

const never = 1<<64 - 1

// NextEvent is the height of the next block at which more happens than minting and the price of
// registration moving: an epoch, or other rules; the largest uint64 if there is none.
func (s *State) NextEvent() uint64 {
	next := s.height + 1
	soonest := uint64(never)
	if wait := s.blocksToEpoch(next); wait != never {
		soonest = next + wait
	}
	switch {
	case s.stored != s.rules:
		soonest = next
	case s.plan.Height > 0: // the rules turn at the end of the block before
		soonest = min(soonest, max(s.plan.Height-1, next))
	}
	return soonest
}

// Advance ends n blocks, the same as n times EndBlock.
func (s *State) Advance(n uint64) []Event {
	var events []Event
	for n > 0 {
		if quiet := min(n, s.quietBlocks()); quiet > 0 {
			s.mint(s.params.curve().Sum(s.height+1, s.issuance(), quiet))
			s.height += quiet
			n -= quiet
			s.mustConserve()
			continue
		}
		events = append(events, s.EndBlock()...)
		n--
	}
	return events
}

// quietBlocks is the number of coming blocks that, without transactions, change nothing but the supply.
func (s *State) quietBlocks() uint64 {
	p := &s.params
	if s.mix != (Digest{}) || s.inBlock > 0 || len(s.events) > 0 || len(s.works) > 0 ||
		s.priceRao != p.Hard.FeeRao || s.begun || s.workUsed > 0 || len(s.touched) > 0 {
		return 0
	}
	quiet := s.NextEvent() - s.height - 1
	switch {
	case s.pricesRest():
		return quiet
	case p.BurnRule == BurnByInterval: // prices move at the ends of intervals only
		return min(quiet, p.AdjustmentIntervalBlocks-1-s.height%p.AdjustmentIntervalBlocks)
	}
	return 0
}

// epoch runs the consensus on the state and pays the pending emission.
func (s *State) epoch() EpochRan {
	s.resetColumns()
	pending := s.money.Pending
	cut := s.ownerCut(pending)
	out := s.rule.Epoch(&s.workspace, s.epochInput(), pending-cut)
	var paid uint64
	s.nominated = nil
	eligible := false // anybody, even if the floor of all shares is 0 rao
	for i := range s.neurons.n {
		n := s.neuron(UID(i))
		n.pruned = false
		n.emissionRao = out.EmissionRao[i]
		n.consensus = out.Consensus[i]
		n.incentive = out.Incentive[i]
		n.dividends = out.Dividends[i]
		n.trust = out.ValidatorTrust[i]
		n.stakeWeight = out.StakeWeight[i]
		n.pruningScore = out.PruningScore[i]
		n.active = out.Active[i]
		n.permit = out.Permits[i]
		eligible = eligible || n.pruningScore > 0
		n.keepWide(out, i)
		if rao := n.emissionRao; rao > 0 {
			got := s.hotkeyAt(n.hotkey, &n.path).earn(rao, min(out.ValidatorEmissionRao[i], rao), s.epochs+1)
			s.noteNominated(i, got)
			paid += rao
		}
	}
	s.storeBonds(out.Bonds)
	s.money.Staked += paid
	s.payOwner(cut)
	paid += cut
	ran := EpochRan{
		Block: s.height, Epoch: s.epochs, EmissionRao: pending, PaidRao: paid, OwnerRao: cut,
	}
	if eligible {
		ran.DustRao = pending - paid
	} else {
		ran.UnallocatedRao = pending - paid
	}
	s.money.Pending = 0
	s.money.Dust += ran.DustRao
	s.money.Unallocated += ran.UnallocatedRao
	s.lastEpoch = s.height
	s.epochs++
	return ran
}

// noteNominated keeps what the nominators of a neuron got, for views.
func (s *State) noteNominated(i int, rao uint64) {
	if rao == 0 {
		return
	}
	if s.nominated == nil {
		s.nominated = make([]uint64, s.neurons.n)
	}
	s.nominated[i] = rao
}

// ownerCut is the share of an epoch's emission that goes to the network's owner, in rao.
func (s *State) ownerCut(rao uint64) uint64 {
	if s.owner == (Key{}) {
		return 0
	}
	return part(rao, uint64(s.params.OwnerCut), 65535)
}

// payOwner gives the owner its cut: stake on its hotkey, or, under the rules that know it as a coldkey
// only, free money.
func (s *State) payOwner(cut uint64) {
	switch {
	case cut == 0:
	case s.params.ownerIsNeuron():
		s.hotkey(s.owner).stakeRao += cut
		s.money.Staked += cut
	default:
		s.account(s.accounts.get(s.owner).owner).freeRao += cut
		s.money.Free += cut
	}
}

// keepWide stores the scores that only some rules have.
func (n *neuron) keepWide(out *consensus.Output, i int) {
	if len(out.Rank) > 0 {
		n.rank, n.minerTrust = out.Rank[i], out.Trust[i]
	}
	if w := out.Wide; w != nil {
		n.wide = wideScores{w.Rank[i], w.Trust[i], w.Consensus[i], w.Incentive[i], w.Dividends[i]}
	}
}

func (s *State) epochInput() *consensus.Input {
	p, in := &s.params, &s.input
	owner, hasOwner := UID(0), false
	if s.owner != (Key{}) {
		owner, hasOwner = s.neurons.uidOf(s.owner)
	}
	commits := s.commitMask(in.Commits[:0])
	*in = consensus.Input{
		Params: consensus.Params{
			TempoBlocks: p.TempoBlocks, Kappa: p.Kappa, BondsPenalty: p.BondsPenalty,
			BondsMovingAveragePPM: p.BondsMovingAveragePPM,
			ActivityCutoffBlocks:  p.CutoffBlocks(),
			StakeThresholdRao:     p.StakeThresholdRao, MaxValidators: int(p.MaxValidators),
			LiquidAlpha: p.LiquidAlpha, AlphaLow: p.AlphaLow, AlphaHigh: p.AlphaHigh,
			AlphaSteepness: p.AlphaSteepness, Rho: p.Rho, KappaInverse: p.KappaInverse,
			SelfOwnershipInverse: p.SelfOwnershipInverse, ServerShare: p.ServerShare,
			HasOwner: hasOwner, Owner: owner,
		},
		Block: s.height, LastEpochBlock: s.lastEpoch,
		StakesRao: in.StakesRao[:0], LastUpdate: in.LastUpdate[:0],
		RegisteredAt: in.RegisteredAt[:0], Permits: in.Permits[:0],
		Weights: in.Weights[:0], Bonds: in.Bonds[:0], Commits: commits, Pruned: in.Pruned[:0],
	}
	for i := range s.neurons.n {
		n := s.neurons.get(UID(i))
		in.StakesRao = append(in.StakesRao, s.weightOf(UID(i)))
		in.LastUpdate = append(in.LastUpdate, n.lastUpdate)
		in.RegisteredAt = append(in.RegisteredAt, n.registeredAt)
		in.Permits = append(in.Permits, n.permit)
		in.Weights = append(in.Weights, n.weights)
		in.Bonds = append(in.Bonds, n.bonds)
		in.Pruned = append(in.Pruned, n.pruned)
	}
	return in
}

// storeBonds copies the rows into one piece of memory. The old rows' memory is free again once no view
// shows them.
func (s *State) storeBonds(rows [][]BondEntry) {
	total := 0
	for _, row := range rows {
		total += len(row)
	}
	if s.arenaAge != s.age || cap(s.bondArena) < total {
		s.bondArena = make([]BondEntry, 0, total+total/4)
		s.arenaAge = s.age
	}
	arena := s.bondArena[:0]
	for i, row := range rows {
		if len(row) == 0 && len(s.neurons.get(UID(i)).bonds) == 0 {
			continue
		}
		from := len(arena)
		arena = append(arena, row...)
		s.setBonds(UID(i), arena[from:len(arena):len(arena)])
	}
	s.bondArena = arena
}
