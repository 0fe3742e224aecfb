package chain

import (
	"testing"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/registration"
)

// operation is something that people do to a ledger, rightly or not.
type operation struct {
	name   string
	weight int
	do     func(*world)
	always bool // drawn in every history
}

// invalid makes an operation of weights that are spoiled.
func invalid(spoil func(w *world, uid UID, m *SetWeights)) func(*world) {
	return func(w *world) {
		a, uid := w.validator()
		m := w.weights()
		spoil(w, uid, &m)
		_ = w.try(a, m)
	}
}

// send makes an operation of one message that a coldkey signs.
func send(message func(w *world, cold actor) Msg) func(*world) {
	return func(w *world) {
		c := w.cold()
		_ = w.try(c, message(w, c))
	}
}

// govern makes an operation of setting a parameter to one of some values.
func govern(name string, values ...uint64) func(*world) {
	return func(w *world) { _ = w.try(who("governor"), SetParams{name, oneOf(w.Rand, values...)}) }
}

var operations = []operation{
	// Time.
	{"end a block", 30, func(w *world) { w.end(1) }, true},
	{"end some blocks", 8, func(w *world) { w.end(2 + w.Uint64N(6)) }, true},
	{"run an epoch", 12, func(w *world) { w.toEpoch(0) }, true},
	{"stop before an epoch", 4, func(w *world) { w.toEpoch(1) }, false},
	{"run two epochs", 4, func(w *world) { w.toEpoch(0); w.toEpoch(0) }, false},
	{"be quiet for long", 1, func(w *world) { w.end(oneOf[uint64](w.Rand, 97, 400, 1500)) }, false},

	// Registration by burning.
	{"register", 12, func(w *world) { c, h := w.fresh(); _ = w.try(c, Register{Hotkey: h.key}) }, true},
	{"register within the limit", 2, func(w *world) {
		c, h := w.fresh()
		_ = w.try(c, Register{h.key, w.s.burnPriceRao})
	}, false},
	{"register above the limit", 1, func(w *world) {
		c, h := w.fresh()
		_ = w.try(c, Register{h.key, w.s.burnPriceRao - 1})
	}, false},
	{"register twice", 1, func(w *world) {
		a, _ := w.neuron(nil)
		c, _ := whose(w.s.accounts.get(a.key).owner)
		if c.sign == nil {
			c = w.cold()
		}
		_ = w.try(c, Register{Hotkey: a.key})
	}, false},
	{"register what is another's", 1, func(w *world) {
		_, h := w.keeper(nil)
		_ = w.try(w.stranger(h), Register{Hotkey: h.key})
	}, false},
	{"register without money", 1, func(w *world) {
		_ = w.try(colds[11], Register{Hotkey: hots[11].key})
	}, false},
	{"register nobody", 1, func(w *world) { _ = w.try(w.cold(), Register{}) }, false},
	{"register in a burst", 3, func(w *world) {
		for range 4 {
			c, h := w.fresh()
			_ = w.try(c, Register{Hotkey: h.key})
		}
	}, false},
	{"register again what was replaced", 4, func(w *world) {
		h := w.hot()
		if len(w.lost) > 0 {
			h = w.lost[len(w.lost)-1]
		}
		c, ok := whose(w.s.accounts.get(h.key).owner)
		if !ok {
			c = w.cold()
		}
		_ = w.try(c, Register{Hotkey: h.key})
	}, false},

	// Registration by work.
	{"work", 8, func(w *world) {
		c, h := w.fresh()
		m := w.work(h, c, w.s.height)
		w.works = append(w.works, m)
		_ = w.try(h, m)
	}, true},
	{"work on the oldest block", 2, func(w *world) {
		c, h := w.fresh()
		_ = w.try(h, w.work(h, c, w.oldest()))
	}, false},
	{"work on a stale block", 1, func(w *world) {
		c, h := w.fresh()
		m := w.work(h, c, w.oldest())
		m.Block -= min(m.Block, 1)
		_ = w.try(h, m)
	}, false},
	{"work on a block to come", 1, func(w *world) {
		c, h := w.fresh()
		m := w.work(h, c, w.s.height)
		m.Block++
		_ = w.try(h, m)
	}, false},
	{"work with a wrong nonce", 1, func(w *world) {
		c, h := w.fresh()
		m := w.work(h, c, w.s.height)
		m.Nonce++
		_ = w.try(h, m)
	}, false},
	{"work that is too easy", 1, func(w *world) {
		c, h := w.fresh()
		m := w.work(h, c, w.s.height)
		hash, _ := w.s.View().BlockHash(m.Block)
		seal := registration.Seal(w.s.params.Seal)
		for m.Nonce = range uint64(100) {
			if m.Work = seal.Work(m.Nonce, hash, h.key); !seal.MeetsDifficulty(m.Work, w.s.difficulty) {
				break
			}
		}
		_ = w.try(h, m)
	}, false},
	{"work that was used", 3, func(w *world) {
		if len(w.works) == 0 {
			w.end(1)
			return
		}
		c, h := w.fresh()
		m := w.works[len(w.works)-1]
		m.Coldkey = c.key
		_ = w.try(h, m)
	}, false},

	// Money.
	{"stake", 10, func(w *world) {
		c, h := w.keeper(nil)
		_ = w.try(c, AddStake{h.key, w.some(w.freeOf(c))})
	}, true},
	{"stake on a new hotkey", 2, send(func(w *world, c actor) Msg {
		return AddStake{w.hot().key, w.some(w.freeOf(c))}
	}), false},
	{"stake more than there is", 1, func(w *world) {
		c, h := w.keeper(nil)
		_ = w.try(c, AddStake{h.key, w.freeOf(c) + 1})
	}, false},
	{"stake nothing", 1, send(func(w *world, _ actor) Msg { return AddStake{w.hot().key, 0} }), false},
	{"stake on nobody", 1, send(func(w *world, _ actor) Msg { return AddStake{Key{}, 1} }), false},
	{"stake all at once", 2, func(w *world) {
		h := w.hot()
		for _, c := range colds[:4] {
			_ = w.try(c, AddStake{h.key, max(w.freeOf(c), 1)})
		}
	}, false},
	{"unstake", 6, func(w *world) {
		c, h := w.keeper(func(a account) bool { return a.stakeRao > 0 })
		_ = w.try(c, RemoveStake{h.key, w.some(w.stakeOf(h))})
	}, false},
	{"unstake more than there is", 1, func(w *world) {
		c, h := w.keeper(nil)
		_ = w.try(c, RemoveStake{h.key, w.stakeOf(h) + 1})
	}, false},
	{"unstake what is another's", 1, func(w *world) {
		_, h := w.keeper(func(a account) bool { return a.stakeRao > 0 })
		_ = w.try(w.stranger(h), RemoveStake{h.key, 1})
	}, false},
	{"unstake everything everywhere", 1, func(w *world) {
		for _, h := range hots {
			a := w.s.accounts.get(h.key)
			if c, ok := whose(a.owner); ok && a.stakeRao > 0 {
				_ = w.try(c, RemoveStake{h.key, a.stakeRao})
			}
		}
	}, false},
	{"unstake nothing", 1, send(func(w *world, _ actor) Msg { return RemoveStake{w.hot().key, 0} }), false},
	{"transfer", 6, send(func(w *world, c actor) Msg {
		return Transfer{w.cold().key, w.some(w.freeOf(c))}
	}), false},
	{"transfer too much", 1, send(func(w *world, c actor) Msg {
		return Transfer{w.cold().key, w.freeOf(c) + 1}
	}), false},
	{"transfer to oneself", 1, send(func(w *world, c actor) Msg {
		return Transfer{c.key, w.freeOf(c)}
	}), false},
	{"transfer to nobody", 1, send(func(w *world, c actor) Msg { return Transfer{Key{}, 1} }), false},
	{"burn", 2, send(func(w *world, c actor) Msg { return Burn{w.some(w.freeOf(c) / 8)} }), false},
	{"burn too much", 1, send(func(w *world, c actor) Msg { return Burn{w.freeOf(c) + 1} }), false},
	{"recycle", 2, send(func(w *world, c actor) Msg { return Recycle{w.some(w.freeOf(c) / 8)} }), false},
	{"recycle nothing", 1, send(func(w *world, c actor) Msg { return Recycle{} }), false},

	// Delegation.
	{"open to nominators", 5, func(w *world) {
		c, h := w.keeper(func(a account) bool { return !a.delegate })
		_ = w.try(c, Delegate{h.key, oneOf(w.Rand, 0, 5000, w.s.params.MaxTake)})
	}, true},
	{"change a take", 2, func(w *world) {
		c, h := w.keeper(func(a account) bool { return a.delegate })
		_ = w.try(c, Delegate{h.key, oneOf(w.Rand, 0, 1, w.s.params.MaxTake)})
	}, false},
	{"take too much", 1, func(w *world) {
		c, h := w.keeper(nil)
		_ = w.try(c, Delegate{h.key, min(w.s.params.MaxTake, 65534) + 1})
	}, false},
	{"open what is another's", 1, func(w *world) {
		_, h := w.keeper(nil)
		_ = w.try(w.stranger(h), Delegate{h.key, 0})
	}, false},
	{"nominate", 8, func(w *world) {
		_, h := w.keeper(func(a account) bool { return a.delegate })
		c := w.stranger(h)
		_ = w.try(c, AddStake{h.key, w.some(w.freeOf(c))})
	}, true},
	{"withdraw a nomination", 4, func(w *world) {
		_, h := w.keeper(func(a account) bool { return len(a.nominations) > 0 })
		a := w.s.accounts.get(h.key)
		if len(a.nominations) == 0 {
			_ = w.try(w.stranger(h), RemoveStake{h.key, 1})
			return
		}
		n := a.nominations[w.IntN(len(a.nominations))]
		c, _ := whose(n.coldkey)
		_ = w.try(c, RemoveStake{h.key, w.some(n.stakeRao)})
	}, false},
	{"withdraw what is nominated by others", 1, func(w *world) {
		c, h := w.keeper(func(a account) bool { return len(a.nominations) > 0 })
		_ = w.try(c, RemoveStake{h.key, w.stakeOf(h)})
	}, false},

	// Servers.
	{"serve", 3, func(w *world) {
		a, _ := w.neuron(nil)
		_ = w.try(a, ServeAxon{Axon: w.hot().key, IP: [16]byte{15: byte(w.IntN(3))}, Port: uint16(w.IntN(9))})
	}, false},
	{"serve without a uid", 1, func(w *world) {
		_, h := w.fresh()
		_ = w.try(h, ServeAxon{Axon: h.key})
	}, false},
	{"serve as nobody", 1, func(w *world) { a, _ := w.neuron(nil); _ = w.try(a, ServeAxon{}) }, false},
	{"serve the consensus", 3, func(w *world) {
		a, _ := w.neuron(nil)
		_ = w.try(a, ServeConsensus{w.hot().key})
	}, false},
	{"serve the consensus as nobody", 1, func(w *world) {
		a, _ := w.neuron(nil)
		_ = w.try(a, ServeConsensus{})
	}, false},
	{"reset bonds", 2, func(w *world) { a, _ := w.neuron(nil); _ = w.try(a, ResetBonds{}) }, false},

	// Weights.
	{"set weights", 25, invalid(func(*world, UID, *SetWeights) {}), true},
	{"set weights of all validators", 4, func(w *world) {
		for uid := range w.s.neurons.n {
			n := w.s.neurons.get(UID(uid))
			if a, ok := whose(n.hotkey); ok && (n.permit || w.s.params.Rule == consensus.Nakamoto) {
				_ = w.try(a, w.weights())
			}
		}
	}, false},
	{"set weights twice in a row", 1, func(w *world) {
		a, _ := w.validator()
		_ = w.try(a, w.weights())
		_ = w.try(a, w.weights())
	}, false},
	{"set weights on oneself", 2, invalid(func(w *world, uid UID, m *SetWeights) {
		m.UIDs, m.Values = []uint16{uint16(uid)}, []uint32{1}
	}), false},
	{"set weights without a permit", 1, func(w *world) {
		a, _ := w.neuron(func(n *neuron) bool { return !n.permit })
		_ = w.try(a, w.weights())
	}, false},
	{"set weights without a uid", 1, func(w *world) {
		_, h := w.fresh()
		_ = w.try(h, w.weights())
	}, false},
	{"set weights of zero", 1, invalid(func(w *world, uid UID, m *SetWeights) { clear(m.Values) }), false},
	{"set a weight twice", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		if len(m.UIDs) > 1 {
			m.UIDs[0] = m.UIDs[1]
		}
	}), false},
	{"set a weight on nobody", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		if len(m.UIDs) > 0 {
			m.UIDs[0] = uint16(w.s.neurons.n)
		}
	}), false},
	{"set too few weights", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		m.UIDs, m.Values = m.UIDs[:min(1, len(m.UIDs))], m.Values[:min(1, len(m.UIDs))]
	}), false},
	{"set weights of unequal length", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		m.Values = append(m.Values, 1)
	}), false},
	{"set one weight far above the others", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		if len(m.Values) > 0 {
			m.Values[0] = 65535
		}
	}), false},
	{"set a weight that does not fit", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		if len(m.Values) > 0 {
			m.Values[0] = 1 << 20
		}
	}), false},
	{"set weights of an old version", 1, invalid(func(w *world, uid UID, m *SetWeights) {
		m.Version -= min(m.Version, 1)
	}), false},

	// Hidden weights.
	{"commit", 8, func(w *world) { a, _ := w.validator(); w.hide(a) }, false},
	{"commit many times", 1, func(w *world) {
		a, _ := w.validator()
		for range 12 {
			w.hide(a)
			if w.IntN(3) == 0 {
				w.end(max(1, w.s.params.WeightsRateLimitBlocks))
			}
		}
	}, false},
	{"reveal", 8, func(w *world) { w.reveal(0) }, false},
	{"reveal too early", 2, func(w *world) { w.reveal(1) }, false},
	{"reveal too late", 2, func(w *world) { w.reveal(-1) }, false},
	{"commit and reveal in time", 3, func(w *world) {
		a, _ := w.validator()
		w.hide(a)
		for range w.s.params.RevealPeriodEpochs {
			w.toEpoch(0)
		}
		w.reveal(0)
	}, false},
	{"commit and let it expire", 2, func(w *world) {
		a, _ := w.validator()
		w.hide(a)
		for range w.s.params.RevealPeriodEpochs + 1 {
			w.toEpoch(0)
		}
		w.reveal(-1)
	}, false},
	{"reveal with a wrong salt", 1, func(w *world) {
		if len(w.secrets) == 0 {
			w.end(1)
			return
		}
		x := w.secrets[w.IntN(len(w.secrets))]
		x.reveal.Salt[1]++
		_ = w.try(x.hotkey, x.reveal)
	}, false},

	// Governance.
	{"change the tempo", 1, govern("TempoBlocks", 0, 1, 3, 9, 1<<40), false},
	{"change the number of validators", 1, govern("MaxValidators", 0, 1, 2, 5), false},
	{"change the rate limit", 1, govern("WeightsRateLimitBlocks", 0, 2, 100), false},
	{"change the price's bounds", 1, func(w *world) {
		_ = w.try(who("governor"), SetParams{oneOf(w.Rand, "MinBurnRao", "MaxBurnRao"), w.Uint64N(RaoPerTAO)})
	}, false},
	{"change the difficulty's bounds", 1, func(w *world) {
		_ = w.try(who("governor"), SetParams{oneOf(w.Rand, "MinDifficulty", "MaxDifficulty"), w.Uint64N(9)})
	}, false},
	{"change kappa", 1, govern("Kappa", 0, 1, 32767, 32768, 65535), false},
	{"change the penalty", 1, govern("BondsPenalty", 0, 1, 30000, 65535), false},
	{"switch liquid alpha", 1, govern("LiquidAlpha", 0, 1, 1, 2), false},
	{"change alpha", 1, func(w *world) {
		_ = w.try(who("governor"), SetParams{oneOf(w.Rand, "AlphaLow", "AlphaHigh"), w.Uint64N(65536)})
	}, false},
	{"switch hidden weights", 1, govern("CommitReveal", 0, 1), false},
	{"switch resets", 1, govern("BondsReset", 0, 1), false},
	{"change immunity", 1, govern("ImmunityBlocks", 0, 5, 100), false},
	{"change the largest take", 1, govern("MaxTake", 0, 100, 65535), false},
	{"switch settling", 1, govern("StakeSettles", 0, 1), false},
	{"change the threshold", 1, govern("StakeThresholdRao", 0, 1, 3*RaoPerTAO), false},
	{"change the window of works", 1, govern("WorkValidBlocks", 0, 1, 3), false},
	{"change registrations per block", 1, govern("MaxRegistrationsPerBlock", 0, 1, 3), false},
	{"change the limit of uids", 1, govern("MaxUIDs", 1, 4, 8), false},
	{"change the smallest vector", 1, govern("MinAllowedWeights", 0, 1, 3), false},
	{"govern without being the governor", 1, send(func(*world, actor) Msg {
		return SetParams{"Kappa", 1}
	}), false},
	{"change what nobody knows", 1, govern("Kapa", 1), false},
	{"change the rule", 1, govern("Rule", 1), false},
	{"change any parameter", 3, func(w *world) {
		name := oneOf(w.Rand, "ServerShare", "OwnerCut", "BondsMovingAveragePPM", "ActivityCutoffBlocks",
			"ActivityCutoffMilli", "AlphaSteepness", "RevealPeriodEpochs", "Rho", "KappaInverse",
			"SelfOwnershipInverse", "DefaultTake", "MinNonImmune", "MaxWeight", "MaxWeightRatio",
			"WeightsVersion", "AllowBurn", "AllowWork", "BurnHalfLifeBlocks", "BurnIncreasePercent",
			"AdjustmentIntervalBlocks", "AdjustmentAlpha", "TargetRegistrations", "RecycleBurned",
			"EmissionFlatRao", "RewardRao", "CapRao", "HalvingBlocks", "BurnRao", "Difficulty")
		value := oneOf(w.Rand, 0, 1, 2, 3, 50, 126, 40000, 65535, RaoPerTAO, w.Uint64())
		_ = w.try(who("governor"), SetParams{name, value})
	}, false},

	// Transactions as such.
	{"repeat a transaction", 2, func(w *world) {
		if w.last == nil {
			w.end(1)
			return
		}
		_ = w.tryTx(*w.last)
	}, false},
	{"skip a nonce", 2, func(w *world) {
		c := w.cold()
		m := Transfer{w.cold().key, w.some(w.freeOf(c))}
		_ = w.tryTx(w.signed(c, w.s.Nonce(c.key)+1+w.Uint64N(3), w.s.height+1, m))
	}, false},
	{"use the last nonce", 1, func(w *world) { // nobody misses this coldkey afterwards
		nonce := 1<<64 - 1 - w.Uint64N(2)
		_ = w.tryTx(Sign(w.genesis.ChainID, colds[10].sign, nonce, w.s.height+1, Transfer{colds[0].key, 1}))
	}, false},
	{"come at the last observation", 2, func(w *world) {
		c := w.cold()
		_ = w.tryTx(w.signed(c, w.s.Nonce(c.key), w.s.height+1, Transfer{w.cold().key, 1}))
	}, false},
	{"come too late", 1, func(w *world) {
		c := w.cold()
		_ = w.tryTx(Sign(w.genesis.ChainID, c.sign, w.s.Nonce(c.key), w.s.height, Transfer{w.cold().key, 1}))
	}, false},
	{"sign for another chain", 1, func(w *world) {
		c := w.cold()
		_ = w.tryTx(Sign("elsewhere", c.sign, w.s.Nonce(c.key), w.s.height+9, Transfer{w.cold().key, 1}))
	}, false},
	{"sign for somebody else", 1, func(w *world) {
		c := w.cold()
		tx := Sign(w.genesis.ChainID, c.sign, w.s.Nonce(c.key), w.s.height+9, Transfer{w.cold().key, 1})
		tx.Signer = colds[0].key
		tx.Nonce = w.s.Nonce(tx.Signer)
		if c.key != colds[0].key {
			_ = w.tryTx(tx)
		}
	}, false},
}

func TestEveryOperationIsNamedOnceAndOftenEnough(t *testing.T) {
	names := map[string]bool{}
	for _, op := range operations {
		if names[op.name] || op.weight < 1 {
			t.Errorf("%q", op.name)
		}
		names[op.name] = true
	}
	if len(names) < 40 {
		t.Errorf("%d operations", len(names))
	}
}
