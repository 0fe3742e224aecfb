package chain

import (
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
	"taolab/sim/chain/registration"
)

// world makes up a history: it plays it as it goes, so that what comes next can suit the state.
type world struct {
	*rand.Rand
	history
	t        testing.TB
	s        *State
	seen     *observer
	outcomes []outcome
	kind     string // of the operation at work
	check    func() // after each step

	lost    []actor        // hotkeys that were replaced
	works   []RegisterWork // tried so far
	secrets []secret
	last    *Tx
}

// secret is what a hotkey committed to.
type secret struct {
	hotkey actor
	reveal RevealWeights
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 0)), t: t, seen: observed, check: func() {}}
	w.seed, w.genesis = seed, drawGenesis(rand.New(rand.NewPCG(seed, 2)))
	s, err := New(w.genesis)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	w.s = s
	return w
}

func generate(t testing.TB, seed uint64, steps int) *world {
	w := newWorld(t, seed)
	w.run(steps)
	return w
}

// run makes steps more. Which operations are drawn, and how often, differs between seeds.
func (w *world) run(steps int) {
	defer func() {
		if r := recover(); r != nil {
			w.t.Fatalf("seed %d, %q after %d steps: %v\n%s\n%s", w.seed, w.kind, len(w.steps), r,
				debug.Stack(), w.script())
		}
	}()
	operations := w.operations()
	weights, total := make([]int, len(operations)), 0
	for i, op := range operations {
		if w.IntN(4) > 0 || op.always {
			weights[i] = op.weight * (1 + w.IntN(3))
			total += weights[i]
		}
	}
	for end := len(w.steps) + steps; len(w.steps) < end; {
		draw := w.IntN(total)
		for i, op := range operations {
			if draw -= weights[i]; draw < 0 {
				w.kind = op.name
				op.do(w)
				break
			}
		}
	}
}

// operations are those that mean something by the rules of the network.
func (w *world) operations() []operation {
	all, h := operations, w.s.params.Hard
	if h.Seats > 0 {
		all = slices.Concat(all, seatOperations)
	}
	if h.strangers() {
		all = slices.Concat(all, depositOperations)
	}
	if h.VoteDelayBlocks > 0 {
		all = slices.Concat(all, councilOperations)
	}
	return all
}

func oneOf[T any](d *rand.Rand, all ...T) T { return all[d.IntN(len(all))] }

// drawGenesis draws a small network, which may be one of strangers.
func drawGenesis(d *rand.Rand) Genesis {
	g := drawEra(d)
	drawHard(d, &g)
	return g
}

// drawEra draws a small network of some era, with limits that are soon met.
func drawEra(d *rand.Rand) Genesis {
	p, err := Era(oneOf(d, Eras()...))
	if err != nil {
		panic(err)
	}
	p = p.Scaled(4 + d.IntN(7))
	if p.Rule != consensus.Nakamoto {
		p.Rule = oneOf(d, consensus.Yuma2, consensus.Yuma2Liquid, consensus.Yuma3)
		p.MaxValidators = oneOf[uint16](d, 1, 2, 4)
	}
	p.TempoBlocks = oneOf[uint64](d, 1, 3, 7, 7, 20)
	p.Kappa = oneOf[uint16](d, 32767, 32767, 32768, 0, 65535, 20000)
	p.BondsPenalty = oneOf[uint16](d, 0, 65535, 65535, 30000)
	p.BondsMovingAveragePPM = oneOf[uint32](d, 900_000, 900_000, 0, 1_000_000)
	p.ActivityCutoffMilli = oneOf[uint32](d, 0, 1000, 13889)
	p.ActivityCutoffBlocks = oneOf[uint64](d, 3, 30, 5000)
	p.StakeThresholdRao = oneOf[uint64](d, 0, 0, 3*RaoPerTAO)
	p.LiquidAlpha = d.IntN(2) == 0
	if d.IntN(2) == 0 {
		p.AlphaLow, p.AlphaHigh = 1638, 65535
	}
	p.AlphaSteepness = oneOf[int16](d, 1000, 32767, -1000, 0)
	p.BondsReset = d.IntN(2) == 0
	p.CommitReveal = p.Rule != consensus.Nakamoto && d.IntN(3) == 0
	p.RevealPeriodEpochs = oneOf[uint16](d, 1, 1, 2)
	p.ServerShare = oneOf[uint16](d, 0, 0, 26869)
	p.OwnerCut = oneOf[uint16](d, 0, 0, 11796)
	p.MaxTake = oneOf[uint16](d, 11796, 65535)
	p.DefaultTake = min(p.DefaultTake, p.MaxTake)
	p.MaxNominators = oneOf[uint16](d, p.MaxNominators, 2)
	p.ImmunityBlocks = oneOf[uint64](d, 0, 4, 60)
	p.MinNonImmune = oneOf[uint16](d, 0, 0, 3)
	p.MinAllowedWeights = oneOf[uint16](d, 0, 1, 2)
	fair := uint16((65535 + uint32(p.MaxUIDs) - 1) / uint32(p.MaxUIDs))
	p.MaxWeight = oneOf(d, 65535, 65535, 40000, fair)
	p.MaxWeightRatio = oneOf[uint16](d, 0, 10)
	p.WeightsRateLimitBlocks = oneOf[uint64](d, 0, 1, 4)
	p.WeightsVersion = oneOf[uint64](d, 0, 3)
	p.AllowWork = p.AllowWork || d.IntN(2) == 0
	p.AllowBurn = p.AllowBurn || d.IntN(2) == 0
	p.MinDifficulty, p.Difficulty = 1, oneOf[uint64](d, 1, 2, 3)
	p.MaxDifficulty = oneOf[uint64](d, 4, 64)
	p.WorkValidBlocks = oneOf[uint16](d, 2, 3, 20)
	p.MinBurnRao, p.BurnRao = RaoPerTAO/1000, oneOf[uint64](d, RaoPerTAO/1000, RaoPerTAO/10)
	p.MaxBurnRao = oneOf[uint64](d, RaoPerTAO/5, 100*RaoPerTAO)
	if p.BurnRule == BurnByDemand {
		p.BurnHalfLifeBlocks, p.BurnIncreasePercent = oneOf[uint64](d, 4, 50), oneOf[uint32](d, 126, 500)
	} else {
		p.AdjustmentIntervalBlocks = oneOf[uint64](d, 2, 5, 20)
		p.TargetRegistrations = oneOf[uint16](d, 1, 2)
		p.AdjustmentAlpha = oneOf[uint64](d, 0, 0, 1<<63)
	}
	p.MaxRegistrationsPerBlock = oneOf[uint16](d, 1, 3)
	p.RecycleBurned = d.IntN(2) == 0
	p.Emission = oneOf(d, p.Emission, emission.ByIssuance, emission.ByHeight, emission.Flat)
	p.HalvingBlocks = oneOf[uint64](d, 10, emission.EraBlocks)
	p.EmissionFlatRao = oneOf[uint64](d, RaoPerTAO, 12345, 0)
	return drawPeople(d, p)
}

func drawHard(d *rand.Rand, g *Genesis) {
	g.Params.Hard = Hard{StrictNonce: d.IntN(3) == 0, MaxExpiryBlocks: oneOf[uint64](d, 0, 0, 2, 1024)}
	all := d.IntN(4) == 0 // of what is drawn below nothing is left out
	if all {
		g.Params.Hard.StrictNonce, g.Params.Hard.MaxExpiryBlocks = true, 1024
	}
	if all || d.IntN(3) == 0 {
		h := &g.Params.Hard
		h.FeeRao, h.FeeRise = oneOf[uint64](d, 1, 1000, 100_000), oneOf[uint16](d, 0, 8, 1)
		h.FeeRecycled, h.MaxBlockWork = d.IntN(2) == 0, leastMaxBlock
		h.MaxBlockBytes = MaxTxBytes
	}
	if all || d.IntN(3) == 0 {
		drawSeats(d, g)
	}
	if all || d.IntN(3) == 0 {
		drawGovernment(d, g)
	}
	if all || d.IntN(3) == 0 {
		drawDeposits(d, g)
	}
}

func drawPeople(d *rand.Rand, p Params) Genesis {
	g := Genesis{ChainID: "history", Params: p, Governor: who("governor").key}
	g.IssuanceOffsetRao = oneOf(d, 0, 0, 10_500_000*RaoPerTAO-3100*RaoPerTAO,
		p.CapRao-3400*RaoPerTAO)
	n := d.IntN(int(p.MaxUIDs) + 1)
	for i := range n {
		stake := uint64(0)
		if i < 4 {
			stake = oneOf[uint64](d, 0, 1, 2*RaoPerTAO, 3*RaoPerTAO, 100*RaoPerTAO, 100*RaoPerTAO)
		}
		g.Neurons = append(g.Neurons, GenesisNeuron{hots[i].key, colds[d.IntN(3)].key, stake})
	}
	for i := range 6 {
		g.Balances = append(g.Balances, Balance{colds[i].key, oneOf[uint64](d, 500*RaoPerTAO, 7*RaoPerTAO, 0)})
	}
	if n > 0 && d.IntN(2) == 0 {
		g.Owner = hots[0].key
	}
	return g
}

var colds, hots = actors[:12], actors[12:24]

func who(name string) actor {
	i := slices.IndexFunc(actors, func(a actor) bool { return a.name == name })
	return actors[i]
}

func whose(k Key) (actor, bool) {
	i := slices.IndexFunc(actors, func(a actor) bool { return a.key == k })
	if i < 0 {
		return actor{}, false
	}
	return actors[i], true
}

// try signs a message, applies it and writes it down.
func (w *world) try(a actor, m Msg) error {
	return w.tryTx(w.signed(a, w.s.Nonce(a.key), w.s.height+1+w.Uint64N(3), m))
}

// signed is a transaction as the network wants it, mostly with a ceiling that is high enough.
func (w *world) signed(a actor, nonce, expiry uint64, m Msg) Tx {
	id := w.genesis.ChainID
	if w.genesis.Params.Hard.FeeRao == 0 {
		return Sign(id, a.sign, nonce, expiry, m)
	}
	tip := oneOf[uint64](w.Rand, 0, 0, 0, 5)
	fee := w.s.WorkOf(SignPriced(id, a.sign, nonce, expiry, 0, tip, m))*w.s.priceRao + tip
	return SignPriced(id, a.sign, nonce, expiry, fee+oneOf[uint64](w.Rand, 0, 0, 7, 1<<64-1-fee)-
		oneOf[uint64](w.Rand, 0, 0, 0, min(fee, 1)), tip, m)
}

func (w *world) tryTx(tx Tx) error {
	err := w.seen.apply(w.s, tx)
	if next := w.s.Nonce(tx.Signer); err == nil && next != tx.Nonce+1 {
		w.t.Errorf("seed %d: the nonce %d was used, the next is %d\n%s", w.seed, tx.Nonce, next, w.script())
	}
	w.last = &tx
	w.wrote(step{kind: w.kind, tx: &tx}, applied(err))
	return err
}

// end ends blocks.
func (w *world) end(n uint64) {
	events := w.seen.advance(w.s, n)
	for _, e := range events {
		if r, ok := e.(Replaced); ok {
			if a, ok := whose(r.Old); ok {
				w.lost = append(w.lost, a)
			}
		}
	}
	w.wrote(step{kind: w.kind, blocks: n}, ended(w.s, events))
}

func (w *world) wrote(st step, o outcome) {
	w.steps = append(w.steps, st)
	w.outcomes = append(w.outcomes, o)
	w.check()
}

func (w *world) cold() actor { return colds[w.IntN(7)] } // the last has nothing
func (w *world) hot() actor  { return hots[w.IntN(len(hots))] }

// neuron draws a hotkey with a uid that fits, if there is one; else any hotkey.
func (w *world) neuron(fits func(*neuron) bool) (actor, UID) {
	n := w.s.neurons.n
	if n > 0 {
		from := w.IntN(n)
		for i := range n {
			uid := UID((from + i) % n)
			if a, ok := whose(w.s.neurons.get(uid).hotkey); ok && (fits == nil || fits(w.s.neurons.get(uid))) {
				return a, uid
			}
		}
	}
	return w.hot(), 0
}

// validator draws a hotkey that may set weights now, if there is one.
func (w *world) validator() (actor, UID) {
	p := &w.s.params
	return w.neuron(func(n *neuron) bool {
		return (n.permit || p.Rule == consensus.Nakamoto) &&
			(n.lastUpdate == 0 || w.s.height+1-n.lastUpdate >= p.WeightsRateLimitBlocks) &&
			w.s.accounts.get(n.hotkey).stakeRao >= p.StakeThresholdRao
	})
}

// keeper draws a coldkey and a hotkey of its own that fits, if there is one.
func (w *world) keeper(fits func(account) bool) (cold, hot actor) {
	from := w.IntN(len(hots))
	for i := range hots {
		h := hots[(from+i)%len(hots)]
		a := w.s.accounts.get(h.key)
		if c, ok := whose(a.owner); ok && (fits == nil || fits(a)) {
			return c, h
		}
	}
	return w.cold(), w.hot()
}

// stranger draws a coldkey that does not own the hotkey.
func (w *world) stranger(hot actor) actor {
	for {
		if c := w.cold(); c.key != w.s.accounts.get(hot.key).owner {
			return c
		}
	}
}

// fresh draws a hotkey without a uid, if there is one, and a coldkey that may register it.
func (w *world) fresh() (cold, hot actor) {
	from := w.IntN(len(hots))
	for i := range hots {
		h := hots[(from+i)%len(hots)]
		if _, ok := w.s.neurons.uidOf(h.key); !ok {
			if c, ok := whose(w.s.accounts.get(h.key).owner); ok {
				return c, h
			}
			return colds[w.IntN(3)], h
		}
	}
	return w.cold(), w.hot()
}

// some draws an amount of at most all, often something simple.
func (w *world) some(all uint64) uint64 {
	if all == 0 {
		return 1
	}
	return oneOf(w.Rand, all, 1, all/2+1, 1+w.Uint64N(all), min(all, RaoPerTAO))
}

func (w *world) freeOf(a actor) uint64  { return w.s.accounts.get(a.key).freeRao }
func (w *world) stakeOf(a actor) uint64 { return w.s.accounts.get(a.key).stakeRao }

// vector draws weights that the network takes.
func (w *world) vector() (uids []uint16, values []uint32) {
	n, p := w.s.neurons.n, &w.s.params
	least := min(n, int(p.MinAllowedWeights))
	if p.MaxWeight < 65535 {
		least = max(least, min(n, (65535+int(p.MaxWeight)-1)/int(p.MaxWeight)))
	}
	for _, uid := range w.Perm(n) {
		uids = append(uids, uint16(uid))
	}
	uids = uids[:least+w.IntN(n-least+1)]
	narrow := p.MaxWeight < 65535 || p.MaxWeightRatio > 0 || w.IntN(3) == 0
	for range uids {
		if narrow {
			values = append(values, oneOf[uint32](w.Rand, 1000, 1000, 1100))
		} else {
			values = append(values, oneOf(w.Rand, 0, 1, w.Uint32N(65536), 65535))
		}
	}
	if p.MaxWeight < 65535 && w.IntN(2) == 0 { // all alike
		for i := range values {
			values[i] = 7
		}
	}
	return uids, values
}

func (w *world) weights() SetWeights {
	uids, values := w.vector()
	return SetWeights{w.s.params.WeightsVersion, uids, values}
}

// work solves a seal, which is easy here.
func (w *world) work(hot, cold actor, block uint64) RegisterWork {
	m := RegisterWork{Coldkey: cold.key, Block: block}
	hash, ok := w.s.View().BlockHash(block)
	if !ok {
		return m
	}
	seal := registration.Seal(w.s.params.Seal)
	m.Nonce, m.Work, _ = seal.Solve(hash, hot.key, w.s.difficulty, w.Uint64(), 1000)
	return m
}

// oldest is the oldest block that a work may be on.
func (w *world) oldest() uint64 {
	block := w.s.height
	for block > 0 && w.s.height-block < 300 {
		if _, ok := w.s.View().BlockHash(block - 1); !ok {
			break
		}
		block--
	}
	return block
}

// hide makes a commit of weights.
func (w *world) hide(a actor) {
	uids, values := w.vector()
	r := RevealWeights{Version: w.s.params.WeightsVersion, UIDs: uids, Values: values}
	r.Salt[0] = byte(w.IntN(256))
	if w.try(a, CommitWeights{CommitmentOf(a.key, r)}) == nil {
		w.secrets = append(w.secrets, secret{a, r})
	}
}

// reveal shows the newest secret that passes, at which its epoch is lag epochs from being due.
func (w *world) reveal(lag int) {
	period := uint64(w.s.params.RevealPeriodEpochs)
	for i := len(w.secrets) - 1; i >= 0; i-- {
		x := w.secrets[i]
		uid, ok := w.s.neurons.uidOf(x.hotkey.key)
		if !ok {
			continue
		}
		for _, c := range w.s.neurons.get(uid).commits {
			due := int(c.epoch+period) - int(w.s.epochs)
			fits := c.digest == CommitmentOf(x.hotkey.key, x.reveal)
			if fits && (due > 0) == (lag > 0) && (due < 0) == (lag < 0) {
				_ = w.try(x.hotkey, x.reveal)
				return
			}
		}
	}
	a, _ := w.validator()
	w.hide(a)
}

// toEpoch ends blocks up to before blocks before the next epoch.
func (w *world) toEpoch(before uint64) {
	next := w.s.NextEvent()
	if next == never || next <= w.s.height+before {
		w.end(1)
		return
	}
	w.end(next - w.s.height - before)
}
