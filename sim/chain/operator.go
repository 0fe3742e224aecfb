package chain

import (
	"bytes"
	"slices"
)

// operator is a hotkey that serves, or wants to serve, as a validator of the network itself. It has
// nothing to do with a uid: pruning does not touch it, and jail does not touch a permit.
type operator struct {
	hotkey      Key
	key         Key  // its consensus key in force; zero: none
	next        Key  // where pending: in force from the next epoch's end; zero: it withdraws
	pending     bool // next counts
	past        []pastKey
	power       uint64 // in milli-TAO, as the consensus engine was told
	since       uint64 // height from which on its votes are counted; without power: to which it answers for them
	missed      []byte // a bit for each of the last JailWindow blocks
	jailed      bool   // for downtime, until its coldkey says otherwise
	jailedUntil uint64 // epochs that must have run before it may
	barredUntil uint64 // for signing twice: epochs that must have run before it may serve; 0: it is not
	outgrown    bool   // its power is above its stake, since
	overFrom    uint64 // this height
	over        uint64 // the last epoch's end that left it so; 0: none did
}

// pastKey is a consensus key that answers for what it signed up to a height.
type pastKey struct {
	key   Key
	until uint64
}

const (
	operatorBytes = 3*32 + 3 + 4 + 5*8 + 8 + 4
	pastKeyBytes  = 32 + 8
	maxPastKeys   = 4   // changes of a key while its evidence lives
	seatDelay     = 2   // blocks after which a change of power is in force
	powerRao      = 1e6 // of stake, for one unit of power
	waitersASeat  = 4   // operators without power, for each seat, that are remembered
)

func (o *operator) layout(c *coder) {
	c.bytes(o.hotkey[:])
	c.bytes(o.key[:])
	c.bytes(o.next[:])
	c.flag(&o.pending)
	list(c, &o.past, pastKeyBytes, func(p *pastKey) {
		c.bytes(p.key[:])
		c.u64(&p.until)
	})
	c.u64(&o.power)
	c.u64(&o.since)
	list(c, &o.missed, 1, c.u8)
	c.flag(&o.jailed)
	c.u64(&o.jailedUntil)
	c.u64(&o.barredUntil)
	c.flag(&o.outgrown)
	c.u64(&o.overFrom)
	c.u64(&o.over)
}

// operatorsLayout codes all records, of a ledger that has seats.
func (h *header) operatorsLayout(c *coder) {
	if h.params.Hard.Seats == 0 {
		return
	}
	list(c, &h.operators, operatorBytes, func(o *operator) { o.layout(c) })
}

// findOperator returns the place of a hotkey among the operators.
func (h *header) findOperator(hotkey Key) (place int, ok bool) {
	return slices.BinarySearchFunc(h.operators, hotkey, func(o operator, k Key) int {
		return bytes.Compare(o.hotkey[:], k[:])
	})
}

// ownOperators returns the operators for a change of records. Lists within them are never changed in
// place.
func (s *State) ownOperators() []operator {
	if s.operatorsAge != s.age {
		s.operators, s.operatorsAge = slices.Clone(s.operators), s.age
	}
	return s.operators
}

// serveSeat gives an operator a consensus key from the next epoch's end on, or lets it withdraw.
func (s *State) serveSeat(hotkey, key Key) error {
	a := s.accounts.get(hotkey)
	if a.owner == (Key{}) {
		return refuse(NotOwner, 0, 0)
	}
	i, known := s.findOperator(hotkey)
	if key == (Key{}) {
		if !known {
			return refuse(NoOperator, 0, 0)
		}
		o := &s.ownOperators()[i]
		o.next, o.pending = Key{}, true
		return nil
	}
	if s.keySpent(key) {
		return refuse(KeySpent, 0, 0)
	}
	stake, least := a.counted(s.epochs+1), s.params.Hard.MinSeatRao
	if stake < least {
		return refuse(StakeBelowSeat, stake, least)
	}
	if known {
		return s.changeKey(i, key)
	}
	if err := s.makeRoom(stake); err != nil {
		return err
	}
	i, _ = s.findOperator(hotkey) // somebody may have gone
	s.operators = slices.Insert(s.ownOperators(), i, operator{
		hotkey: hotkey, next: key, pending: true, missed: make([]byte, s.windowBytes()),
	})
	return nil
}

func (s *State) changeKey(i int, key Key) error {
	switch o := &s.operators[i]; {
	case s.epochs < o.barredUntil:
		return refuse(Barred, s.epochs, o.barredUntil)
	case len(o.past) >= maxPastKeys:
		return refuse(TooManyKeys, uint64(len(o.past)), maxPastKeys)
	}
	o := &s.ownOperators()[i]
	o.next, o.pending = key, true
	return nil
}

// keySpent reports whether a consensus key is, will be or was an operator's.
func (s *State) keySpent(key Key) bool {
	return slices.Contains(s.tombs, key) || slices.ContainsFunc(s.operators, func(o operator) bool {
		return o.key == key || o.next == key ||
			slices.ContainsFunc(o.past, func(p pastKey) bool { return p.key == key })
	})
}

// makeRoom drops the smallest of the operators that wait for a seat, if there are too many, in favour of
// a newcomer with more stake.
func (s *State) makeRoom(stake uint64) error {
	waiting, smallest, least := s.waiters(s.epochs + 1)
	switch {
	case waiting < s.params.Hard.mostWaiters():
		return nil
	case stake <= least:
		return refuse(SeatsFull, stake, least+1)
	}
	s.touch(s.operators[smallest].hotkey)
	s.operators = slices.Delete(s.ownOperators(), smallest, smallest+1)
	return nil
}

// waiters counts the operators that may be dropped, and finds the one with the least stake.
func (s *State) waiters(epoch uint64) (n, smallest int, least uint64) {
	least = maxU64
	for i := range s.operators {
		o := &s.operators[i]
		if s.answerable(o) {
			continue
		}
		n++
		if rao := s.counted(o.hotkey, epoch); rao < least {
			smallest, least = i, rao
		}
	}
	return n, smallest, least
}

func (h *Hard) mostWaiters() int { return waitersASeat * int(h.Seats) }

// answerable reports whether an operator has power, or may still have to answer for what it did.
func (s *State) answerable(o *operator) bool {
	return o.power > 0 || len(o.past) > 0 || s.epochs < max(o.jailedUntil, o.barredUntil) ||
		o.over > 0 || o.since > 0
}

// counted is the stake on a hotkey that counts in an epoch, by its number from 1.
func (s *State) counted(hotkey Key, epoch uint64) uint64 {
	a := s.accounts.get(hotkey)
	return a.counted(epoch)
}

func (h *hotkey) counted(epoch uint64) uint64 {
	if h.changedIn == 0 {
		return h.stakeRao
	}
	_, whole := h.shares(epoch)
	return whole
}

// Operator is a hotkey that serves, or wants to serve, as a validator of the network itself.
type Operator struct {
	Hotkey       Key
	ConsensusKey Key    // in force; zero: none
	Power        uint64 // in milli-TAO; 0: it has no seat
	Missed       int    // of the last JailWindow blocks
	Jailed       bool   // for downtime
	BarredUntil  uint64 // for signing twice: epochs that must have run before it may serve; 0: it is not
	Since        uint64 // height from which on its votes are counted, where it has power
}

// Attended reports whether the ledger reads how its blocks begin, so that no BeginBlock may be skipped.
func (s *State) Attended() bool { return s.params.Hard.Seats > 0 || s.params.Hard.HashEntropy }

// Operators lists them by hotkey.
func (v View) Operators() []Operator {
	var list []Operator
	for _, o := range v.header.operators {
		list = append(list, Operator{o.hotkey, o.key, o.power, o.misses(), o.jailed, o.barredUntil, o.since})
	}
	return list
}
