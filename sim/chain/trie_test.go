package chain

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

var accountsWanted = flag.Int("accounts", 0, "accounts of the long comparison of account stores, 0: none")

// numbered is a key that nobody chose.
func numbered(i uint64) (k Key) {
	binary.LittleEndian.PutUint64(k[:], i*0x9e3779b97f4a7c15+1)
	return k
}

// ground returns n keys whose paths begin with the same digits, by trying.
func ground(n, digits int) (keys []Key) {
	for i := uint64(0); len(keys) < n; i++ {
		k := numbered(i)
		p := pathOf(k)
		same := true
		for d := range digits {
			same = same && p.step(d) == 7
		}
		if same {
			keys = append(keys, k)
		}
	}
	return keys
}

func plant(keys []Key, age uint64) *State {
	s := &State{neurons: &neurons{}, age: age}
	for i, k := range keys {
		s.account(k).freeRao = uint64(1 + i)
	}
	return s
}

// depth is how many nodes stand above the account of a key.
func (t accounts) depth(k Key) (depth int) {
	p := pathOf(k)
	for n := t.root; !n.leaf(); depth++ {
		n = n.child(p.step(depth))
	}
	return depth
}

func TestATrieFollowsFromItsAccounts(t *testing.T) {
	deep := ground(20, 3) // all below one node of the third level
	for seed := range uint64(60) {
		d := rand.New(rand.NewPCG(seed, 0))
		var keys []Key
		for i := range 1 + d.IntN(200) {
			keys = append(keys, numbered(uint64(i)))
		}
		keys = append(keys, deep[:d.IntN(len(deep))]...)
		straight := plant(keys, 0)
		// In another order, with accounts in between that go again, views held and digests stored.
		order := d.Perm(len(keys))
		s := plant(nil, 3)
		for _, i := range order {
			s.account(keys[i]).freeRao = uint64(1 + i)
			other := numbered(1000 + d.Uint64N(100))
			switch d.IntN(4) {
			case 0:
				s.age++
			case 1:
				s.Seal()
			case 2:
				s.account(other).nonce++
			default:
				s.accounts.remove(other, s.age)
			}
		}
		for i := range uint64(100) {
			s.accounts.remove(numbered(1000+i), s.age)
		}
		if err := s.accounts.root.check(nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if s.Digest() != straight.Digest() || s.Seal() != straight.Seal() {
			t.Fatalf("seed %d: %d accounts hash differently in another order", seed, len(keys))
		}
		for i, k := range keys {
			if got := s.accounts.get(k).freeRao; got != uint64(1+i) {
				t.Fatalf("seed %d: account %d has %d rao", seed, i, got)
			}
		}
		for _, i := range order {
			s.accounts.remove(keys[i], s.age)
		}
		if s.accounts.len() != 0 || s.Digest() != plant(nil, 0).Digest() {
			t.Fatalf("seed %d: %d accounts are left", seed, s.accounts.len())
		}
	}
}

func TestADroppedForkLeavesEveryByte(t *testing.T) {
	var keys []Key
	for i := range uint64(5000) {
		keys = append(keys, numbered(i))
	}
	s := crowded(t, 64)
	for _, k := range keys {
		s.account(k).nonce = 7
	}
	digest, before := s.Seal(), encode(t, s)
	f := s.Fork()
	for i := range 1000 {
		f.account(keys[i]).nonce++
		f.accounts.remove(keys[4999-i], f.age)
		f.hotkey(keys[2000+i%1000]).owner = keys[i]
	}
	for uid := range UID(64) {
		f.neuron(uid).port++
	}
	if f.Seal() == digest {
		t.Error("the fork did not change")
	}
	if string(encode(t, s)) != string(before) || s.Digest() != digest || s.Seal() != digest {
		t.Error("the fork changed what it was forked from")
	}
}

// The events of a block that has not ended are a list to which both sides go on to append.
func TestForksDoNotShareTheEventsOfAnOpenBlock(t *testing.T) {
	g := testGenesis(2, func(p *Params) { p.MaxRegistrationsPerBlock = 9 })
	s := mustNew(t, g)
	register := func(s *State, hotkey string) {
		t.Helper()
		tx := Sign("test", testKey("cold1"), s.Nonce(pub("cold1")), 99, Register{Hotkey: pub(hotkey)})
		if err := s.Apply(tx); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 { // the list has room for a fourth
		register(s, fmt.Sprint("first", i))
	}
	f := s.Fork()
	register(s, "ours")
	register(f, "theirs")
	ours, theirs := s.EndBlock(), f.EndBlock()
	for i, want := range []string{"ours", "theirs"} {
		events := [][]Event{ours, theirs}[i]
		if got := events[3].(Registered).Hotkey; len(events) != 4 || got != pub(want) {
			t.Errorf("%d events, the fourth of %s, want %s", len(events), got, pub(want))
		}
	}
}

// A view costs nothing, whatever the state holds, and only what changes after it is copied.
func TestAViewCopiesNothing(t *testing.T) {
	s := crowded(t, 256)
	for i := range uint64(20000) {
		s.account(numbered(i))
	}
	if n := testing.AllocsPerRun(100, func() { s.View() }); n > 0 {
		t.Errorf("a view makes %v pieces of memory", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		s.View()
		s.account(numbered(77)).nonce++
	}); n > 12 {
		t.Errorf("one changed account makes %v pieces of memory", n)
	}
}

// TestKeysThatWereChosenCostNoMore looks at what somebody gets who makes many keys with a purpose: keys
// with equal first bytes are as good as others, and ground ones make a path longer by a level for each
// factor of sixteen in work.
func TestKeysThatWereChosenCostNoMore(t *testing.T) {
	var free []Key
	for i := range uint64(20000) {
		var k Key
		binary.BigEndian.PutUint64(k[24:], i) // all in one bucket of a table by first bits
		free = append(free, k)
	}
	s := plant(free, 0)
	deepest := 0
	for _, k := range free {
		deepest = max(deepest, s.accounts.depth(k))
	}
	if deepest > 6 {
		t.Errorf("20,000 keys with equal first bytes: a path of %d nodes", deepest)
	}
	chosen := ground(16, 4)
	s = plant(chosen, 0)
	if d := s.accounts.depth(chosen[0]); d < 4 || d > 6 {
		t.Errorf("16 keys of equal first digits of their paths: a path of %d nodes", d)
	}
}

// TestManyAccounts is the long comparison: -accounts 1000000. It prints what a change of two accounts,
// as by a transfer, costs at 10^4 accounts and at so many, with random and ground keys, next to 50 checks
// of a signature; what a digest costs after 100 changes, a view, and how many bytes an account takes.
func TestManyAccounts(t *testing.T) {
	n := *accountsWanted
	if n == 0 {
		n = 20000
	}
	transfer := func(s *State, keys []Key) time.Duration {
		const rounds = 20000
		begin := time.Now()
		for i := range rounds {
			a, b := keys[i*7919%len(keys)], keys[i*104729%len(keys)]
			s.account(a).nonce++
			s.account(a).freeRao++
			s.account(b).freeRao++
		}
		return time.Since(begin) / rounds
	}
	var keys []Key
	for i := range uint64(n) {
		keys = append(keys, numbered(i))
	}
	small := plant(keys[:10000], 0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	large := plant(keys, 0)
	large.Seal()
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d accounts, %d bytes each", n, (after.HeapAlloc-before.HeapAlloc)/uint64(n))
	chosen := ground(2000, 3)
	for _, k := range chosen {
		large.account(k)
	}
	few, many, dear := transfer(small, keys[:10000]), transfer(large, keys), transfer(large, chosen)
	tx := Sign("test", testKey("cold0"), 0, 1, Transfer{keys[0], 1})
	begin := time.Now()
	for range 50 {
		if !tx.Verify("test") {
			t.Fatal("a signature is not good")
		}
	}
	checks := time.Since(begin)
	t.Logf("a transfer's accounts: %v at 10,000, %v here, %v with ground keys; a check of a signature %v",
		few, many, dear, checks/50)
	large.Seal()
	var digests []time.Duration
	for round := range 20 {
		for i := range 100 {
			large.account(keys[(round*100+i)*9973%n]).nonce++
		}
		begin := time.Now()
		large.Seal()
		digests = append(digests, time.Since(begin))
	}
	slices.Sort(digests)
	begin = time.Now()
	for range 1000 {
		large.View()
	}
	t.Logf("digest after 100 changed accounts %v, of 50 checks %v; view %v", digests[10], checks,
		time.Since(begin)/1000)
	deepest := 0
	for _, k := range append(slices.Clone(chosen), keys...) {
		deepest = max(deepest, large.accounts.depth(k))
	}
	t.Logf("deepest path: %d nodes", deepest)
	if most := 4 * checks; digests[10] > most && *accountsWanted > 0 {
		t.Errorf("a digest after 100 changed accounts takes %v, at most %v", digests[10], most)
	}
}

func ExampleState_Fork() {
	p, _ := Era("2026")
	coldkey := Key{1}
	s, err := New(Genesis{ChainID: "example", Params: p, Balances: []Balance{{coldkey, 100}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := s.Seal()
	what := s.Fork()
	what.Advance(10)
	fmt.Println(s.Height(), what.Height(), s.Digest() == digest)
	// Output: 0 10 true
}

// A store writes what changed since it last looked.
func ExampleState_Changes() {
	p, _ := Era("2026")
	s, err := New(Genesis{ChainID: "example", Params: p, Neurons: []GenesisNeuron{
		{Key{1}, Key{9}, RaoPerTAO}, {Key{2}, Key{9}, 0},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Advance(300)
	stored := s.View()
	fmt.Println(len(s.Changes(stored).Accounts), "accounts,", s.Changes(stored).Neurons, "neurons")
	s.Advance(60) // an epoch
	fmt.Println(len(s.Changes(stored).Accounts), "accounts,", s.Changes(stored).Neurons, "neurons")
	// Output:
	// 0 accounts, [] neurons
	// 1 accounts, [0 1] neurons
}
