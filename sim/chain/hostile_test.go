package chain

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"testing"
	"time"
)

// TestManyWorksAreReadInTime reads what would take minutes if each were compared with each.
func TestManyWorksAreReadInTime(t *testing.T) {
	s := mustNew(t, testGenesis(1, nil))
	s.EndBlock()
	for i := range uint32(200_000) {
		w := usedWork{block: s.height}
		binary.BigEndian.PutUint32(w.work[:], i)
		s.works = append(s.works, w)
	}
	start := time.Now()
	if err := new(State).UnmarshalBinary(encode(t, s)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("reading %d works took %v", len(s.works), took)
	}
	s.works[len(s.works)-1].work = s.works[0].work
	if err := new(State).UnmarshalBinary(encode(t, s)); err == nil {
		t.Error("a work that stands twice was accepted")
	}
}

// TestACountOfEventsCostsNoMoreThanTheEventsWould reads a block of zeros as a list of events.
func TestACountOfEventsCostsNoMoreThanTheEventsWould(t *testing.T) {
	const size = 1 << 20
	b := binary.LittleEndian.AppendUint32(nil, size)
	c := coder{buf: append(b, make([]byte, size)...), reading: true}
	var events []Event
	used := spent(func() { list(&c, &events, eventBytes, func(e *Event) { eventLayout(&c, e) }) })
	if c.err == nil || used > size {
		t.Errorf("%d events in %d bytes: %v, %d bytes of memory", size, size, c.err, used)
	}
	for _, e := range []Event{Registered{}, Replaced{}} {
		c := coder{}
		if eventLayout(&c, &e); len(c.buf) < eventBytes {
			t.Errorf("%T has %d bytes, less than the smallest", e, len(c.buf))
		}
	}
}

// TestRecyclingForEverEndsBeforeNumbersDo mints and recycles until 2^62 rao have been minted.
func TestRecyclingForEverEndsBeforeNumbersDo(t *testing.T) {
	g := testGenesis(1, func(p *Params) {
		p.Emission, p.EmissionFlatRao = "flat", 20e15
		p.TempoBlocks = 1
	})
	s := mustNew(t, g)
	sign := func(m Msg) {
		t.Helper()
		tx := Sign("test", testKey("cold0"), s.Nonce(pub("cold0")), s.Height()+1, m)
		if err := s.Apply(tx); err != nil {
			t.Fatal(err)
		}
	}
	for s.money.Minted < mostMinted {
		s.EndBlock()
		sign(RemoveStake{pub("hot0"), s.View().StakeOf(pub("hot0")) - 1})
		sign(Recycle{s.View().FreeOf(pub("cold0"))})
		if s.Height() > 300 {
			t.Fatalf("%d rao were minted in %d blocks", s.money.Minted, s.Height())
		}
	}
	again := decode(t, encode(t, s))
	for range 5 {
		s.EndBlock()
	}
	again.Advance(5)
	if s.money.Minted != mostMinted || s.Digest() != again.Digest() {
		t.Errorf("minted %d, at once %d", s.money.Minted, again.money.Minted)
	}
	if err := s.CheckInvariants(); err != nil {
		t.Error(err)
	}
}

// TestADebtIsNoMoney pays more than there was, and books the rest as less than nothing.
func TestADebtIsNoMoney(t *testing.T) {
	s := mustNew(t, testGenesis(1, nil))
	s.money.Staked++
	s.money.Dust--
	defer func() {
		if recover() == nil {
			t.Errorf("the books balance with %d rao of dust", s.money.Dust)
		}
	}()
	s.mustConserve()
}

// TestNobodySignsForAKeyOfSmallOrder tries the signature that holds for all messages under the
// neutral point, and every weak key as a signer.
func TestNobodySignsForAKeyOfSmallOrder(t *testing.T) {
	neutral := Key{1}
	g := testGenesis(1, nil)
	g.Balances = append(g.Balances, Balance{neutral, 1000})
	s := mustNew(t, g)
	tx := Tx{Signer: neutral, Expiry: 9, Msg: Transfer{pub("thief"), 1000}, Signature: [64]byte{1}}
	if !ed25519.Verify(neutral[:], tx.signed("test"), tx.Signature[:]) {
		t.Fatal("the forgery is none")
	}
	if err := s.Apply(tx); !errors.Is(err, BadSignature) {
		t.Errorf("forged: %v", err)
	}
	for _, k := range weakKeys {
		for range 2 {
			if !k.weak() {
				t.Errorf("%s is not weak", k)
			}
			k[31] ^= 0x80
		}
	}
	if pub("cold0").weak() {
		t.Error("a usual key is weak")
	}
}

func TestAUIDThatStandsTwiceIsSaidFirst(t *testing.T) {
	s := mustNew(t, testGenesis(3, nil))
	s.neuron(0).permit = true
	for _, uid := range []uint16{2, 3, maxWeights, maxU16} {
		err := s.Apply(Sign("test", testKey("hot0"), 0, 9, SetWeights{
			UIDs: []uint16{uid, uid}, Values: []uint32{1, 1},
		}))
		if !errors.Is(err, DuplicateUID) {
			t.Errorf("uid %d twice: %v", uid, err)
		}
	}
}
