package attack

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/chain/emission"
	"taolab/sim/host"
)

func hotkey(i int) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, fmt.Sprint("hot ", i))
	return ed25519.NewKeyFromSeed(seed)
}

func public(i int) chain.Key { return chain.Key(hotkey(i).Public().(ed25519.PublicKey)) }

// world is the world of neuron 0 of six, the others with stakes of 5, 4, 3, 2 and 1 TAO. It
// implements only what a lazy validator uses.
type world struct {
	host.Env
	t       *testing.T
	state   *chain.State
	stream  *num.Stream
	ids     uint64
	timers  map[host.TimerID]uint64
	sent    []chain.Msg
	newest  host.SubmitID
	refused int
}

// newWorld is a network of six neurons with 6, 5, 4, 3, 2 and 1 TAO of stake, or with what is given.
func newWorld(t *testing.T, change func(*chain.Params), stakesTAO ...uint64) *world {
	t.Helper()
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	params = params.Scaled(6)
	params.TempoBlocks, params.MinAllowedWeights, params.MaxWeight = 20, 1, 65535
	params.WeightsRateLimitBlocks, params.StakeThresholdRao, params.MaxValidators = 0, 0, 6
	genesis := chain.Genesis{ChainID: "test", Params: params}
	if len(stakesTAO) == 0 {
		stakesTAO = []uint64{6, 5, 4, 3, 2, 1}
	}
	for i, stake := range stakesTAO {
		genesis.Neurons = append(genesis.Neurons, chain.GenesisNeuron{
			Hotkey: public(i), Coldkey: public(100), StakeRao: stake * chain.RaoPerTAO,
		})
	}
	change(&genesis.Params)
	state, err := chain.New(genesis)
	if err != nil {
		t.Fatal(err)
	}
	state.Advance(params.TempoBlocks) // the first epoch gives the permits
	return &world{t: t, state: state, stream: num.NewStream(1, "salt"), timers: map[host.TimerID]uint64{}}
}

func plain(*chain.Params) {}

func (w *world) Self() host.Self         { return host.Self{Hotkey: public(0), HasUID: true} }
func (w *world) Chain() chain.View       { return w.state.View() }
func (w *world) Rand(string) *num.Stream { return w.stream }
func (w *world) AtBlock(height uint64, _ host.Tag) host.TimerID {
	w.ids++
	w.timers[host.TimerID(w.ids)] = height
	return host.TimerID(w.ids)
}

// Submit applies the message to the ledger at once.
func (w *world) Submit(_ host.KeyRole, m chain.Msg) host.SubmitID {
	w.ids++
	w.newest = host.SubmitID(w.ids)
	w.sent = append(w.sent, m)
	w.apply(0, m)
	return w.newest
}

func (w *world) apply(from int, m chain.Msg) {
	w.t.Helper()
	tx := chain.Sign("test", hotkey(from), w.state.Nonce(public(from)), w.state.Height()+8, m)
	if err := w.state.Apply(tx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) weigh(from int, uids []uint16, values ...uint32) {
	w.t.Helper()
	w.apply(from, chain.SetWeights{Version: w.state.View().Params().WeightsVersion, UIDs: uids, Values: values})
}

// blocks adds blocks to the chain, and encodes and restores the lazy validator after every event.
func (w *world) blocks(l *Lazy, n int) {
	for range n {
		w.state.Advance(1)
		for id := host.TimerID(1); id <= host.TimerID(w.ids); id++ {
			if at, set := w.timers[id]; set && at == w.state.Height() {
				delete(w.timers, id)
				w.newest = 0
				l.Handle(w, host.Block{ID: id, Height: at})
				if w.newest != 0 {
					l.Handle(w, host.Included{ID: w.newest, Height: at})
				}
				saved := l.AppendState(nil)
				restored := NewLazy(l.config)
				if err := restored.RestoreState(saved); err != nil {
					w.t.Fatal(err)
				}
				*l = *restored
			}
		}
	}
}

func lazyIn(w *world, c LazyConfig) *Lazy {
	c.EpochBlocks = 10
	l := NewLazy(c)
	l.Handle(w, host.Start{})
	return l
}

func newestRow(t *testing.T, w *world, uids []uint16, values ...uint32) {
	t.Helper()
	var got []string
	if len(w.sent) > 0 {
		if m, ok := w.sent[len(w.sent)-1].(chain.SetWeights); ok && slices.Equal(m.UIDs, uids) && slices.Equal(m.Values, values) {
			return
		}
	}
	for _, m := range w.sent {
		got = append(got, fmt.Sprintf("%+v", m))
	}
	t.Fatalf("sent %v; want weights %v on %v last", got, values, uids)
}

func TestALazyValidatorCopiesTheRichestWithoutItself(t *testing.T) {
	w := newWorld(t, plain)
	l := lazyIn(w, LazyConfig{})
	w.blocks(l, 10)
	if len(w.sent) != 0 {
		t.Fatalf("with nothing to copy it sent %+v", w.sent)
	}
	w.weigh(2, []uint16{3, 4}, 65535, 65535)
	w.weigh(1, []uint16{0, 4}, 65535, 65535)
	w.blocks(l, 10)
	newestRow(t, w, []uint16{4}, 65535)
}

func TestALazyValidatorWithFriendsNeedsNobody(t *testing.T) {
	w := newWorld(t, plain)
	l := lazyIn(w, LazyConfig{Favour: []chain.Key{public(3), public(99), public(4)}})
	w.blocks(l, 10)
	newestRow(t, w, []uint16{3, 4}, 65535, 65535)
}

// Of 12 TAO, 9 stand behind a share of a half or more for uid 4, and 7 for uid 5.
func TestALazyValidatorCopiesTheStakeWeightedMedian(t *testing.T) {
	w := newWorld(t, plain)
	l := lazyIn(w, LazyConfig{Copies: Consensus})
	w.weigh(1, []uint16{4, 5}, 60000, 20000) // 0.75, 0.25 with 5 of 12
	w.weigh(2, []uint16{4, 5}, 30000, 30000) // 0.5, 0.5 with 4
	w.weigh(3, []uint16{5}, 65535)           // 0, 1 with 3
	w.blocks(l, 10)
	newestRow(t, w, []uint16{4, 5}, 65535, 65535)
}

// Kappa of the stake is enough, and a unit less is not.
func TestAVoteNeedsKappaOfTheStake(t *testing.T) {
	for _, c := range []struct {
		behind, stakeRao uint64
		kappa            uint16
		want             uint64
	}{
		{32767, 65535, 32767, 7}, {32766, 65535, 32767, 3}, {65535, 65535, 65535, 7}, {65534, 65535, 65535, 3}, {1, 65535, 0, 7},
	} {
		votes := []vote{{3, c.stakeRao - c.behind}, {7, c.behind}}
		if got := highest(votes, c.stakeRao, c.kappa); got != c.want {
			t.Errorf("%d of %d with kappa %d: %d, want %d", c.behind, c.stakeRao, c.kappa, got, c.want)
		}
	}
}

func TestALagSetsWhatWasPublicEpochsAgo(t *testing.T) {
	w := newWorld(t, plain)
	l := lazyIn(w, LazyConfig{LagEpochs: 2})
	w.weigh(1, []uint16{4}, 65535)
	w.blocks(l, 10)
	w.weigh(1, []uint16{5}, 65535)
	w.blocks(l, 10)
	if len(w.sent) != 0 {
		t.Fatalf("before its lag is over it sent %+v", w.sent)
	}
	w.blocks(l, 10)
	newestRow(t, w, []uint16{4}, 65535)
	w.blocks(l, 10)
	newestRow(t, w, []uint16{5}, 65535)
}

func TestUnderCommitRevealALazyValidatorRevealsWhatItSaw(t *testing.T) {
	hidden := newWorld(t, func(p *chain.Params) { p.CommitReveal, p.RevealPeriodEpochs = true, 1 })
	l := lazyIn(hidden, LazyConfig{Favour: []chain.Key{public(4)}})
	hidden.blocks(l, 60)
	var commits, reveals int
	for _, m := range hidden.sent {
		switch m := m.(type) {
		case chain.CommitWeights:
			commits++
		case chain.RevealWeights:
			reveals++
			if !slices.Equal(m.UIDs, []uint16{4}) || !slices.Equal(m.Values, []uint32{65535}) {
				t.Errorf("it revealed %v on %v", m.Values, m.UIDs)
			}
		default:
			t.Errorf("it sent %T in the open", m)
		}
	}
	row := hidden.state.View().Weights(0)
	if commits == 0 || reveals == 0 || len(row) != 1 || row[0].UID != 4 {
		t.Errorf("%d commits, %d reveals, and the ledger holds %v", commits, reveals, row)
	}
}

// The ledger of 2022 has weights of 32 bits; a commit takes 16.
func TestWideWeightsKeepTheirProportionsInACommit(t *testing.T) {
	for _, c := range []struct {
		wide []uint32
		want []uint16
	}{
		{[]uint32{65535, 3}, []uint16{65535, 3}},
		{[]uint32{10, 5}, []uint16{10, 5}},
		{[]uint32{1<<32 - 1, 1 << 31, 1, 0}, []uint16{65535, 32767, 1, 0}},
		{[]uint32{131070, 65535}, []uint16{65535, 32767}},
	} {
		if got := narrowed(c.wide); !slices.Equal(got, c.want) {
			t.Errorf("%v as %v, want %v", c.wide, got, c.want)
		}
	}
}

func TestALazyConfigThatCannotWorkIsRefused(t *testing.T) {
	for _, c := range []LazyConfig{
		{}, {EpochBlocks: 1, Copies: 2}, {EpochBlocks: 1, LagEpochs: maxLag + 1}, {EpochBlocks: 1, LagEpochs: -1},
	} {
		if c.Validate() == nil {
			t.Errorf("%+v is valid", c)
		}
	}
}

func TestALazyValidatorServesNobody(t *testing.T) {
	w := newWorld(t, plain)
	if NewLazy(LazyConfig{EpochBlocks: 1}).Handle(w, host.Incoming{}); w.refused != 1 {
		t.Errorf("%d requests were refused, expected 1", w.refused)
	}
}

// Of validators with equal stakes the first by uid counts as the richest.
func TestALazyValidatorCopiesTheFirstOfEquals(t *testing.T) {
	w := newWorld(t, func(p *chain.Params) { p.Emission, p.EmissionFlatRao = emission.Flat, 0 }, 4, 4, 4, 4, 4, 4)
	w.weigh(1, []uint16{4}, 65535)
	w.weigh(2, []uint16{5}, 65535)
	l := lazyIn(w, LazyConfig{})
	w.blocks(l, 10)
	newestRow(t, w, []uint16{4}, 65535)
}

// The ledger refuses weights of another version than its own, and weights that come a block too late are of the
// next epoch.
func TestALazyValidatorSetsWeightsOfTheLedgersVersionJustBeforeTheEpoch(t *testing.T) {
	w := newWorld(t, func(p *chain.Params) { p.WeightsVersion = 7 })
	l := NewLazy(LazyConfig{EpochBlocks: 10, LeadBlocks: 2, Favour: []chain.Key{public(3)}})
	l.Handle(w, host.Start{})
	var at []uint64
	for range 40 {
		before := len(w.sent)
		if w.blocks(l, 1); len(w.sent) > before {
			at = append(at, w.state.Height()+1) // the block that takes them
		}
	}
	epoch, _ := w.state.View().EpochAfter(w.state.Height())
	if want := []uint64{epoch - 40 - 2, epoch - 20 - 2}; !slices.Equal(at, want) {
		t.Errorf("weights come in blocks %d, want %d: two before an epoch's", at, want)
	}
}

func TestALazyValidatorRemembersNoMoreThanItsLag(t *testing.T) {
	w := newWorld(t, plain)
	l := lazyIn(w, LazyConfig{LagEpochs: 1})
	w.weigh(1, []uint16{4}, 65535)
	w.blocks(l, 30)
	for range 2 {
		l.seen = append(l.seen, row{})
	}
	if err := NewLazy(l.config).RestoreState(l.AppendState(nil)); err == nil {
		t.Errorf("a state of %d rows is taken, with a lag of one epoch", len(l.seen))
	}
}
