package consensus

import (
	"slices"
	"testing"
)

// crowd is a network in its steady state: validators first, each with weights on so many of the
// others, whose bonds have followed them for some epochs.
func crowd(tb testing.TB, rule Rule, n, validators, weights int, p Params) *Input {
	tb.Helper()
	d := dice(1)
	p.TempoBlocks, p.Kappa, p.BondsMovingAveragePPM = 360, 32767, 900_000
	p.ActivityCutoffBlocks, p.MaxValidators = 5000, validators
	p.AlphaLow, p.AlphaHigh, p.AlphaSteepness = 45875, 58982, 1000
	in := &Input{Params: p, Block: 1000, LastEpochBlock: 640}
	for i := range n {
		stake := uint64(0)
		if i < validators {
			stake = 1e12 + uint64(d.below(1e9))
		}
		in.StakesRao = append(in.StakesRao, stake)
		in.LastUpdate = append(in.LastUpdate, 900)
		in.RegisteredAt = append(in.RegisteredAt, 1)
		in.Permits = append(in.Permits, i < validators)
		in.Weights = append(in.Weights, nil)
		in.Bonds = append(in.Bonds, nil)
	}
	quality := make([]int, n)
	for j := range quality {
		quality[j] = 1 + d.below(60_000)
	}
	var ws Workspace
	for range 8 {
		for i := range validators {
			in.Weights[i] = nil
			candidates := min(n-validators, weights*9/8)
			for k := range candidates {
				if missing := weights - len(in.Weights[i]); d.below(candidates-k) < missing {
					j := validators + k
					in.Weights[i] = append(in.Weights[i],
						WeightEntry{UID(j), uint32(quality[j] + d.below(5000))})
				}
			}
		}
		for i, row := range rule.Epoch(&ws, in, 1e9).Bonds {
			in.Bonds[i] = slices.Clone(row)
		}
	}
	return in
}

func TestASteadyNetworkAllocatesNothing(t *testing.T) {
	for _, name := range Names() {
		for _, p := range []Params{{BondsPenalty: 65535}, {BondsPenalty: 30000}, {LiquidAlpha: true}} {
			rule, err := Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			in := crowd(t, rule, 256, 64, 128, p)
			var ws Workspace
			rule.Epoch(&ws, in, 1e9)
			if n := testing.AllocsPerRun(3, func() { rule.Epoch(&ws, in, 1e9) }); n > 0 {
				t.Errorf("%s, %+v: %v allocations in an epoch", name, p, n)
			}
		}
	}
}

func BenchmarkEpoch(b *testing.B) {
	for _, bm := range []struct {
		name                   string
		rule                   Name
		n, validators, weights int
		p                      Params
	}{
		{"yuma2/512x64x448", Yuma2, 512, 64, 448, Params{BondsPenalty: 65535}},
		{"yuma2-liquid/512x64x448", Yuma2Liquid, 512, 64, 448, Params{LiquidAlpha: true}},
		{"yuma3/512x64x448", Yuma3, 512, 64, 448, Params{BondsPenalty: 65535}},
		{"yuma3-liquid/512x64x448", Yuma3, 512, 64, 448, Params{BondsPenalty: 65535, LiquidAlpha: true}},
		{"yuma3-liquid/256x20x84", Yuma3, 256, 20, 84, Params{BondsPenalty: 65535, LiquidAlpha: true}},
		{"yuma3-liquid/256x64x192", Yuma3, 256, 64, 192, Params{BondsPenalty: 65535, LiquidAlpha: true}},
		{"yuma3-liquid-unclipped/256x64x192", Yuma3, 256, 64, 192, Params{LiquidAlpha: true}},
		{"yuma2/4096x128x1024", Yuma2, 4096, 128, 1024, Params{BondsPenalty: 65535}},
		{"yuma3-liquid/4096x128x1024", Yuma3, 4096, 128, 1024, Params{BondsPenalty: 65535, LiquidAlpha: true}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			rule, err := Lookup(bm.rule)
			if err != nil {
				b.Fatal(err)
			}
			in := crowd(b, rule, bm.n, bm.validators, bm.weights, bm.p)
			var ws Workspace
			rule.Epoch(&ws, in, 1e9)
			b.ReportAllocs()
			for b.Loop() {
				rule.Epoch(&ws, in, 1e9)
			}
		})
	}
}
