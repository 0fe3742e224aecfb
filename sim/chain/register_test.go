package chain

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"taolab/sim/chain/registration"
)

// joinable is a network that one may join by work and by burn, with prices that move soon.
func joinable(t testing.TB, change func(*Params)) *State {
	p, err := Era("2025-01")
	if err != nil {
		t.Fatal(err)
	}
	p = p.Scaled(6)
	p.TempoBlocks, p.ImmunityBlocks, p.AdjustmentIntervalBlocks = 13, 5, 7
	p.AllowWork, p.AllowBurn = true, true
	p.MinDifficulty, p.Difficulty = 3, 12
	p.MinBurnRao, p.BurnRao, p.MaxBurnRao = 1000, 64_000, 1_000_000
	p.BurnHalfLifeBlocks, p.BurnIncreasePercent = 5, 150
	p.MaxRegistrationsPerBlock = 3
	if change != nil {
		change(&p)
	}
	g := Genesis{ChainID: "test", Params: p, Balances: []Balance{{pub("cold"), RaoPerTAO}}}
	for i := range 4 {
		n := GenesisNeuron{pub(fmt.Sprint("old", i)), pub("cold"), uint64(i) * RaoPerTAO}
		g.Neurons = append(g.Neurons, n)
	}
	s, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// solved is a proof of work on the newest block, of a nonce from first on.
func solved(s *State, hotkey Key, first uint64) RegisterWork {
	v := s.View()
	hash, _ := v.BlockHash(v.Height())
	nonce, work, _ := registration.Seal(v.Params().Seal).Solve(hash, hotkey, v.Difficulty(), first, 10_000)
	return RegisterWork{Coldkey: pub("cold"), Block: v.Height(), Nonce: nonce, Work: work}
}

// TestAdvanceIsBlockByBlockAfterAnyRegistrations lets newcomers come by work and by burn under all
// rules, then time pass, at once and block by block.
func TestAdvanceIsBlockByBlockAfterAnyRegistrations(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		change := func(p *Params) {
			p.BurnRule = rapid.SampledFrom([]BurnRule{BurnByDemand, BurnByInterval}).Draw(rt, "burn rule")
			p.AdjustBy = rapid.SampledFrom([]AdjustBy{AdjustByTarget, AdjustByTarget2023, AdjustByDoubleHalve}).Draw(rt, "adjust")
			p.PruneBy = rapid.SampledFrom([]PruneBy{PruneByEmission, PruneByScore,
				PruneByStakeOrIncentive}).Draw(rt, "prune")
			seal := rapid.SampledFrom(registration.Seals()).Draw(rt, "seal")
			p.Seal = string(seal)
			p.AdjustmentAlpha = rapid.SampledFrom([]uint64{0, 1 << 63, 1<<64 - 1}).Draw(rt, "alpha")
		}
		s := joinable(t, change)
		var nonce uint64
		for step := range rapid.IntRange(1, 30).Draw(rt, "steps") {
			hotkey := fmt.Sprint("new", step)
			switch rapid.IntRange(0, 2).Draw(rt, "what") {
			case 0:
				_ = s.Apply(Sign("test", testKey("cold"), nonce, 1<<40, Register{Hotkey: pub(hotkey)}))
			case 1:
				m := solved(s, pub(hotkey), uint64(step)<<20)
				_ = s.Apply(Sign("test", testKey(hotkey), 0, 1<<40, m))
			default:
				n := rapid.Uint64Range(1, 40).Draw(rt, "blocks")
				again := decode(t, encode(t, s))
				s.Advance(n)
				for range n {
					again.EndBlock()
				}
				if s.Digest() != again.Digest() {
					rt.Fatalf("%d blocks from %d on differ: price %d and %d, difficulty %d and %d", n,
						s.Height()-n, s.burnPriceRao, again.burnPriceRao, s.difficulty, again.difficulty)
				}
			}
			nonce = s.Nonce(pub("cold"))
		}
	})
}

// TestRestingPricesLetYearsPassAtOnce would take minutes block by block.
func TestRestingPricesLetYearsPassAtOnce(t *testing.T) {
	s := joinable(t, func(p *Params) { p.TempoBlocks = 0 })
	if err := s.Apply(Sign("test", testKey("late"), 0, 9, solved(s, pub("late"), 0))); err != nil {
		t.Fatal(err)
	}
	s.Advance(1 << 34)
	if p := s.params; s.burnPriceRao != p.MinBurnRao || s.difficulty != p.MinDifficulty {
		t.Errorf("price %d, difficulty %d, want the lowest", s.burnPriceRao, s.difficulty)
	}
}

// TestEveryBitOfAWorkCounts flips each bit of a valid proof: none of what comes of it is accepted.
func TestEveryBitOfAWorkCounts(t *testing.T) {
	for _, seal := range registration.Seals() {
		s := joinable(t, func(p *Params) { p.Seal = string(seal) })
		s.Advance(2)
		good := solved(s, pub("new"), 0)
		try := func(m RegisterWork) error {
			return decode(t, encode(t, s)).Apply(Sign("test", testKey("new"), 0, 99, m))
		}
		if err := try(good); err != nil {
			t.Fatalf("%s: %v", seal, err)
		}
		for bit := range 64 + 256 {
			m := good
			if bit < 64 {
				m.Nonce ^= 1 << bit
			} else {
				m.Work[(bit-64)/8] ^= 1 << (bit % 8)
			}
			if try(m) == nil {
				t.Errorf("%s: accepted with bit %d flipped", seal, bit)
			}
		}
	}
}

// BenchmarkRegister is a registration in a full network of 4,096 uids.
func BenchmarkRegister(b *testing.B) {
	p, err := Era("2025-01")
	if err != nil {
		b.Fatal(err)
	}
	p.MaxRegistrationsPerBlock, p.TargetRegistrations, p.MinBurnRao, p.BurnRao = 1<<15, 1<<14, 1, 1
	for _, by := range []PruneBy{PruneByEmission, PruneByScore, PruneByStakeOrIncentive} {
		b.Run(string(by), func(b *testing.B) {
			p.PruneBy = by
			g := Genesis{ChainID: "test", Params: p, Balances: []Balance{{pub("cold"), RaoPerTAO}}}
			for i := range int(p.MaxUIDs) {
				key := Key{1: byte(i), 2: byte(i >> 8), 3: 1}
				g.Neurons = append(g.Neurons, GenesisNeuron{key, pub("cold"), 1})
			}
			s := mustNew(b, g)
			for i := uint32(0); b.Loop(); i++ {
				hotkey := Key{1: byte(i), 2: byte(i >> 8), 3: byte(i >> 16), 4: 1}
				if err := s.register(pub("cold"), Register{Hotkey: hotkey}); err != nil {
					s.Advance(100)
				}
			}
		})
	}
}
