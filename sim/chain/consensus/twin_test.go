package consensus

import (
	"math"
	"sort"
	"testing"
)

// twin is the Yuma consensus as one would write it on a blackboard: dense matrices, float64, one
// loop per sentence. An entry that is absent is zero, but where bonds follow liquid alphas.
type twin struct {
	consensus, incentive, dividends, trust, share []float64
	bonds                                         [][]float64
	present                                       [][]bool // weights for bonds that are entries
}

func dense(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func normalized(v []float64) []float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	out := make([]float64, len(v))
	for i, x := range v {
		if sum > 0 {
			out[i] = x / sum
		}
	}
	return out
}

func normalizeColumns(m [][]float64) {
	for j := range m {
		sum := 0.0
		for i := range m {
			sum += m[i][j]
		}
		for i := range m {
			if sum > 0 {
				m[i][j] /= sum
			}
		}
	}
}

// supported is the largest score that at least kappa of the stake gives or exceeds.
func supported(scores, stake []float64, kappa float64) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return scores[order[a]] > scores[order[b]] })
	sum := 0.0
	for _, i := range order {
		if sum += stake[i]; stake[i] > 0 && sum >= kappa {
			return scores[i]
		}
	}
	return 0
}

func newTwin(in *Input, name Name) twin {
	n := in.N()
	raw := make([]float64, n)
	for i, s := range in.StakesRao {
		if s >= in.StakeThresholdRao || name == Yuma2Liquid {
			raw[i] = float64(s)
		}
	}
	t := twin{share: normalized(raw)}
	taking := make([]float64, n)
	for i := range taking {
		if in.Permits[i] && in.LastUpdate[i]+in.ActivityCutoffBlocks >= in.Block {
			taking[i] = t.share[i]
		}
	}
	stake := normalized(taking)
	weights := dense(n)
	t.present = make([][]bool, n)
	for i, row := range in.Weights {
		t.present[i] = make([]bool, n)
		for _, e := range row {
			if in.Permits[i] && int(e.UID) != i && in.LastUpdate[i] > in.RegisteredAt[e.UID] {
				weights[i][e.UID] = float64(e.Weight)
				t.present[i][e.UID] = true
			}
		}
		weights[i] = normalized(weights[i])
	}
	t.consensus, t.trust = make([]float64, n), make([]float64, n)
	clipped, forBonds := dense(n), dense(n)
	rank := make([]float64, n)
	penalty := float64(in.BondsPenalty) / 65535
	if name == Yuma2Liquid {
		penalty = 1
	}
	for j := range n {
		column := make([]float64, n)
		for i := range n {
			column[i] = weights[i][j]
		}
		t.consensus[j] = supported(column, stake, float64(in.Kappa)/65535)
		for i := range n {
			clipped[i][j] = math.Min(weights[i][j], t.consensus[j])
			forBonds[i][j] = weights[i][j] + penalty*(clipped[i][j]-weights[i][j])
			switch {
			case penalty == 1 && weights[i][j] > 0:
				t.present[i][j] = t.consensus[j] > 0
			case penalty > 0 && penalty < 1:
				t.present[i][j] = forBonds[i][j] > 0
			}
			t.trust[i] += clipped[i][j]
			rank[j] += stake[i] * clipped[i][j]
		}
	}
	t.incentive = normalized(rank)
	t.moveBonds(in, name, stake, forBonds)
	return t
}

// alphas are the rates at which bonds follow weights.
func (t *twin) alphas(in *Input, name Name, weights, old [][]float64) [][]float64 {
	low, high := float64(in.AlphaLow)/65535, float64(in.AlphaHigh)/65535
	logistic := func(x float64) float64 {
		return math.Max(low, math.Min(high, low+(high-low)/(1+math.Exp(x))))
	}
	ascending := append([]float64(nil), t.consensus...)
	sort.Float64s(ascending)
	quartile := func(q float64) float64 {
		at := q * float64(len(ascending)-1)
		below := ascending[int(at)]
		return below + (at-math.Floor(at))*(ascending[int(math.Ceil(at))]-below)
	}
	upper, lower := quartile(0.75), quartile(0.25)
	// The first liquid alpha goes through low at the lower and high at the upper quartile.
	lnHigh, lnLow := math.Log(1/high-1), math.Log(1/low-1)
	slope := (lnHigh - lnLow) / (lower - upper)
	alphas := dense(in.N())
	for i := range alphas {
		for j, c := range t.consensus {
			w, b := weights[i][j], old[i][j]
			switch {
			case name == Yuma2Liquid && in.LiquidAlpha && upper > lower:
				a := 1 / (1 + math.Exp(lnLow+slope*lower-slope*c))
				alphas[i][j] = math.Max(low, math.Min(high, a))
			case name == Yuma2Liquid && in.LiquidAlpha && upper > 0:
				alphas[i][j] = math.Max(low, math.Min(high, 0.5))
			case name == Yuma3 && in.LiquidAlpha && ascending[len(ascending)-1] > 0:
				distance := b - w
				if w >= b {
					distance = math.Max(0, w-c)
				}
				alphas[i][j] = logistic(-float64(in.AlphaSteepness) / 100 * (distance - 0.5))
			default:
				alphas[i][j] = 1 - float64(in.BondsMovingAveragePPM)/1e6
			}
		}
	}
	return alphas
}

func (t *twin) moveBonds(in *Input, name Name, stake []float64, weights [][]float64) {
	n := in.N()
	old := dense(n)
	for i, row := range in.Bonds {
		since := in.LastEpochBlock + 1
		if name == Yuma2Liquid {
			since = in.LastUpdate[i]
		}
		for _, b := range row {
			if in.RegisteredAt[b.UID] < since {
				old[i][b.UID] = float64(b.Bond) / 65535
			}
		}
	}
	alphas := t.alphas(in, name, weights, old)
	pairs := name == Yuma3
	drops := pairs && in.LiquidAlpha // a bond without a weight
	if !pairs {
		for i := range n {
			for j := range n {
				weights[i][j] *= stake[i]
			}
		}
		normalizeColumns(old)
		normalizeColumns(weights)
	}
	agreed := 0.0
	for _, c := range t.consensus {
		agreed += c
	}
	t.bonds = dense(n)
	shares := dense(n)
	for i := range n {
		for j := range n {
			alpha := alphas[i][j]
			t.bonds[i][j] = (1-alpha)*old[i][j] + alpha*weights[i][j]
			if drops && agreed > 0 && !t.present[i][j] {
				t.bonds[i][j] = 0
			}
			shares[i][j] = t.bonds[i][j]
		}
	}
	normalizeColumns(shares)
	dividends := make([]float64, n)
	for i := range n {
		for j := range n {
			dividends[i] += shares[i][j] * t.incentive[j]
		}
		if pairs {
			dividends[i] *= stake[i]
		}
	}
	t.dividends = normalized(dividends)
	if !pairs {
		for j := range n {
			largest := 0.0
			for i := range n {
				largest = math.Max(largest, shares[i][j])
			}
			for i := range n {
				if largest > 0 {
					t.bonds[i][j] = shares[i][j] / largest
				}
			}
		}
	}
}

// dice is a plain generator of test networks.
type dice uint64

func (d *dice) below(n int) int {
	*d = *d*6364136223846793005 + 1442695040888963407
	return int(uint64(*d) >> 33 % uint64(n))
}

func randomInput(d *dice) *Input {
	n := 2 + d.below(24)
	in := &Input{Block: 1000, LastEpochBlock: 640}
	in.Params = Params{
		TempoBlocks: 360, Kappa: uint16(20000 + d.below(40000)), BondsMovingAveragePPM: 900_000,
		BondsPenalty: []uint16{0, 20000, 65535}[d.below(3)], ActivityCutoffBlocks: 500,
		StakeThresholdRao: 2e12, MaxValidators: 1 + d.below(n),
		LiquidAlpha: d.below(2) == 0, AlphaLow: uint16(2000 + d.below(20000)),
		AlphaHigh: uint16(30000 + d.below(30000)), AlphaSteepness: int16(100 + d.below(1000)),
	}
	for i := range n {
		in.StakesRao = append(in.StakesRao, 1e12+uint64(d.below(1e9))*1e4+uint64(d.below(1e4)))
		in.LastUpdate = append(in.LastUpdate, uint64(300+d.below(700)))
		in.RegisteredAt = append(in.RegisteredAt, uint64(d.below(800)))
		in.Permits = append(in.Permits, d.below(3) > 0)
		var weights []WeightEntry
		var bonds []BondEntry
		for j := range n {
			if d.below(3) > 0 {
				weights = append(weights, WeightEntry{UID(j), uint32(d.below(65536))})
			}
			if d.below(3) > 0 && in.Permits[i] {
				bonds = append(bonds, BondEntry{UID(j), uint64(d.below(65536))})
			}
		}
		in.Weights = append(in.Weights, weights)
		in.Bonds = append(in.Bonds, bonds)
	}
	return in
}

// FuzzEpoch compares the fixed-point epoch with its twin. The rounding of every step down moves a
// share by a step of 1/65535 at most, a bond by two.
func FuzzEpoch(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, uint8(seed%3))
	}
	var ws Workspace
	f.Fuzz(func(t *testing.T, seed uint64, index uint8) {
		d := dice(seed)
		in := randomInput(&d)
		name := yumaRules[int(index)%len(yumaRules)]
		rule, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		const emission = 1_000_000_000
		out := rule.Epoch(&ws, in, emission)
		want := newTwin(in, name)
		near := func(what string, i int, got uint16, want, steps float64) {
			if math.Abs(float64(got)-math.Floor(want*65535)) > steps {
				t.Errorf("%s, seed %d, %s of %d: %d, want %g", name, seed, what, i, got, want*65535)
			}
		}
		var paid uint64
		for i := range in.N() {
			near("share", i, out.StakeWeight[i], want.share[i], 1)
			near("consensus", i, out.Consensus[i], want.consensus[i], 1)
			near("incentive", i, out.Incentive[i], want.incentive[i], 1)
			near("dividends", i, out.Dividends[i], want.dividends[i], 1)
			near("trust", i, out.ValidatorTrust[i], want.trust[i], 1)
			paid += out.EmissionRao[i]
			bonds := make([]uint16, in.N())
			for _, b := range out.Bonds[i] {
				bonds[b.UID] = uint16(b.Bond)
			}
			for j, b := range bonds {
				if name == Yuma2Liquid && !out.Permits[i] && !in.Permits[i] {
					continue // nobody touches them
				}
				if out.Permits[i] {
					near("bond", i*1000+j, b, want.bonds[i][j], 2)
				} else if b != 0 {
					t.Errorf("seed %d: %d keeps bonds without a permit", seed, i)
				}
			}
		}
		if paid > emission {
			t.Errorf("seed %d: %d rao paid of %d", seed, paid, emission)
		}
	})
}
