package chain

import (
	"math/bits"
	"slices"
)

// addStake puts stake on a hotkey of one's own, or nominates a delegate.
func (s *State) addStake(coldkey Key, m AddStake) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	if m.Hotkey == (Key{}) {
		return refuse(ZeroKey, 0, 0)
	}
	a := s.accounts.get(m.Hotkey)
	if a.owner == (Key{}) {
		return refuse(NotOwner, 0, 0)
	}
	nominates := a.owner != coldkey
	if nominates {
		if err := a.admits(coldkey, m.AmountRao, &s.params); err != nil {
			return err
		}
	}
	if err := s.free(coldkey, m.AmountRao); err != nil {
		return err
	}
	s.account(coldkey).freeRao -= m.AmountRao
	b := s.hotkey(m.Hotkey)
	s.settle(b)
	s.evictSmall(m.Hotkey)
	b.stakeRao += m.AmountRao
	if nominates {
		s.nominate(coldkey, m.Hotkey, m.AmountRao)
	}
	s.money.Free -= m.AmountRao
	s.money.Staked += m.AmountRao
	return nil
}

// removeStake gives back what the coldkey has on a hotkey.
func (s *State) removeStake(coldkey Key, m RemoveStake) error {
	if m.AmountRao == 0 {
		return refuse(ZeroAmount, 0, 0)
	}
	a := s.accounts.get(m.Hotkey)
	have := a.ownStake()
	place, nominates := a.nomination(coldkey)
	switch {
	case nominates:
		have = a.nominations[place].stakeRao
	case a.owner != coldkey:
		return refuse(NotOwner, 0, 0)
	}
	if have < m.AmountRao {
		return refuse(InsufficientStake, have, m.AmountRao)
	}
	if left, least := have-m.AmountRao, s.params.Hard.MinNominationRao; nominates && left > 0 && left < least {
		return refuse(NominationBelowMinimum, left, least)
	}
	if err := s.mayUnbond(coldkey, m.Hotkey); err != nil {
		return err
	}
	b := s.hotkey(m.Hotkey)
	s.settle(b)
	b.stakeRao -= m.AmountRao
	if nominates && b.denominate(place, m.AmountRao) {
		s.unrefer(coldkey)
	}
	s.release(coldkey, m.Hotkey, m.AmountRao)
	s.evictSmall(m.Hotkey)
	return nil
}

// settle remembers, before a transaction changes the stake on a hotkey, what stood there when the epoch
// began, if that matters for the dividends and nothing changed since then.
func (s *State) settle(a *hotkey) {
	epoch := s.epochs + 1
	if !s.params.StakeSettles && !s.params.Hard.WarmStake || a.changedIn == epoch {
		return
	}
	a.changedIn, a.settledRao = epoch, a.ownStake()
	list := slices.Clone(a.nominations)
	for i := range list {
		list[i].settledRao = list[i].stakeRao
	}
	a.setNominations(list)
}

// delegate opens a hotkey to nominators or changes its take. It is never closed again.
func (s *State) delegate(coldkey Key, m Delegate) error {
	a, p := s.accounts.get(m.Hotkey), &s.params
	switch {
	case m.Hotkey == Key{}:
		return refuse(ZeroKey, 0, 0)
	case a.owner != coldkey:
		return refuse(NotOwner, 0, 0)
	case p.MaxNominators == 0:
		return refuse(TooManyNominators, 0, 0)
	case m.Take > p.MaxTake && !(a.delegate && m.Take <= a.take):
		return refuse(TakeAboveMaximum, uint64(m.Take), uint64(p.MaxTake))
	}
	raises := m.Take > a.take
	if raises {
		if err := s.mayAgain(a.last.take, p.Hard.TakeBlocks); err != nil {
			return err
		}
	}
	b := s.hotkey(m.Hotkey)
	b.delegate, b.take = true, m.Take
	if raises && p.Hard.TakeBlocks != 0 {
		b.last.take = s.height + 1
	}
	return nil
}

// admits says why a coldkey may not nominate a hotkey that another owns with so much more.
func (a *hotkey) admits(coldkey Key, rao uint64, p *Params) error {
	if !a.delegate {
		return refuse(NotDelegate, 0, 0)
	}
	least, have := p.Hard.MinNominationRao, uint64(0)
	place, ok := a.nomination(coldkey)
	if ok {
		have = a.nominations[place].stakeRao
	}
	switch {
	case have+min(rao, maxU64-have) < least:
		return refuse(NominationBelowMinimum, have+rao, least)
	case ok || len(a.nominations) < int(p.MaxNominators):
		return nil
	case least == 0 || len(a.nominations) == 0 || a.nominations[a.smallest()].stakeRao >= rao:
		return refuse(TooManyNominators, uint64(len(a.nominations)), uint64(p.MaxNominators))
	}
	return nil
}

// smallest is the place of the nomination that gives way to a larger one: in a tie the last.
func (a *hotkey) smallest() (place int) {
	for i, n := range a.nominations {
		if n.stakeRao <= a.nominations[place].stakeRao {
			place = i
		}
	}
	return place
}

// nominate adds to a nomination on a hotkey whose stake has grown already. In a full list the smallest
// gives way.
func (s *State) nominate(coldkey, hotkey Key, rao uint64) {
	b := s.hotkey(hotkey)
	if _, ok := b.nomination(coldkey); !ok {
		if len(b.nominations) > 0 && len(b.nominations) >= int(s.params.MaxNominators) {
			s.evict(hotkey, b.smallest())
		}
		s.refer(coldkey)
	}
	b.nominate(coldkey, rao)
}

// evict gives a nominator the stake back.
func (s *State) evict(hotkey Key, place int) {
	b := s.hotkey(hotkey)
	n := b.nominations[place]
	b.stakeRao -= n.stakeRao
	b.denominate(place, n.stakeRao)
	s.unrefer(n.coldkey)
	s.release(n.coldkey, hotkey, n.stakeRao)
}

// evictSmall gives back the nominations that are smaller than they may be: the rules changed, or they
// were slashed.
func (s *State) evictSmall(hotkey Key) {
	least := s.params.Hard.MinNominationRao
	if least == 0 {
		return
	}
	b := s.hotkey(hotkey)
	for i := len(b.nominations) - 1; i >= 0; i-- {
		if b.nominations[i].stakeRao < least {
			s.evict(hotkey, i)
		}
	}
}

// nominate adds to a nomination. Views share the list, so it is never changed in place.
func (a *hotkey) nominate(coldkey Key, rao uint64) {
	i, ok := a.nomination(coldkey)
	list := slices.Clone(a.nominations)
	if !ok {
		list = slices.Insert(list, i, nomination{coldkey: coldkey})
	}
	list[i].stakeRao += rao
	a.setNominations(list)
}

// denominate takes from the nomination at a place, which goes with its last rao.
func (a *hotkey) denominate(place int, rao uint64) (gone bool) {
	list := slices.Clone(a.nominations)
	list[place].stakeRao -= rao
	gone = list[place].stakeRao == 0
	if gone {
		list = slices.Delete(list, place, place+1)
	}
	a.setNominations(list)
	return gone
}

// ownStake is the owner's part of the stake on a hotkey.
func (a *hotkey) ownStake() uint64 {
	rao := a.stakeRao
	for _, n := range a.nominations {
		rao -= n.stakeRao
	}
	return rao
}

// earn pays a hotkey in an epoch, by its number from 1: rao in all, of which dividendsRao as a
// validator. Of these the owner keeps the take; the rest is shared by stake, or, where stake settles,
// by as much of it as was there when the epoch began; what the floors leave is the owner's. It returns what the others
// got.
func (a *hotkey) earn(rao, dividendsRao, epoch uint64) (nominatorsRao uint64) {
	if len(a.nominations) > 0 {
		rest := dividendsRao - part(dividendsRao, uint64(a.take), 65535)
		shares, whole := a.shares(epoch)
		list := slices.Clone(a.nominations)
		for i := range list {
			got := part(rest, shares(list[i]), whole)
			list[i].stakeRao += got
			nominatorsRao += got
		}
		a.setNominations(list)
	}
	a.stakeRao += rao
	return nominatorsRao
}

// shares returns how much of a nomination counts in an epoch, and of all stake on the hotkey.
func (a *hotkey) shares(epoch uint64) (of func(nomination) uint64, whole uint64) {
	if a.changedIn != epoch {
		return func(n nomination) uint64 { return n.stakeRao }, a.stakeRao
	}
	of = func(n nomination) uint64 { return min(n.stakeRao, n.settledRao) }
	whole = min(a.ownStake(), a.settledRao)
	for _, n := range a.nominations {
		whole += of(n)
	}
	return of, whole
}

// part is rao * share / whole, cut to whole rao, for a share of at most whole; 0 for a whole of 0.
func part(rao, share, whole uint64) uint64 {
	if whole == 0 {
		return 0
	}
	hi, lo := bits.Mul64(rao, share)
	q, _ := bits.Div64(hi, lo, whole)
	return q
}
