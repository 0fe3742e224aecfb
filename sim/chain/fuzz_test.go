package chain

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
)

// grounds are the states on which fuzzed messages land: one of each kind of book-keeping.
func grounds(t testing.TB) [][]byte {
	p, err := Era("nakamoto-2022-03")
	if err != nil {
		t.Fatal(err)
	}
	w := stage(t, 3, func(g *Genesis) {
		g.Params = p.Scaled(4)
		g.Params.MinDifficulty, g.Params.Difficulty, g.Params.AllowBurn = 1, 1, true
	})
	w.do(hots[0], on(1, 1, 2, 9))
	w.epoch()
	open := rich(t)
	tx := Sign("stage", governor.sign, open.Nonce(governor.key), 1000, set("CommitReveal", 0))
	if err := open.Apply(tx); err != nil {
		t.Fatal(err)
	}
	return [][]byte{
		encode(t, rich(t)), encode(t, open), encode(t, w.s), encode(t, amongStrangers(t)),
		encode(t, richSeats(t)), encode(t, richCouncil(t).s),
	}
}

// amongStrangers is a state with every rule about accounts and keys, in which transactions cost nothing.
func amongStrangers(t testing.TB) *State {
	w := stage(t, 3, func(g *Genesis) {
		g.Params = g.Params.Live()
		h := &g.Params.Hard
		h.FeeRao, h.UnbondEpochs, h.MinSeatRao = 0, 2, RaoPerTAO
		g.Params.MaxNominators, g.Params.BondsReset = 2, true
	})
	w.must(colds[0], Delegate{hots[0].key, 5})
	w.must(colds[1], AddStake{hots[0].key, RaoPerTAO})
	w.must(colds[0], Transfer{colds[4].key, 2_000_000})
	w.claims(colds[1], hots[7])
	w.end(12)
	w.s.BeginBlock(Begin{Hash: Digest{3}})
	return w.s
}

// fuzzMessage applies messages of one kind, read from bytes, that anybody may have signed: nothing
// panics, what is refused changes nothing, and what is applied keeps every invariant.
func fuzzMessage(f *testing.F, samples ...Msg) {
	kind, all := samples[0].kind(), grounds(f)
	for i, m := range samples {
		c := coder{}
		appendMsg(&c, m)
		for ground := range uint8(len(all)) {
			f.Add(ground, uint8(i), c.buf)
			f.Add(ground, uint8(12+i), c.buf)
		}
	}
	f.Fuzz(func(t *testing.T, ground, signer uint8, body []byte) {
		c := coder{buf: body, reading: true}
		m := readMsg(&c, kind)
		if c.end() != nil || len(body) > 4096 {
			return
		}
		s := decode(t, all[int(ground)%len(all)])
		a := actors[int(signer)%len(actors)]
		before, digest, watch := encode(t, s), s.Digest(), s.Watch()
		err := s.Apply(Sign("stage", a.sign, s.Nonce(a.key), s.height+1, m))
		var refusal *Error
		switch {
		case err == nil:
			s.Digest()
		case !errors.As(err, &refusal):
			t.Fatalf("%+v: an untyped error: %v", m, err)
		case digest != s.Digest() || !bytes.Equal(before, encode(t, s)):
			t.Fatalf("%+v: refused (%v), but something changed", m, err)
		}
		for _, blocks := range []uint64{0, 1, 30} {
			s.Advance(blocks)
			if err := watch.Check(s); err != nil {
				t.Fatalf("%+v, %d blocks later: %v", m, blocks, err)
			}
			if err := s.CheckInvariants(); err != nil {
				t.Fatalf("%+v, %d blocks later: %v", m, blocks, err)
			}
		}
	})
}

func FuzzRegister(f *testing.F) {
	fuzzMessage(f, Register{Hotkey: hots[7].key}, Register{hots[8].key, RaoPerTAO},
		Register{Hotkey: hots[0].key})
}

func FuzzRegisterWork(f *testing.F) {
	for ground, b := range grounds(f) { // one that is right, and its hotkey
		w := &world{Rand: rand.New(rand.NewPCG(1, 1)), s: decode(f, b)}
		c := coder{}
		appendMsg(&c, w.work(hots[7], colds[0], w.s.height))
		f.Add(uint8(ground), uint8(12+7), c.buf)
	}
	fuzzMessage(f, RegisterWork{Coldkey: colds[0].key, Block: 20},
		RegisterWork{Coldkey: colds[5].key, Nonce: 7})
}

func FuzzAddStake(f *testing.F) {
	fuzzMessage(f, AddStake{hots[0].key, 5}, AddStake{hots[9].key, 1<<64 - 1},
		AddStake{colds[1].key, 100 * RaoPerTAO})
}

func FuzzRemoveStake(f *testing.F) {
	fuzzMessage(f, RemoveStake{hots[0].key, 5}, RemoveStake{hots[0].key, 7},
		RemoveStake{hots[1].key, 1<<64 - 1})
}

func FuzzDelegate(f *testing.F) {
	fuzzMessage(f, Delegate{hots[1].key, 0}, Delegate{hots[0].key, 65535}, Delegate{hots[0].key, 99})
}

func FuzzTransfer(f *testing.F) {
	fuzzMessage(f, Transfer{colds[1].key, 1}, Transfer{hots[0].key, 1<<64 - 1}, Transfer{Key{}, 1})
}

func FuzzBurn(f *testing.F) { fuzzMessage(f, Burn{1}, Burn{100 * RaoPerTAO}, Burn{1<<64 - 1}) }

func FuzzRecycle(f *testing.F) {
	fuzzMessage(f, Recycle{1}, Recycle{100 * RaoPerTAO}, Recycle{1<<64 - 1})
}

func FuzzSetWeights(f *testing.F) {
	fuzzMessage(f, on(1, 1), on(1, 65535, 2, 1, 3, 7),
		SetWeights{UIDs: []uint16{9}, Values: []uint32{1<<32 - 1}},
		SetWeights{UIDs: []uint16{1, 1}, Values: []uint32{1}})
}

func FuzzCommitWeights(f *testing.F) { fuzzMessage(f, CommitWeights{}, CommitWeights{Digest{1}}) }

func FuzzRevealWeights(f *testing.F) {
	fuzzMessage(f, hidden(1, on(1, 1)), hidden(2, on(2, 1)), hidden(3, on(9, 1)))
}

func FuzzServeAxon(f *testing.F) {
	fuzzMessage(f, ServeAxon{Axon: hots[3].key, IP: [16]byte{10: 255, 11: 255, 12: 10}, Port: 8091},
		ServeAxon{})
}

func FuzzServeConsensus(f *testing.F) {
	fuzzMessage(f, ServeConsensus{hots[9].key}, ServeConsensus{hots[3].key}, ServeConsensus{})
}

func FuzzClaim(f *testing.F) {
	fuzzMessage(f, SignClaim("stage", hots[8].sign, colds[0].key, 13),
		SignClaim("stage", hots[7].sign, colds[1].key, 13), SignClaim("stage", hots[8].sign, colds[0].key, 9999),
		Claim{Hotkey: Key{1}, Expiry: 13})
}

func FuzzProveConsensus(f *testing.F) {
	fuzzMessage(f, SignConsensus("stage", provable(1).sign, hots[0].key, 13),
		SignConsensus("stage", colds[0].sign, hots[0].key, 13), ProveConsensus{Key: tall(0xee, 0x7f), Expiry: 13})
}

func FuzzSwapHotkey(f *testing.F) {
	fuzzMessage(f, SignSwap("stage", hots[8].sign, colds[0].key, hots[0].key, 13),
		SignSwap("stage", hots[7].sign, colds[1].key, hots[7].key, 13),
		SignSwap("stage", hots[8].sign, colds[1].key, hots[7].key, 13), SwapHotkey{Expiry: 13})
}

func FuzzUnjail(f *testing.F) { fuzzMessage(f, Unjail{hots[1].key}, Unjail{hots[0].key}, Unjail{}) }

// The first of the actors are the council.
func FuzzPropose(f *testing.F) {
	fuzzMessage(f, changing("ImmunityBlocks", 1), changing("RewardRao", 1<<63), Propose{Upgrade: Upgrade{4, 200_000}},
		Propose{Members: []Key{colds[3].key}, Threshold: 1},
		Propose{Changes: []ParamChange{{"Kappa", 30001}, {"Rho", 11}}, Upgrade: Upgrade{1, 1}})
}

func FuzzApprove(f *testing.F) {
	fuzzMessage(f, Approve{ID: 1}, Approve{2, true}, Approve{1, true}, Approve{ID: 1 << 63})
}

func FuzzResetBonds(f *testing.F) { fuzzMessage(f, ResetBonds{}) }

// The governor is the last of the actors.
func FuzzSetParams(f *testing.F) {
	samples := []Msg{set("Kappa", 1), set("nothing", 0)}
	for _, name := range Governable() {
		samples = append(samples, set(name, 1), set(name, 70000))
	}
	for _, m := range samples {
		c := coder{}
		appendMsg(&c, m)
		f.Add(uint8(0), uint8(len(actors)-1), c.buf)
	}
	fuzzMessage(f, samples[:2]...)
}

// FuzzHistory lets the bytes choose what happens next.
func FuzzHistory(f *testing.F) {
	f.Add(uint64(1), []byte{0, 6, 24, 2, 56, 2, 56, 57})
	f.Add(uint64(7), []byte("a whole life of a network"))
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		w := newWorld(t, seed)
		w.seen = &observer{count: make([]int, len(reachable))}
		watch := w.s.Watch()
		w.check = func() {
			if err := watch.Check(w.s); err != nil {
				t.Fatalf("%v\n%s", err, w.script())
			}
		}
		all := w.operations()
		for _, b := range choices[:min(len(choices), 60)] {
			op := all[int(b)%len(all)]
			w.kind = op.name
			op.do(w)
		}
		if err := w.s.CheckInvariants(); err != nil {
			t.Fatalf("%v\n%s", err, w.script())
		}
	})
}

// spent is the memory that f allocates, in bytes.
func spent(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestDecodersAllocateNoMoreThanTheirInputJustifies writes the largest numbers wherever a count may
// stand.
func TestDecodersAllocateNoMoreThanTheirInputJustifies(t *testing.T) {
	lie := func(b []byte, at int) []byte {
		lying := bytes.Clone(b)
		binary.LittleEndian.PutUint32(lying[at:], 1<<32-1)
		return lying
	}
	for _, m := range sampleMsgs {
		b, err := Sign("test", testKey("cold0"), 3, 99, m).AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		for at := range len(b) - 4 {
			lying := lie(b, at)
			if used, limit := spent(func() { _, _ = DecodeTx(lying) }), uint64(16*len(b)+4096); used > limit {
				t.Fatalf("%T: a lie at %d of %d bytes costs %d bytes, at most %d", m, at, len(b), used, limit)
			}
		}
	}
	b := grounds(t)[0]
	for at := 0; at < len(b)-4; at += 3 {
		lying := lie(b, at)
		// The scratch of a state is there anyway.
		used, limit := spent(func() { _ = new(State).UnmarshalBinary(lying) }), uint64(32*len(b)+1<<19)
		if used > limit {
			t.Fatalf("a lie at %d of %d bytes costs %d bytes, at most %d", at, len(b), used, limit)
		}
	}
}
