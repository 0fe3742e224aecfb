package chain

import (
	"cmp"
	"slices"
)

// SeatChange tells the consensus engine the power of a key; 0: it has no seat any more.
type SeatChange struct {
	Hotkey, Key Key
	Power       uint64
}

// reseat moves the power of the operators at the end of an epoch. The returned updates are in force two
// blocks later: differences only, by key, each once.
func (s *State) reseat() []Event {
	h := &s.params.Hard
	if h.Seats == 0 {
		return nil
	}
	before := slices.Clone(s.operators)
	all := s.ownOperators()
	total := power(all)
	moved := s.turnKeys(all) + s.expel(all, total)
	s.shift(all, total, moved)
	kept := total > 0 && power(all) == 0
	if kept { // an engine without validators stands still for ever
		copy(all, before)
	}
	for i := range all {
		s.follow(&all[i], before[i].power)
	}
	seated := Seated{s.height, kept, seatChanges(before, all)}
	for { // who lost a seat may wait for one, if there is room
		n, smallest, _ := s.waiters(s.epochs)
		if n <= h.mostWaiters() {
			return []Event{seated}
		}
		s.touch(s.operators[smallest].hotkey)
		s.operators = slices.Delete(s.operators, smallest, smallest+1)
	}
}

func power(all []operator) (sum uint64) {
	for i := range all {
		sum += all[i].power
	}
	return sum
}

// turnKeys puts new consensus keys in force and forgets those that answer for nothing any more. It
// returns the power that changed its key.
func (s *State) turnKeys(all []operator) (moved uint64) {
	for i := range all {
		o := &all[i]
		if slices.ContainsFunc(o.past, s.forgiven) {
			o.past = slices.DeleteFunc(slices.Clone(o.past), s.forgiven)
		}
		if !o.pending || o.next == (Key{}) {
			continue
		}
		moved += o.power
		s.retire(o)
		o.key, o.next, o.pending = o.next, Key{}, false
	}
	return moved
}

// retire takes the key of an operator out of force. It answers for what it signed.
func (s *State) retire(o *operator) {
	if o.key != (Key{}) {
		o.past = append(slices.Clip(o.past), pastKey{o.key, s.height + seatDelay})
		o.key = Key{}
	}
}

func (s *State) forgiven(p pastKey) bool { return p.until+s.unbondBlocks() < s.height }

// expel takes power and key of the barred, and of the last seat that served on with a dead key; and the
// power of those who were away too long: who missed most first, up to a third of all power, or after an
// outage the late would jail everybody.
func (s *State) expel(all []operator, total uint64) (moved uint64) {
	var away []*operator
	for i := range all {
		o := &all[i]
		switch {
		case s.epochs < o.barredUntil || slices.Contains(s.tombs, o.key):
			moved += o.power
			o.power = 0
			s.retire(o)
		case o.power == 0:
		case s.wasAway(o):
			away = append(away, o)
		}
	}
	slices.SortStableFunc(away, func(a, b *operator) int { return b.misses() - a.misses() })
	left := total / 3
	for _, o := range away {
		if o.power > left {
			break
		}
		left -= o.power
		moved += o.power
		o.power, o.jailed, o.jailedUntil = 0, true, s.epochs+uint64(s.params.Hard.JailEpochs)
	}
	return moved
}

// shift moves power toward what stake gives, the largest differences first, so that with what moved
// already at most one part in ChurnDen of all power changes hands: a light client has to find a third
// of the power that it trusts in the next set.
func (s *State) shift(all []operator, total, moved uint64) {
	type move struct {
		o  *operator
		to uint64
	}
	targets := s.targets(all)
	var moves []move
	for i := range all {
		if all[i].power != targets[i] {
			moves = append(moves, move{&all[i], targets[i]})
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int {
		return cmp.Compare(distance(b.o.power, b.to), distance(a.o.power, a.to))
	})
	left := uint64(maxU64)
	if den := uint64(s.params.Hard.ChurnDen); den > 0 && total > 0 {
		budget := max(total/den, 1)
		left = budget - min(moved, budget)
	}
	for _, m := range moves {
		step := min(distance(m.o.power, m.to), left)
		left -= step
		if m.to > m.o.power {
			m.o.power += step
		} else {
			m.o.power -= step
		}
	}
}

func distance(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// targets is the power that each operator should have: its stake, if it is one of the largest.
func (s *State) targets(all []operator) []uint64 {
	h := &s.params.Hard
	targets, candidates := make([]uint64, len(all)), []int(nil)
	for i := range all {
		o := &all[i]
		stake := s.counted(o.hotkey, s.epochs)
		if o.key == (Key{}) || o.pending || o.jailed || s.epochs < o.barredUntil || stake < h.MinSeatRao {
			continue
		}
		targets[i] = stake / powerRao
		candidates = append(candidates, i)
	}
	slices.SortStableFunc(candidates, func(a, b int) int { return cmp.Compare(targets[b], targets[a]) })
	for _, i := range candidates[min(len(candidates), int(h.Seats)):] {
		targets[i] = 0
	}
	return targets
}

// follow notes what came of an operator at the end of an epoch, in which it had so much power before.
func (s *State) follow(o *operator, before uint64) {
	if o.power > 0 && before == 0 {
		o.missed = make([]byte, s.windowBytes())
	}
	switch {
	case (o.power > 0) != (before > 0):
		o.since = s.height + seatDelay
	case o.power == 0 && o.since+s.unbondBlocks() < s.height: // it answers for nothing any more
		o.since = 0
	}
	if o.power == 0 && o.pending && o.next == (Key{}) { // it has withdrawn
		s.retire(o)
		o.pending = false
	}
	if o.power <= s.counted(o.hotkey, s.epochs)/powerRao {
		o.outgrown = false
		if o.over+s.unbondBlocks() <= s.height { // all that left meanwhile is out
			o.overFrom, o.over = 0, 0
		}
		return
	}
	if !o.outgrown {
		o.outgrown, o.overFrom = true, s.height
	}
	o.over = s.height
}

// seatChanges lists by key what the consensus engine has to be told.
func seatChanges(before, after []operator) []SeatChange {
	var list []SeatChange
	for i := range after {
		a, b := &before[i], &after[i]
		if a.power > 0 && a.key != b.key {
			list = append(list, SeatChange{a.hotkey, a.key, 0})
		}
		if b.power > 0 && (a.key != b.key || a.power != b.power) || a.power > 0 && b.power == 0 && a.key == b.key {
			list = append(list, SeatChange{b.hotkey, b.key, b.power})
		}
	}
	slices.SortFunc(list, func(a, b SeatChange) int { return compareKeys(a.Key, b.Key) })
	return list
}
