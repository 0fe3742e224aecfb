package chain

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"taolab/sim/chain/consensus"
)

func testGenesis(neurons int, change func(*Params)) Genesis {
	p, err := Era("2026")
	if err != nil {
		panic(err)
	}
	g := Genesis{ChainID: "test", Params: p.Scaled(8), Governor: pub("gov")}
	g.Params.TempoBlocks = 7
	g.Params.ImmunityBlocks = 5
	g.Params.WeightsRateLimitBlocks = 3
	g.Params.MinAllowedWeights = 1
	if change != nil {
		change(&g.Params)
	}
	for i := range neurons {
		g.Neurons = append(g.Neurons, GenesisNeuron{pub(fmt.Sprint("hot", i)), pub("cold0"),
			uint64(neurons-i) * RaoPerTAO})
	}
	for i := range 3 {
		g.Balances = append(g.Balances, Balance{pub(fmt.Sprint("cold", i)), 50 * RaoPerTAO})
	}
	return g
}

func mustNew(t testing.TB, g Genesis) *State {
	t.Helper()
	s, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func encode(t testing.TB, s *State) []byte {
	t.Helper()
	b, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, b []byte) *State {
	t.Helper()
	var s State
	if err := s.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	return &s
}

// sums adds up the money of all accounts.
func (s *State) sums() (free, staked uint64) {
	_ = s.accounts.each(func(a *account) error {
		free += a.freeRao
		staked += a.stakeRao
		return nil
	})
	return free, staked
}

func drawMsg(t *rapid.T) (signer string, m Msg) {
	cold := rapid.SampledFrom([]string{"cold0", "cold1", "cold2"})
	hot := rapid.SampledFrom([]string{"hot0", "hot1", "hot2", "hot3", "hot4", "hot5", "hot6", "hot7", "hot8"})
	amount := rapid.Uint64Range(0, 60*RaoPerTAO)
	switch rapid.IntRange(0, 13).Draw(t, "kind") {
	case 0:
		return cold.Draw(t, "signer"), Register{pub(hot.Draw(t, "hotkey")), 0}
	case 1:
		return cold.Draw(t, "signer"), AddStake{pub(hot.Draw(t, "hotkey")), amount.Draw(t, "rao")}
	case 2:
		return cold.Draw(t, "signer"), RemoveStake{pub(hot.Draw(t, "hotkey")), amount.Draw(t, "rao")}
	case 3:
		return cold.Draw(t, "signer"), Transfer{pub(cold.Draw(t, "to")), amount.Draw(t, "rao")}
	case 4:
		return hot.Draw(t, "signer"), ServeAxon{Axon: pub(cold.Draw(t, "axon")), Port: rapid.Uint16().Draw(t, "port")}
	case 5:
		return hot.Draw(t, "signer"), ServeConsensus{pub(hot.Draw(t, "engine"))}
	case 6:
		return cold.Draw(t, "signer"), Delegate{pub(hot.Draw(t, "hotkey")), rapid.Uint16Range(0, 12000).Draw(t, "take")}
	case 7:
		return cold.Draw(t, "signer"), Burn{amount.Draw(t, "rao") / 10}
	case 8:
		return cold.Draw(t, "signer"), Recycle{amount.Draw(t, "rao") / 10}
	case 9:
		return hot.Draw(t, "signer"), ResetBonds{}
	case 10:
		name := rapid.SampledFrom(Governable()).Draw(t, "name")
		value := rapid.SampledFrom([]uint64{0, 1, 2, 8, 100, 5000, 65535, 1e9, 21e15}).Draw(t, "value")
		return "gov", SetParams{name, value}
	}
	uids := rapid.SliceOfN(rapid.Uint16Range(0, 9), 0, 9).Draw(t, "uids")
	values := make([]uint32, len(uids))
	for i := range values {
		values[i] = uint32(rapid.Uint16().Draw(t, "value"))
	}
	return hot.Draw(t, "signer"), SetWeights{UIDs: uids, Values: values}
}

// TestWhateverHappensTheBooksBalance plays random transactions and blocks on all kinds of
// networks and checks after each what must always hold.
func TestWhateverHappensTheBooksBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		era := rapid.SampledFrom(Eras()).Draw(t, "era")
		s, err := New(testGenesis(rapid.IntRange(0, 8).Draw(t, "neurons"), func(p *Params) {
			q, err := Era(era)
			if err != nil {
				panic(err)
			}
			rule := rapid.SampledFrom(consensus.Names()).Draw(t, "rule")
			q.TempoBlocks, q.ImmunityBlocks = p.TempoBlocks, p.ImmunityBlocks
			q.WeightsRateLimitBlocks = p.WeightsRateLimitBlocks
			*p = q.Scaled(8)
			p.Rule = rule
			p.MinAllowedWeights = 1
			p.AllowBurn, p.BondsReset, p.MaxNominators = true, true, 2
		}))
		if err != nil {
			t.Fatal(err)
		}
		view := s.View()
		frozen := fingerprint(view)
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
				s.Advance(rapid.Uint64Range(1, 20).Draw(t, "blocks"))
			} else {
				applyOne(t, s)
			}
			free, staked := s.sums()
			if free != s.money.Free || staked != s.money.Staked {
				t.Fatalf("accounts hold %d + %d, the totals say %+v", free, staked, s.money)
			}
			if err := s.check(); err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "look") {
				if again := fingerprint(view); again != frozen {
					t.Fatalf("a view changed:\n%s\n%s", frozen, again)
				}
				view = s.View()
				frozen = fingerprint(view)
			}
			// A decoded state hashes everything again, this one only what it knows to have changed.
			fresh := new(State)
			if err := fresh.UnmarshalBinary(encodeOrPanic(s)); err != nil {
				t.Fatal(err)
			}
			if fresh.Digest() != s.Digest() {
				t.Fatal("the digest of the decoded state differs")
			}
		}
	})
}

func encodeOrPanic(s *State) []byte {
	b, err := s.AppendBinary(nil)
	if err != nil {
		panic(err)
	}
	return b
}

func applyOne(t *rapid.T, s *State) {
	signer, m := drawMsg(t)
	before, digest := encodeOrPanic(s), s.Digest()
	tx := Sign("test", testKey(signer), s.Nonce(pub(signer)), s.Height()+1, m)
	var refusal *Error
	if err := s.Apply(tx); err == nil {
		if s.Nonce(pub(signer)) != tx.Nonce+1 {
			t.Fatal("the nonce was not used up")
		}
		if err := s.Apply(tx); !errors.Is(err, NonceTooLow) {
			t.Fatalf("a transaction applied twice: %v", err)
		}
	} else if !errors.As(err, &refusal) {
		t.Fatalf("refused by an untyped error: %v", err)
	} else if !bytes.Equal(before, encodeOrPanic(s)) || digest != s.Digest() {
		t.Fatalf("refused (%v) but changed", err)
	}
}

// fingerprint is all that a view shows.
func fingerprint(v View) string {
	var b bytes.Buffer
	fmt.Fprint(&b, v.Height(), v.Totals(), v.BurnRao(), v.Difficulty(), v.Epochs(), v.Params())
	for uid := range v.N() {
		fmt.Fprint(&b, v.Neuron(UID(uid)), v.Weights(UID(uid)), v.Bonds(UID(uid)), v.Commits(UID(uid)))
	}
	for height := v.Height() - min(v.Height(), 2000); height < v.Height()+2; height++ { // more than any state remembers
		hash, ok := v.BlockHash(height)
		fmt.Fprint(&b, hash, ok)
	}
	for i := range 9 {
		k := pub(fmt.Sprint("hot", i))
		uid, ok := v.UIDOf(k)
		owner, owned := v.OwnerOf(k)
		fmt.Fprint(&b, uid, ok, v.StakeOf(k), v.FreeOf(pub("cold0")), owner, owned)
		take, open := v.Take(k)
		fmt.Fprint(&b, take, open, v.NominationOf(k, pub("cold0")), v.NominationOf(k, pub("cold1")))
	}
	return b.String()
}

func TestManyBlocksAtOnceEqualOneByOne(t *testing.T) {
	for _, era := range Eras() {
		for _, tempo := range []uint64{0, 1, 7, 100} {
			t.Run(fmt.Sprint(era, tempo), func(t *testing.T) {
				g := testGenesis(5, func(p *Params) {
					q, err := Era(era)
					if err != nil {
						t.Fatal(err)
					}
					q.TempoBlocks = tempo
					q.AllowBurn = true
					q.BurnRao = 3 * q.MinBurnRao
					q.AllowBurn = true
					*p = q.Scaled(8)
				})
				// The first halving falls into the run.
				g.IssuanceOffsetRao = 10_500_000*RaoPerTAO - 500*RaoPerTAO
				a, b := mustNew(t, g), mustNew(t, g)
				for _, s := range []*State{a, b} {
					if err := s.Apply(Sign("test", testKey("cold1"), 0, 9, Register{Hotkey: pub("hot7")})); err != nil {
						t.Fatal(err)
					}
				}
				for _, n := range []uint64{1, 2, 13, 400, 1700} {
					events := a.Advance(n)
					var one []Event
					for range n {
						next := b.NextEvent()
						epochs := b.epochs
						one = append(one, b.EndBlock()...)
						if ran := b.epochs > epochs; ran != (b.Height() == next) {
							t.Fatalf("block %d: epoch ran: %v, announced for %d", b.Height(), ran, next)
						}
					}
					if d := cmp.Diff(one, events); d != "" {
						t.Fatalf("events differ (-one by one +at once):\n%s", d)
					}
					if !bytes.Equal(encode(t, a), encode(t, b)) {
						t.Fatalf("states differ after %d blocks: %+v and %+v", n, a.header, b.header)
					}
				}
			})
		}
	}
}

func TestAdmissionRefusesWithNumbers(t *testing.T) {
	s := mustNew(t, testGenesis(3, nil))
	s.Advance(5)
	k, pay := testKey("cold1"), Transfer{pub("cold2"), 1}
	check := func(tx Tx, want *Error) {
		t.Helper()
		var got *Error
		if err := s.Apply(tx); !errors.As(err, &got) || *got != *want {
			t.Errorf("got %v (%+v), want %v", err, got, want)
		}
	}
	check(Tx{}, &Error{Code: MissingMessage})
	check(Sign("test", k, 0, 5, pay), &Error{Expired, 6, 5})
	check(Sign("test", k, 1<<64-1, 6, pay), &Error{NonceTooHigh, 1<<64 - 1, 1<<64 - 2})
	check(Sign("other", k, 0, 6, pay), &Error{Code: BadSignature})
	forged := Sign("test", k, 0, 6, pay)
	forged.Msg = Transfer{pub("cold2"), 2}
	check(forged, &Error{Code: BadSignature})
	stolen := Sign("test", k, 0, 6, pay)
	stolen.Signer = pub("cold0")
	check(stolen, &Error{Code: BadSignature})
	if err := s.Apply(Sign("test", k, 41, 6, pay)); err != nil {
		t.Errorf("a gap between nonces: %v", err)
	}
	check(Sign("test", k, 41, 6, pay), &Error{NonceTooLow, 41, 42})
	check(Sign("test", k, 42, 6, Transfer{Key{}, 1}), &Error{Code: ZeroKey})
	check(Sign("test", testKey("hot0"), 0, 6, SetWeights{UIDs: []uint16{1}, Values: []uint32{1, 2}}),
		&Error{LengthMismatch, 2, 1})
}

func TestEveryReasonHasWords(t *testing.T) {
	for c := MissingMessage; c <= lastCode; c++ {
		err := &Error{Code: c, Have: 17, Want: 23}
		if text := err.Error(); len(text) < 10 || bytes.Contains([]byte(text), []byte("%!")) {
			t.Errorf("reason %d: %q", c, text)
		}
		if !errors.Is(err, c) || c.Name() == "" {
			t.Errorf("reason %d is not found by errors.Is, or has no name: %q", c, c.Name())
		}
	}
	if got := Code(200).Error(); got != "refusal 200" {
		t.Errorf("an unknown reason reads %q", got)
	}
}

func TestAGenesisThatCannotBeIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Genesis)
	}{
		{"no chain id", func(g *Genesis) { g.ChainID = "" }},
		{"unknown rule", func(g *Genesis) { g.Params.Rule = "yuma9" }},
		{"unknown emission", func(g *Genesis) { g.Params.Emission = "gold" }},
		{"unknown epoch rule", func(g *Genesis) { g.Params.EpochDue = "never" }},
		{"unknown pruning", func(g *Genesis) { g.Params.PruneBy = "" }},
		{"unknown price rule", func(g *Genesis) { g.Params.BurnRule = "" }},
		{"no slots", func(g *Genesis) { g.Params.MaxUIDs = 0 }},
		{"more neurons than slots", func(g *Genesis) { g.Params.MaxUIDs = 2 }},
		{"weights that cannot be met", func(g *Genesis) { g.Params.MaxWeight = 8191 }},
		{"price outside its bounds", func(g *Genesis) { g.Params.BurnRao = 1 }},
		{"no half-life", func(g *Genesis) { g.Params.BurnHalfLifeBlocks = 0 }},
		{"a price that shrinks", func(g *Genesis) { g.Params.BurnIncreasePercent = 99 }},
		{"no interval", func(g *Genesis) { g.Params.BurnRule = BurnByInterval }},
		{"no target", func(g *Genesis) {
			g.Params.BurnRule, g.Params.AdjustmentIntervalBlocks = BurnByInterval, 100
		}},
		{"a hotkey twice", func(g *Genesis) { g.Neurons[1].Hotkey = g.Neurons[0].Hotkey }},
		{"a hotkey of nobody", func(g *Genesis) { g.Neurons[1].Coldkey = Key{} }},
		{"a balance of nobody", func(g *Genesis) { g.Balances[0].Coldkey = Key{} }},
		{"more money than there can be", func(g *Genesis) { g.Balances[0].FreeRao = 1 << 63 }},
		{"more issued than there can be", func(g *Genesis) { g.IssuanceOffsetRao = 1 << 63 }},
	} {
		g := testGenesis(3, nil)
		if _, err := New(g); err != nil {
			t.Fatal(err)
		}
		tc.change(&g)
		if _, err := New(g); err == nil {
			t.Errorf("%s: accepted", tc.name)
		}
	}
}

func TestEveryEraIsValidAtEverySize(t *testing.T) {
	for _, name := range Eras() {
		p, err := Era(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 2, 3, 16, 255, 256, 1000, 4096, 16384} {
			q := p.Scaled(n)
			if err := q.Validate(); err != nil {
				t.Errorf("%s for %d: %v", name, n, err)
			}
			if q.MaxUIDs != uint16(n) || q.MinAllowedWeights > uint16(max(n, 1024)) {
				t.Errorf("%s for %d: %+v", name, n, q)
			}
		}
		// The bytes of the parameters read back as the parameters.
		c := coder{}
		p.layout(&c)
		var again Params
		c.reading = true
		again.layout(&c)
		if err := c.end(); err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%s: %v, %+v", name, err, again)
		}
	}
	if _, err := Era("stone age"); err == nil {
		t.Error("an unknown era was found")
	}
}

func TestALayoutNamesEveryParameter(t *testing.T) {
	var p Params
	v := reflect.ValueOf(&p).Elem()
	for i := range v.NumField() {
		p = Params{}
		empty := coder{}
		p.layout(&empty)
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int16:
			f.SetInt(1)
		case reflect.Struct:
			continue // Hard, see TestALayoutNamesEveryHardSetting
		default:
			f.SetUint(1)
		}
		set := coder{}
		p.layout(&set)
		if bytes.Equal(empty.buf, set.buf) {
			t.Errorf("%s is missing from the bytes", v.Type().Field(i).Name)
		}
	}
}
