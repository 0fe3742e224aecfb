package chain

import (
	"bytes"
	"slices"
)

// Changes are the records in which a state differs from a view.
type Changes struct {
	Accounts []Key // made or changed, ascending by the SHA-256 of the key, as those that follow
	Removed  []Key // gone
	Neurons  []UID // whose records changed, ascending
	Weights  []UID // whose weights changed
	Bonds    []UID // whose bonds changed
}

// Changes lists what differs from a view of this state or of one that it was forked from. It takes time
// in proportion to the changes, since it skips what the two share, so a store can write just these.
func (s *State) Changes(since View) Changes {
	var c Changes
	c.accounts(since.accounts.root, s.accounts.root, 0)
	for first := 0; first < s.neurons.n; first += pageNeurons {
		c.page(since.neurons, s.neurons, first)
	}
	return c
}

// accounts compares two subtrees at the same place.
func (c *Changes) accounts(old, now *trieNode, depth int) {
	switch {
	case old == now:
	case old == nil || now == nil || old.leaf() || now.leaf():
		c.merge(flat(old), flat(now))
	default:
		for step := range 16 {
			c.accounts(old.child(step), now.child(step), depth+1)
		}
	}
}

// child is the subtree of a step, nil if there is none.
func (n *trieNode) child(step int) *trieNode {
	if i, ok := n.place(step); ok {
		return n.children[i]
	}
	return nil
}

// flat lists the accounts of a subtree. It is called only where one of the two subtrees is a leaf, so
// almost all accounts of the larger one were made or removed.
func flat(n *trieNode) (all []*account) {
	if n != nil {
		_ = n.each(func(a *account) error {
			all = append(all, a)
			return nil
		})
	}
	return all
}

// merge compares two lists that ascend by path.
func (c *Changes) merge(old, now []*account) {
	for len(old)+len(now) > 0 {
		switch order := first(old, now); {
		case order < 0:
			c.Removed = append(c.Removed, old[0].key)
			old = old[1:]
		case order > 0:
			c.Accounts = append(c.Accounts, now[0].key)
			now = now[1:]
		default:
			if !old[0].same(now[0]) {
				c.Accounts = append(c.Accounts, now[0].key)
			}
			old, now = old[1:], now[1:]
		}
	}
}

// first is negative if the next account of old comes first, and 0 if both lists have it.
func first(old, now []*account) int {
	switch {
	case len(now) == 0:
		return -1
	case len(old) == 0:
		return 1
	}
	p, q := pathOf(old[0].key), pathOf(now[0].key)
	return bytes.Compare(p[:], q[:])
}

// same reports whether two records are equal.
func (a *account) same(b *account) bool {
	if a.key != b.key || a.freeRao != b.freeRao || a.nonce != b.nonce || a.refs != b.refs ||
		!slices.Equal(a.unbonding, b.unbonding) {
		return false
	}
	x, y := a.hotkey, b.hotkey
	return x == y || x.owner == y.owner && x.stakeRao == y.stakeRao && x.delegate == y.delegate &&
		x.take == y.take && x.changedIn == y.changedIn && x.settledRao == y.settledRao &&
		x.spentIn == y.spentIn && x.spent == y.spent && x.last == y.last &&
		slices.Equal(x.nominations, y.nominations)
}

// page compares a page of neurons, whose first is given.
func (c *Changes) page(old, now *neurons, first int) {
	p := now.pages[first/pageNeurons]
	var q *page
	if first < old.n {
		q = old.pages[first/pageNeurons]
	}
	if p == q {
		return
	}
	var a, b coder
	for i := range min(pageNeurons, now.n-first) {
		uid, n := UID(first+i), &p.at[i]
		before := &neuron{}
		if first+i < old.n {
			before = &q.at[i]
		}
		a.buf, b.buf = a.buf[:0], b.buf[:0]
		n.layout(&a)
		before.layout(&b)
		if first+i >= old.n || !bytes.Equal(a.buf, b.buf) {
			c.Neurons = append(c.Neurons, uid)
		}
		if !slices.Equal(n.weights, before.weights) {
			c.Weights = append(c.Weights, uid)
		}
		if !slices.Equal(n.bonds, before.bonds) {
			c.Bonds = append(c.Bonds, uid)
		}
	}
}
