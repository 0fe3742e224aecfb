package chain

import (
	"crypto/ed25519"
	"errors"
	"testing"
)

// agreement is a kind of message within which a key signs, made by an honest signer for cold0 and hot0.
type agreement struct {
	name   string
	from   actor // who sends it
	sign   func(w *world, chainID string, expiry uint64) Msg
	spoils map[string]func(w *world) Msg // signed for something else
	expire func(m Msg, expiry uint64) Msg
}

var agreements = []agreement{
	{
		name: "claim", from: colds[0],
		sign: func(_ *world, id string, expiry uint64) Msg {
			return SignClaim(id, hots[9].sign, colds[0].key, expiry)
		},
		spoils: map[string]func(w *world) Msg{
			"for another coldkey": func(w *world) Msg {
				return SignClaim(w.genesis.ChainID, hots[9].sign, colds[1].key, w.s.height+1)
			},
			"by another hotkey": func(w *world) Msg {
				m := SignClaim(w.genesis.ChainID, hots[8].sign, colds[0].key, w.s.height+1)
				m.Hotkey = hots[9].key
				return m
			},
		},
		expire: func(m Msg, expiry uint64) Msg { c := m.(Claim); c.Expiry = expiry; return c },
	},
	{
		name: "proof of a consensus key", from: hots[0],
		sign: func(_ *world, id string, expiry uint64) Msg {
			return SignConsensus(id, provable(1).sign, hots[0].key, expiry)
		},
		spoils: map[string]func(w *world) Msg{
			"for another hotkey": func(w *world) Msg {
				return SignConsensus(w.genesis.ChainID, provable(1).sign, hots[1].key, w.s.height+1)
			},
			"by another key": func(w *world) Msg {
				m := SignConsensus(w.genesis.ChainID, provable(2).sign, hots[0].key, w.s.height+1)
				m.Key = provable(1).key
				return m
			},
		},
		expire: func(m Msg, expiry uint64) Msg { c := m.(ProveConsensus); c.Expiry = expiry; return c },
	},
	{
		name: "swap", from: colds[0],
		sign: func(_ *world, id string, expiry uint64) Msg {
			return SignSwap(id, hots[9].sign, colds[0].key, hots[0].key, expiry)
		},
		spoils: map[string]func(w *world) Msg{
			"for another coldkey": func(w *world) Msg {
				return SignSwap(w.genesis.ChainID, hots[9].sign, colds[1].key, hots[0].key, w.s.height+1)
			},
			"for another old hotkey": func(w *world) Msg {
				m := SignSwap(w.genesis.ChainID, hots[9].sign, colds[0].key, hots[1].key, w.s.height+1)
				m.Old = hots[0].key
				return m
			},
			"by another hotkey": func(w *world) Msg {
				m := SignSwap(w.genesis.ChainID, hots[8].sign, colds[0].key, hots[0].key, w.s.height+1)
				m.New = hots[9].key
				return m
			},
		},
		expire: func(m Msg, expiry uint64) Msg { c := m.(SwapHotkey); c.Expiry = expiry; return c },
	},
}

// The agreement of a key holds for the one, the chain and the time that it signed for, to the block.
func TestAnAgreementHoldsForWhatWasSignedOnly(t *testing.T) {
	for _, a := range agreements {
		w := strangers(t, true)
		id, next, most := w.genesis.ChainID, w.s.height+1, w.s.params.Hard.MaxExpiryBlocks
		for _, spoil := range a.spoils { // order-free: each is refused
			w.mustNot(a.from, spoil(w), NoConsent)
		}
		w.mustNot(a.from, a.sign(w, "elsewhere", next), NoConsent)
		w.mustNot(a.from, a.expire(a.sign(w, id, next+1), next), NoConsent)
		w.mustNot(a.from, a.expire(a.sign(w, id, next-1), next), NoConsent)
		w.mustNot(a.from, a.sign(w, id, next-1), ConsentExpired)
		w.mustNot(a.from, a.sign(w, id, next+most+1), ExpiryTooFar)
		late := w.s.Fork()
		w.must(a.from, a.sign(w, id, next+most))
		w.s = late
		w.must(a.from, a.sign(w, id, next))
		if err := w.s.CheckInvariants(); err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
	}
}

// Keys of small order verify a signature of zeros under whatever was signed: none of them agrees. Nor
// does a form of a key that is not its own.
func TestNobodyAgreesWithAKeyForWhichAnybodyCouldSign(t *testing.T) {
	identity, nothing := Key{1}, []byte("anything")
	signature := [64]byte{0: 1} // the identity as R, and s = 0
	if !ed25519.Verify(identity[:], nothing, signature[:]) {
		t.Fatal("the library refuses the signature by itself: nothing to see")
	}
	if signs(identity, nothing, signature) {
		t.Error("the key of the identity agreed")
	}
	tallIdentity := tall(0xee, 0x7f) // 1 + the prime
	if !ed25519.Verify(tallIdentity[:], nothing, signature[:]) {
		t.Fatal("the library refuses the signature by itself: nothing to see")
	}
	if signs(tallIdentity, nothing, signature) {
		t.Error("the identity agreed in another form")
	}
}

// A proof is needed to take a seat, and none to leave it.
func TestASeatIsGivenUpWithoutAProof(t *testing.T) {
	w := strangers(t, true)
	for i := range 2 {
		w.must(hots[i], SignConsensus(w.genesis.ChainID, provable(i).sign, hots[i].key, w.s.height+1))
	}
	w.epoch()
	w.epoch()
	before := w.operatorOf(hots[0]).power
	w.must(hots[0], ServeConsensus{})
	w.epoch()
	if now := w.operatorOf(hots[0]).power; before == 0 || now >= before {
		t.Errorf("power %d became %d", before, now)
	}
}

// Where keys have to be sound, each entrance refuses the unsound, whatever makes them so, and else none.
func TestEachEntranceRefusesUnsoundKeys(t *testing.T) {
	nowhere := Key{5}
	for ; nowhere.onCurve(); nowhere[1]++ {
	}
	unsound := map[string]Key{
		"small order": {1}, "small order with its sign": {0: 1, 31: 0x80},
		"the prime itself": tall(0xed, 0x7f), "above the prime": tall(0xf0, 0x7f), "no point": nowhere,
	}
	for name, k := range unsound { // order-free: each is refused
		for _, sound := range []bool{false, true} {
			w := stage(t, 4, func(g *Genesis) { g.Params.Hard.SoundKeys = sound })
			for _, m := range []struct {
				from actor
				msg  Msg
			}{
				{colds[0], Transfer{k, RaoPerTAO}},
				{hots[0], ServeAxon{Axon: k, Port: 1}},
				{hots[0], ServeConsensus{k}},
				{colds[0], Register{Hotkey: k}},
			} {
				if err := w.send(m.from, m.msg); errors.Is(err, KeyUnsound) != sound {
					t.Errorf("%s, Hard.SoundKeys %v: %T: %v", name, sound, m.msg, err)
				}
			}
		}
	}
}
