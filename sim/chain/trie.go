package chain

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"slices"
)

// accounts is a set of accounts: a trie over the SHA-256 of their keys, four bits a level, so that
// nobody chooses where an account lies. A subtree of at most leafAccounts accounts is a leaf, so that
// the shape follows from the set. A trie shares its nodes with those that it was copied from: a node
// of another age than the state that changes it is copied first. A node that two states can reach is
// older than either, since both grow older when one is made of the other.
type accounts struct{ root *trieNode }

const (
	leafAccounts = 8
	trieDepth    = 2 * sha256.Size // beyond which no two keys agree
)

type trieNode struct {
	age      uint64
	count    int       // accounts below
	accounts []account // of a leaf, ascending by path
	bitmap   uint16    // of an inner node: which children there are
	children []*trieNode
	sealed   bool // digest is that of the subtree
	digest   Digest
}

// path leads from the root to an account.
type path Digest

func pathOf(k Key) path { return sha256.Sum256(k[:]) }

// step is the child that the path takes at a depth.
func (p *path) step(depth int) int { return int(p[depth/2]>>(4*(1-depth%2))) & 15 }

func (n *trieNode) leaf() bool { return n.bitmap == 0 }

// place is where the child of a step stands among the children.
func (n *trieNode) place(step int) (i int, ok bool) {
	return bits.OnesCount16(n.bitmap & (1<<step - 1)), n.bitmap>>step&1 == 1
}

// find returns the account of a key, nil if there is none. Read only.
func (t accounts) find(k *Key, p *path) *account {
	n := t.root
	if n == nil {
		return nil
	}
	for depth := 0; !n.leaf(); depth++ {
		i, ok := n.place(p.step(depth))
		if !ok {
			return nil
		}
		n = n.children[i]
	}
	for i := range n.accounts {
		if n.accounts[i].key == *k {
			return &n.accounts[i]
		}
	}
	return nil
}

// get returns the account of k, all zero if there is none. Its part as a hotkey is shared with the
// trie: read it before the next change.
func (t accounts) get(k Key) account {
	p := pathOf(k)
	return t.at(k, &p)
}

func (t accounts) at(k Key, p *path) account {
	if a := t.find(&k, p); a != nil {
		return *a
	}
	return account{key: k, hotkey: noHotkey}
}

func (t accounts) len() int {
	if t.root == nil {
		return 0
	}
	return t.root.count
}

// own returns a node of an age for a change: n itself, or a copy.
func (n *trieNode) own(age uint64) *trieNode {
	if n.age == age {
		n.sealed = false
		return n
	}
	c := *n
	c.age, c.sealed = age, false
	c.accounts, c.children = slices.Clone(n.accounts), slices.Clone(n.children)
	return &c
}

// change returns the account of k for a change, making it where there is none. The pointer is good
// until the next account is made or removed.
func (t *accounts) change(k Key, p *path, age uint64) *account {
	if t.root == nil {
		t.root = &trieNode{age: age}
	}
	t.root = t.root.own(age)
	n := t.root
	for depth := 0; !n.leaf(); depth++ {
		i, ok := n.place(p.step(depth))
		if !ok {
			return t.insert(k, p, age)
		}
		n.children[i] = n.children[i].own(age)
		n = n.children[i]
	}
	for i := range n.accounts {
		if n.accounts[i].key == k {
			return &n.accounts[i]
		}
	}
	return t.insert(k, p, age)
}

// insert makes an account that is not there.
func (t *accounts) insert(k Key, p *path, age uint64) *account {
	n := t.root
	depth := 0
	for ; ; depth++ {
		n.count++
		if n.leaf() {
			if n.count <= leafAccounts || depth == trieDepth {
				break
			}
			n.split(depth, age)
		}
		step := p.step(depth)
		i, ok := n.place(step)
		if ok {
			n.children[i] = n.children[i].own(age)
		} else {
			n.bitmap |= 1 << step
			n.children = slices.Insert(n.children, i, &trieNode{age: age})
		}
		n = n.children[i]
	}
	i, _ := slices.BinarySearchFunc(n.accounts, *p, func(a account, p path) int {
		q := pathOf(a.key)
		return slices.Compare(q[:], p[:])
	})
	grown := make([]account, len(n.accounts)+1) // without room that nobody may use
	copy(grown, n.accounts[:i])
	grown[i] = account{key: k, hotkey: noHotkey}
	copy(grown[i+1:], n.accounts[i:])
	n.accounts = grown
	return &n.accounts[i]
}

// split makes an inner node of a leaf.
func (n *trieNode) split(depth int, age uint64) {
	for _, a := range n.accounts {
		p := pathOf(a.key)
		step := p.step(depth)
		i, ok := n.place(step)
		if !ok { // accounts ascend
			n.bitmap |= 1 << step
			n.children = append(n.children, &trieNode{age: age})
		}
		c := n.children[i]
		c.accounts, c.count = append(c.accounts, a), c.count+1
	}
	n.accounts = nil
}

// remove deletes the account of k, if it is there.
func (t *accounts) remove(k Key, age uint64) {
	p := pathOf(k)
	if t.find(&k, &p) == nil {
		return
	}
	t.root = t.root.without(k, &p, 0, age)
}

// without returns a node without an account that is below it, nil if nothing is left.
func (n *trieNode) without(k Key, p *path, depth int, age uint64) *trieNode {
	if n.count == 1 {
		return nil
	}
	n = n.own(age)
	n.count--
	if n.leaf() {
		n.accounts = slices.DeleteFunc(n.accounts, func(a account) bool { return a.key == k })
		return n
	}
	step := p.step(depth)
	i, _ := n.place(step)
	if c := n.children[i].without(k, p, depth+1, age); c != nil {
		n.children[i] = c
	} else {
		n.bitmap &^= 1 << step
		n.children = slices.Delete(n.children, i, i+1)
	}
	if n.count > leafAccounts {
		return n
	}
	merged := make([]account, 0, n.count)
	_ = n.each(func(a *account) error {
		merged = append(merged, *a)
		return nil
	})
	return &trieNode{age: age, count: n.count, accounts: merged}
}

// each calls f with every account in the order of their paths until it objects.
func (t accounts) each(f func(*account) error) error {
	if t.root == nil {
		return nil
	}
	return t.root.each(f)
}

func (n *trieNode) each(f func(*account) error) error {
	for i := range n.accounts {
		if err := f(&n.accounts[i]); err != nil {
			return fmt.Errorf("account %s: %w", n.accounts[i].key, err)
		}
	}
	for _, c := range n.children {
		if err := c.each(f); err != nil {
			return err
		}
	}
	return nil
}

// account returns the account of k for a change, making it where there is none. The pointer is good
// until the next call.
func (s *State) account(k Key) *account {
	s.touch(k)
	p := pathOf(k)
	return s.accountAt(k, &p)
}

func (s *State) accountAt(k Key, p *path) *account {
	n := s.accounts.len()
	a := s.accounts.change(k, p, s.age)
	if s.accounts.len() > n {
		a.nonce = s.params.firstNonce(s.height)
	}
	return a
}

// hotkey returns what the account of k holds as a hotkey for a change.
func (s *State) hotkey(k Key) *hotkey {
	s.touch(k)
	p := pathOf(k)
	return s.hotkeyAt(k, &p)
}

func (s *State) hotkeyAt(k Key, p *path) *hotkey {
	a := s.accountAt(k, p)
	if a.hotkey == noHotkey || a.hotkey.age != s.age {
		h := *a.hotkey
		h.age = s.age
		a.hotkey = &h
	}
	return a.hotkey
}
