package chain

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// drawDeposits gives a network of strangers its rules about accounts and keys, with limits that are soon
// met.
func drawDeposits(d *rand.Rand, g *Genesis) {
	h := &g.Params.Hard
	h.StrictNonce = true
	h.ExistentialRao = oneOf[uint64](d, 0, 1000, RaoPerTAO/1000, RaoPerTAO/1000)
	h.MinNominationRao = oneOf[uint64](d, 0, RaoPerTAO/10, 3*RaoPerTAO)
	h.ServeBlocks, h.ResetBlocks = oneOf[uint64](d, 0, 3, 50), oneOf[uint64](d, 0, 3, 50)
	h.TakeBlocks, h.HotSwapBlocks = oneOf[uint64](d, 0, 3, 50), oneOf[uint64](d, 0, 1, 20)
	h.SwapRao = oneOf[uint64](d, 0, RaoPerTAO/10)
	h.Consent, h.SoundKeys, h.HashEntropy = d.IntN(2) == 0, d.IntN(2) == 0, d.IntN(2) == 0
	if g.Params.MaxNominators > 0 {
		g.Params.MaxNominators = 2
	}
}

// strangers reports whether there is a rule about accounts and keys.
func (h Hard) strangers() bool {
	return h.ExistentialRao|h.MinNominationRao|h.ServeBlocks|h.ResetBlocks|h.TakeBlocks|h.HotSwapBlocks != 0 ||
		h.Consent || h.SoundKeys || h.HashEntropy
}

// guest is somebody whom the ledger does not know at first.
func (w *world) guest() actor {
	name := fmt.Sprint("guest ", w.IntN(6))
	return actor{name, testKey(name), pub(name)}
}

// claimable draws a hotkey that nobody owns, if there is one.
func (w *world) claimable() actor {
	from := w.IntN(len(hots))
	for i := range hots {
		if h := hots[(from+i)%len(hots)]; w.s.accounts.get(h.key).owner == (Key{}) {
			return h
		}
	}
	return w.hot()
}

// claims makes an operation of a claim that is spoiled.
func claims(spoil func(w *world, m *Claim)) func(*world) {
	return func(w *world) {
		c := w.cold()
		m := SignClaim(w.genesis.ChainID, w.claimable().sign, c.key, w.s.height+1+w.Uint64N(2))
		spoil(w, &m)
		_ = w.try(c, m)
	}
}

func (w *world) hash() Digest { return sha256.Sum256(fmt.Append(nil, "block ", w.s.height, w.IntN(3))) }

// provable is a consensus key that agrees.
func provable(i int) actor {
	name := fmt.Sprint("engine ", i)
	return actor{name, testKey(name), pub(name)}
}

var depositOperations = []operation{
	{"claim", 20, claims(func(*world, *Claim) {}), true},
	{"claim what did not agree", 1, claims(func(w *world, m *Claim) { m.HotSignature[w.IntN(64)] ^= 1 }), false},
	{"claim with another's agreement", 1, func(w *world) {
		m := SignClaim(w.genesis.ChainID, w.claimable().sign, w.cold().key, w.s.height+1)
		_ = w.try(w.cold(), m)
	}, false},
	{"claim too late", 1, claims(func(w *world, m *Claim) { m.Expiry = w.s.height }), false},
	{"claim what is owned", 1, func(w *world) {
		_, h := w.keeper(nil)
		c := w.stranger(h)
		_ = w.try(c, SignClaim(w.genesis.ChainID, h.sign, c.key, w.s.height+1))
	}, false},
	{"prove a consensus key", 4, func(w *world) {
		h, _ := w.neuron(nil)
		_ = w.try(h, SignConsensus(w.genesis.ChainID, provable(w.IntN(6)).sign, h.key, w.s.height+1))
	}, true},
	{"prove another's consensus key", 1, func(w *world) {
		h, _ := w.neuron(nil)
		m := SignConsensus(w.genesis.ChainID, provable(1).sign, h.key, w.s.height+1)
		m.Key = provable(2).key
		_ = w.try(h, m)
	}, false},
	{"prove a key that holds money", 1, func(w *world) {
		h, _ := w.neuron(nil)
		_ = w.try(h, SignConsensus(w.genesis.ChainID, colds[0].sign, h.key, w.s.height+1))
	}, false},
	{"found an account", 6, send(func(w *world, c actor) Msg {
		least := max(w.s.params.Hard.ExistentialRao, 1)
		return Transfer{w.guest().key, oneOf(w.Rand, least, least, least-1, least+5, RaoPerTAO)}
	}), true},
	{"found an account of no point", 1, send(func(w *world, c actor) Msg {
		return Transfer{oneOf(w.Rand, engineKey(w.IntN(9)), Key{1}, Key{2}, Key{31: 0x80}), RaoPerTAO}
	}), false},
	{"spend as a guest", 6, func(w *world) {
		g := w.guest()
		free := w.freeOf(g)
		m := Transfer{w.cold().key, max(1, free-min(free, oneOf[uint64](w.Rand, 0, 1, RaoPerTAO/1000, 200_000)))}
		_ = w.try(g, m)
	}, true},
	{"empty a hotkey's account", 2, func(w *world) {
		h := w.hot()
		_ = w.try(h, Transfer{w.cold().key, max(1, w.freeOf(h))})
	}, false},
	{"leave a hotkey", 2, func(w *world) {
		cold, hot := w.keeper(func(a account) bool { return a.stakeRao > 0 })
		_ = w.try(cold, RemoveStake{hot.key, max(1, w.s.accounts.get(hot.key).stakeRao)})
		_ = w.try(hot, Transfer{cold.key, max(1, w.freeOf(hot))})
	}, false},
	{"nominate in turn", 3, func(w *world) {
		_, h := w.keeper(func(a account) bool { return a.delegate })
		for i := range uint64(4) {
			_ = w.try(w.stranger(h), AddStake{h.key, RaoPerTAO/20 + i*RaoPerTAO})
		}
	}, false},
	{"raise and lower a take", 2, func(w *world) {
		c, h := w.keeper(func(a account) bool { return a.delegate })
		for range 3 {
			_ = w.try(c, Delegate{h.key, uint16(w.IntN(int(w.s.params.MaxTake) + 1))})
		}
	}, false},
	{"serve twice", 2, func(w *world) {
		a, _ := w.neuron(nil)
		for range 2 {
			_ = w.try(a, ServeAxon{Axon: w.hot().key, Port: uint16(w.IntN(9))})
		}
	}, false},
	{"swap a hotkey", 5, func(w *world) {
		c, old := w.keeper(nil)
		_ = w.try(c, SignSwap(w.genesis.ChainID, w.claimable().sign, c.key, old.key, w.s.height+1+w.Uint64N(2)))
	}, true},
	{"swap a hotkey that did not agree", 1, func(w *world) {
		c, old := w.keeper(nil)
		m := SignSwap(w.genesis.ChainID, w.claimable().sign, w.cold().key, old.key, w.s.height+1)
		m.NewSignature[3] ^= byte(w.IntN(2))
		_ = w.try(c, m)
	}, false},
	{"be told a hash", 6, func(w *world) { w.begin(Begin{Hash: w.hash()}) }, true},
	{"work on a told hash", 4, func(w *world) {
		w.begin(Begin{Hash: w.hash()})
		c, h := w.fresh()
		_ = w.try(h, w.work(h, c, w.s.height))
	}, false},
}
