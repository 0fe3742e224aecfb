package chain

import (
	"bytes"
	"slices"
)

// account is all that the ledger knows about a key beside its neuron: what it has as a coldkey,
// what it holds as a hotkey, and the nonce of what it signs.
type account struct {
	key      Key
	owner    Key // the coldkey that owns this hotkey; zero: nobody
	freeRao  uint64
	stakeRao uint64 // on the hotkey, its nominators' included
	nonce    uint64 // smallest that its next transaction may have

	delegate    bool   // open to nominators
	take        uint16 // share of their dividends that the owner keeps, in 1/65535
	changedIn   uint64 // Params.StakeSettles: epoch, from 1, in which stake was last added or removed
	settledRao  uint64 // the owner's stake when that epoch began
	nominations []nomination
}

// nomination is the stake that somebody else than the owner has on a delegate hotkey.
type nomination struct {
	coldkey    Key
	stakeRao   uint64
	settledRao uint64 // when the epoch began in which stake on the hotkey was last changed
}

const (
	nominationBytes = 32 + 2*8
	accountBytes    = 2*32 + 5*8 + 1 + 2 + 4
)

// nomination returns the place of a nominator and whether it is there.
func (a *account) nomination(coldkey Key) (int, bool) {
	return slices.BinarySearchFunc(a.nominations, coldkey, func(n nomination, k Key) int {
		return bytes.Compare(n.coldkey[:], k[:])
	})
}

func (a *account) layout(c *coder) {
	c.bytes(a.key[:])
	c.bytes(a.owner[:])
	c.u64(&a.freeRao)
	c.u64(&a.stakeRao)
	c.u64(&a.nonce)
	c.flag(&a.delegate)
	c.u16(&a.take)
	c.u64(&a.changedIn)
	c.u64(&a.settledRao)
	list(c, &a.nominations, nominationBytes, func(n *nomination) {
		c.bytes(n.coldkey[:])
		c.u64(&n.stakeRao)
		c.u64(&n.settledRao)
	})
}

// accounts is a table of accounts: a bucket per first twelve bits of the key, each sorted. Tables and
// buckets of another age than the state's are shared with views and copied before a change.
type accounts struct {
	age     uint64
	buckets [4096]*bucket
}

type bucket struct {
	age  uint64
	list []account
}

// bucketOf is the place of the bucket of k.
func bucketOf(k Key) int { return int(k[0])<<4 | int(k[1]>>4) }

// find returns the place of k in its bucket and whether it is there.
func (t *accounts) find(k Key) (b *bucket, place int, ok bool) {
	b = t.buckets[bucketOf(k)]
	if b == nil {
		return nil, 0, false
	}
	place, ok = slices.BinarySearchFunc(b.list, k, func(a account, k Key) int {
		return bytes.Compare(a.key[:], k[:])
	})
	return b, place, ok
}

// get returns the account of k, all zero if there is none.
func (t *accounts) get(k Key) account {
	if b, i, ok := t.find(k); ok {
		return b.list[i]
	}
	return account{key: k}
}

// account returns the account of k for a change, making it where there is none. The pointer is
// good until the next call.
func (s *State) account(k Key) *account {
	if s.accounts.age != s.age {
		t := *s.accounts
		t.age = s.age
		s.accounts = &t
	}
	s.leaves[accountLeaves].touch(bucketOf(k))
	b, i, ok := s.accounts.find(k)
	if b == nil || b.age != s.age {
		fresh := &bucket{age: s.age}
		if b != nil {
			fresh.list = slices.Clone(b.list)
		}
		b = fresh
		s.accounts.buckets[bucketOf(k)] = b
	}
	if !ok {
		b.list = slices.Insert(b.list, i, account{key: k})
	}
	return &b.list[i]
}
