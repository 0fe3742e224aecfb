package chain

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var sampleMsgs = []Msg{
	Register{pub("hot0"), 5},
	AddStake{pub("hot0"), 1},
	RemoveStake{pub("hot0"), 2},
	Transfer{pub("cold1"), 3},
	SetWeights{7, []uint16{1, 2}, []uint32{3, 4}},
	SetWeights{},
	ServeAxon{Axon: pub("axon"), IP: [16]byte{15: 1}, Port: 8091},
	RegisterWork{pub("cold1"), 7, 8, Digest{9}},
	Delegate{pub("hot0"), 10},
	ServeConsensus{pub("engine")},
	CommitWeights{Digest{11}},
	RevealWeights{7, []uint16{1, 2}, []uint32{3, 1 << 31}, [32]byte{4}},
	SetParams{"TempoBlocks", 12},
	Burn{13},
	Recycle{14},
	ResetBonds{},
	SignClaim("test", testKey("hot0"), pub("cold0"), 15),
	SignConsensus("test", testKey("engine"), pub("hot0"), 16),
	SignSwap("test", testKey("hot1"), pub("cold0"), pub("hot0"), 17),
}

func TestTransactionsSurviveTheirBytes(t *testing.T) {
	for _, m := range sampleMsgs {
		tx := Sign("test", testKey("cold0"), 3, 99, m)
		b, err := tx.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeTx(b)
		if err != nil {
			t.Fatalf("%T: %v", m, err)
		}
		if d := cmp.Diff(tx, got); d != "" {
			t.Errorf("%T (-want +got):\n%s", m, d)
		}
		if !got.Verify("test") || got.Verify("tesu") {
			t.Errorf("%T: the signature does not name its chain", m)
		}
		for n := range b {
			if _, err := DecodeTx(b[:n]); err == nil {
				t.Errorf("%T: %d of %d bytes were accepted", m, n, len(b))
			}
		}
		if _, err := DecodeTx(append(b, 0)); err == nil {
			t.Errorf("%T: a byte too many was accepted", m)
		}
		for i := range b {
			flipped := bytes.Clone(b)
			flipped[i] ^= 1
			if tx, err := DecodeTx(flipped); err == nil && tx.Verify("test") {
				t.Errorf("%T: byte %d is not covered by the signature", m, i)
			}
		}
	}
}

func TestOversizedTransactionsAreRefused(t *testing.T) {
	if _, err := DecodeTx(make([]byte, MaxTxBytes+1)); err == nil {
		t.Error("decoded")
	}
	tx := Sign("test", testKey("cold0"), 0, 1, SetWeights{UIDs: make([]uint16, maxWeights+1)})
	if _, err := tx.AppendBinary(nil); err == nil {
		t.Error("encoded")
	}
	largest := SetWeights{UIDs: make([]uint16, maxWeights), Values: make([]uint32, maxWeights)}
	b, err := Sign("test", testKey("cold0"), 0, 1, largest).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeTx(b); err != nil {
		t.Errorf("the largest possible was refused: %v", err)
	}
	if _, err := (Tx{}).AppendBinary(nil); err == nil {
		t.Error("a transaction without a message was encoded")
	}
}

func FuzzDecodeTx(f *testing.F) {
	for _, m := range sampleMsgs {
		b, err := Sign("test", testKey("cold0"), 3, 99, m).AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	s := mustNew(f, testGenesis(3, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, err := DecodeTx(b)
		if err != nil {
			return
		}
		again, err := tx.AppendBinary(nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x was read as %x (%v)", b, again, err)
		}
		_ = s.Apply(tx) // must not panic, whatever it says
	})
}

// busyState has everything that a state can have: weights, bonds, events of an open block.
func busyState(t testing.TB) *State {
	g := testGenesis(7, nil)
	g.Stakes = append(g.Stakes, GenesisStake{pub("application"), pub("cold0"), 5})
	s := mustNew(t, g)
	apply := func(signer string, m Msg) {
		t.Helper()
		if err := s.Apply(Sign("test", testKey(signer), s.Nonce(pub(signer)), s.Height()+1, m)); err != nil {
			t.Fatal(err)
		}
	}
	s.Advance(7)
	apply("hot0", SetWeights{UIDs: []uint16{4, 5}, Values: []uint32{1, 2}})
	apply("hot1", SetWeights{UIDs: []uint16{5, 6}, Values: []uint32{1, 2}})
	apply("hot5", ServeAxon{Axon: pub("axon")})
	apply("cold0", AddStake{pub("application"), 6})
	apply("hot1", ServeConsensus{pub("engine")})
	apply("cold0", Delegate{pub("hot0"), 100})
	apply("cold1", AddStake{pub("hot0"), 7})
	s.Advance(14)
	apply("cold1", Register{Hotkey: pub("hot8")})
	s.EndBlock()
	apply("cold1", Register{Hotkey: pub("hot9")}) // the network is full: somebody is replaced
	return s
}

func TestStatesSurviveTheirBytes(t *testing.T) {
	s := busyState(t)
	if len(s.events) != 2 || len(s.View().Bonds(0)) == 0 {
		t.Fatal("the sample state is poorer than it should be")
	}
	b := encode(t, s)
	again := decode(t, b)
	if again.Digest() != s.Digest() {
		t.Error("the digest changed")
	}
	if d := cmp.Diff(s.Advance(20), again.Advance(20)); d != "" {
		t.Errorf("the copy goes on differently (-original +copy):\n%s", d)
	}
	if s.Digest() != again.Digest() {
		t.Error("the copy ends differently")
	}
	for n := range b {
		if err := new(State).UnmarshalBinary(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes were accepted", n, len(b))
		}
	}
	kept := encode(t, again)
	if err := again.UnmarshalBinary(b[:len(b)-1]); err == nil || !bytes.Equal(kept, encode(t, again)) {
		t.Error("a failed decoding changed the state")
	}
}

// FuzzUnmarshalState wants -fuzzminimizetime 1x: a state has thousands of bytes, and by default the go command spends up
// to a minute on making each input smaller that reaches something new, in which nothing else is tried.
func FuzzUnmarshalState(f *testing.F) {
	f.Add(encode(f, busyState(f)))
	f.Add(encode(f, mustNew(f, testGenesis(0, nil))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s State
		if s.UnmarshalBinary(b) != nil {
			return
		}
		if again := encode(t, &s); !bytes.Equal(again, b) {
			t.Fatalf("%x was read as %x", b, again)
		}
		// A state that was accepted must carry on.
		s.Digest()
		s.Advance(min(s.NextEvent()-s.Height(), 50))
		fingerprint(s.View())
	})
}

func TestTheDigestSeesEveryPartOfTheState(t *testing.T) {
	base := busyState(t).Digest()
	// order-free: each change starts from a state of its own.
	for name, change := range map[string]func(*State){
		"chain id":  func(s *State) { s.chainID = "tesu" },
		"parameter": func(s *State) { s.params.Kappa++ },
		"height":    func(s *State) { s.height++ },
		"pending":   func(s *State) { s.money.Pending++ },
		"event":     func(s *State) { s.events = s.events[:1] },
		"free":      func(s *State) { s.account(pub("cold2")).freeRao++ },
		"nonce":     func(s *State) { s.account(pub("cold2")).nonce++ },
		"owner":     func(s *State) { s.hotkey(pub("hot1")).owner[5]++ },
		"account":   func(s *State) { s.account(pub("nobody")) },
		"axon":      func(s *State) { s.neuron(2).axon[0]++ },
		"permit":    func(s *State) { s.neuron(2).permit = !s.neuron(2).permit },
		"weights":   func(s *State) { s.setWeights(2, []WeightEntry{{UID: 1, Weight: 2}}) },
		"bonds":     func(s *State) { s.setBonds(2, []BondEntry{{UID: 1, Bond: 2}}) },
		"engine":    func(s *State) { s.neuron(1).consensusKey[0]++ },
		"address":   func(s *State) { s.neuron(2).ip[3]++ },
		"port":      func(s *State) { s.neuron(2).port++ },
		"commit":    func(s *State) { s.neuron(2).commits = []commit{{block: 1}} },
		"pruned":    func(s *State) { s.neuron(2).pruned = true },
		"wide":      func(s *State) { s.neuron(2).wide.trust++ },
		"take":      func(s *State) { s.hotkey(pub("hot0")).take++ },
		"delegate":  func(s *State) { s.hotkey(pub("hot1")).delegate = true },
		"nominator": func(s *State) { s.hotkey(pub("hot0")).nominate(pub("cold1"), 1) },
		"governor":  func(s *State) { s.governor[0]++ },
		"network":   func(s *State) { s.header.owner[0]++ },
		"hardness":  func(s *State) { s.difficulty++ },
		"mix":       func(s *State) { s.mix[0]++ },
		"entropy":   func(s *State) { s.marks = append(s.marks, mark{s.height, Digest{1}}) },
		"work":      func(s *State) { s.works = append(s.works, usedWork{}) },
		"neuron":    func(s *State) { s.appendNeuron(s.newcomer(UID(s.neurons.n), pub("late"), 3)) },
	} {
		s := busyState(t)
		s.Digest()
		change(s)
		if s.Digest() == base {
			t.Errorf("%s: the digest stayed", name)
		}
	}
	if busyState(t).Digest() != base {
		t.Error("the same history gave another digest")
	}
}

func TestAStateThatCannotBeIsRefused(t *testing.T) {
	// order-free: each change starts from a state of its own.
	for name, change := range map[string]func(*State){
		"money from nowhere":     func(s *State) { s.account(pub("cold2")).freeRao++ },
		"stake from nowhere":     func(s *State) { s.hotkey(pub("hot1")).stakeRao++ },
		"pending from nowhere":   func(s *State) { s.money.Pending++ },
		"money beyond all":       func(s *State) { s.account(pub("cold2")).freeRao = 1 << 63 },
		"pending beyond all":     func(s *State) { s.money.Pending = 1 << 63 },
		"more recycled":          func(s *State) { s.money.Recycled = s.money.Burned + 1 },
		"an epoch to come":       func(s *State) { s.lastEpoch = s.height + 1 },
		"no chain id":            func(s *State) { s.chainID = "" },
		"impossible price":       func(s *State) { s.burnPriceRao = s.params.MaxBurnRao + 1 },
		"unknown rule":           func(s *State) { s.params.Rule = "yuma9" },
		"more neurons than uids": func(s *State) { s.params.MaxUIDs = 4; s.params.MaxWeight = 65535 },
		"hotkey of nobody":       func(s *State) { s.hotkey(pub("hot1")).owner = Key{} },
		"hotkey twice":           func(s *State) { s.neuron(2).hotkey = pub("hot1") },
		"registered in future":   func(s *State) { s.neuron(2).registeredAt = s.height + 2 },
		"weight on nobody":       func(s *State) { s.setWeights(2, []WeightEntry{{UID: 8, Weight: 2}}) },
		"weight twice":           func(s *State) { s.setWeights(2, make([]WeightEntry, 2)) },
		"bond in nobody":         func(s *State) { s.setBonds(2, []BondEntry{{UID: 8, Bond: 2}}) },
		"nominated too much":     func(s *State) { s.hotkey(pub("hot0")).nominate(pub("cold1"), 1<<40) },
		"a nomination by nobody": func(s *State) { s.hotkey(pub("hot0")).nominate(Key{}, 1) },
		"nominated, no delegate": func(s *State) { s.hotkey(pub("hot0")).delegate = false },
		"an owner of nothing":    func(s *State) { s.header.owner = pub("stranger") },
		"difficulty too low":     func(s *State) { s.difficulty = 1 },
		"one engine for two":     func(s *State) { s.neuron(2).consensusKey = pub("engine") },
		"entropy to come":        func(s *State) { s.marks = []mark{{s.height + 1, Digest{}}} },
		"entropy out of order":   func(s *State) { s.marks = []mark{{2, Digest{}}, {1, Digest{}}} },
		"entropy of long ago":    func(s *State) { s.marks = make([]mark, 99) },
		"a commit to come":       func(s *State) { s.neuron(2).commits = []commit{{block: s.height, epoch: 99}} },
		"a work to come":         func(s *State) { s.works = []usedWork{{block: s.height + 1}} },
		"bond twice":             func(s *State) { s.setBonds(2, make([]BondEntry, 2)) },
	} {
		s := busyState(t)
		change(s)
		if err := new(State).UnmarshalBinary(encode(t, s)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestABrokenAccountPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a block ended with a rao too many")
		}
	}()
	s := busyState(t)
	s.money.Dust++
	s.EndBlock()
}

func TestKeysSurviveTheirDigits(t *testing.T) {
	k := pub("cold0")
	if got, err := ParseKey(k.String()); err != nil || got != k {
		t.Errorf("%v: %v %v", k, got, err)
	}
	for _, bad := range []string{"", "00", k.String()[:63], k.String() + "0", "x" + k.String()[1:]} {
		if _, err := ParseKey(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if d := busyState(t).Digest(); len(d.String()) != 64 {
		t.Errorf("digest %q", d)
	}
}
