package consensus

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"

	"taolab/sim/chain/fixed"
)

// The functions of two files of vectors.
const (
	currentMath = "fixed_point_math.json"
	januaryMath = "yuma2_2025_liquid_v1.json"
)

// forEachVector checks all vectors of a function, of which the file has so many.
func forEachVector[In, Out any](t *testing.T, file, function string, cases int,
	check func(t *testing.T, in In, out Out)) {
	t.Helper()
	type vectors map[string][]struct{ In, Out json.RawMessage }
	var content struct{ Vectors, Math vectors }
	loadVectors(t, file, &content)
	all := content.Vectors[function]
	if file == januaryMath {
		all = content.Math[function]
	}
	if len(all) != cases {
		t.Fatalf("%d vectors of %s, want %d", len(all), function, cases)
	}
	for _, v := range all {
		var in In
		var out Out
		if err := json.Unmarshal(v.In, &in); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(v.Out, &out); err != nil {
			t.Fatal(err)
		}
		check(t, in, out)
	}
}

func TestTheWeightedMedianEqualsTheOriginal(t *testing.T) {
	forEachVector(t, currentMath, "weighted_median", 8, func(t *testing.T, in struct {
		Stake, Score []fixed.I32F32
		Minority     fixed.I32F32
		Lo           fixed.I32F32 `json:"partition_lo"`
	}, want fixed.I32F32) {
		if got := Median(in.Stake, in.Score, in.Lo, in.Minority); got != want {
			t.Errorf("%+v: %d, want %d", in, got, want)
		}
	})
}

func TestTheWeightedMediansOfColumnsEqualTheOriginal(t *testing.T) {
	forEachVector(t, currentMath, "weighted_median_col", 25, func(t *testing.T, in struct {
		Stake    []fixed.I32F32
		Score    [][]fixed.I32F32
		Majority fixed.I32F32
	}, want []fixed.I32F32) {
		if got := ColumnMedians(in.Stake, in.Score, len(want), in.Majority); !slices.Equal(got, want) {
			t.Errorf("%+v: %d, want %d", in, got, want)
		}
	})
}

// FuzzMedian compares with the definition: sort, add up, take the first that exceeds.
func FuzzMedian(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		d := dice(seed)
		type vote struct{ score, stake fixed.I32F32 }
		votes := make([]vote, 1+d.below(200))
		scores, stakes := make([]fixed.I32F32, len(votes)), make([]fixed.I32F32, len(votes))
		var total fixed.I32F32
		distinct := 1 + d.below(100)
		for i := range votes {
			votes[i] = vote{fixed.I32F32(d.below(distinct)), fixed.I32F32(1 + d.below(100))}
			scores[i], stakes[i] = votes[i].score, votes[i].stake
			total += votes[i].stake
		}
		lo := fixed.I32F32(d.below(50))
		minority := fixed.I32F32(d.below(int(lo+total)+20)) - 10
		sorted := slices.Clone(votes)
		sort.Slice(sorted, func(a, b int) bool { return sorted[a].score < sorted[b].score })
		want, sum := sorted[len(sorted)-1].score, lo
		for i, v := range sorted {
			sum += v.stake
			if (i+1 == len(sorted) || sorted[i+1].score > v.score) && sum > minority {
				want = v.score
				break
			}
		}
		if got := Median(stakes, scores, lo, minority); got != want {
			t.Errorf("seed %d: %d, want %d", seed, got, want)
		}
	})
}

type topKInput struct {
	V []fixed.I32F32
	K int
}

func TestPermitsGoToTheLargestAndOfEqualsToTheLater(t *testing.T) {
	check := func(zeros bool) func(t *testing.T, in topKInput, want []uint8) {
		return func(t *testing.T, in topKInput, want []uint8) {
			if got := flags(TopK(in.V, in.K, zeros)); !slices.Equal(got, want) {
				t.Errorf("%+v, zeros %v: %v, want %v", in, zeros, got, want)
			}
		}
	}
	forEachVector(t, currentMath, "is_topk_nonzero", 5, check(false))
	forEachVector(t, currentMath, "is_topk", 9, check(true))
}

func TestTheRateOfAPairEqualsTheOriginal(t *testing.T) {
	forEachVector(t, currentMath, "alpha_sigmoid", 29, func(t *testing.T, in struct {
		Consensus, Weight, Bond fixed.I32F32
		Low                     fixed.I32F32 `json:"alpha_low"`
		High                    fixed.I32F32 `json:"alpha_high"`
		Steepness               fixed.I32F32
	}, want fixed.I32F32) {
		got := PairAlpha(in.Consensus, in.Weight, in.Bond, in.Low, in.High, in.Steepness)
		if got != want {
			t.Errorf("%+v: %d, want %d", in, got, want)
		}
	})
}

func TestTheRateOfAMinerEqualsTheOriginal(t *testing.T) {
	forEachVector(t, januaryMath, "quantile", 7, func(t *testing.T, in struct {
		Data []fixed.I32F32
		Q    float64
	}, want fixed.I32F32) {
		if got := Quantile(in.Data, fixed.I32F32(in.Q*float64(fixed.One))); got != want {
			t.Errorf("quantile %+v: %d, want %d", in, got, want)
		}
	})
	forEachVector(t, januaryMath, "logistic_params", 3, func(t *testing.T, in struct {
		High  fixed.I32F32 `json:"alpha_high"`
		Low   fixed.I32F32 `json:"alpha_low"`
		Upper fixed.I32F32 `json:"consensus_high"`
		Lower fixed.I32F32 `json:"consensus_low"`
	}, want [2]fixed.I32F32) {
		if a, b := LogisticParams(in.High, in.Low, in.Upper, in.Lower); a != want[0] || b != want[1] {
			t.Errorf("logistic %+v: %d and %d, want %d", in, a, b, want)
		}
	})
	forEachVector(t, januaryMath, "compute_alpha_values", 2, func(t *testing.T, in struct {
		Consensus []fixed.I32F32
		A, B      fixed.I32F32
	}, want []fixed.I32F32) {
		for j, c := range in.Consensus {
			if got := LogisticAlpha(c, in.A, in.B); got != want[j] {
				t.Errorf("alpha of %d, a %d, b %d: %d, want %d", c, in.A, in.B, got, want[j])
			}
		}
	})
}

// FuzzTopK compares with the definition: those that fewer than k others beat.
func FuzzTopK(f *testing.F) {
	for seed := range uint64(100) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		d := dice(seed)
		v := make([]fixed.I32F32, d.below(30))
		for i := range v {
			v[i] = fixed.I32F32(d.below(6)) << (d.below(2) * 30)
		}
		k, zeros := d.below(len(v)+3)-1, d.below(2) == 0
		for i, got := range TopK(v, k, zeros) {
			better := 0
			for j, x := range v {
				if x > v[i] || x == v[i] && j > i {
					better++
				}
			}
			if want := better < k && (v[i] != 0 || zeros) || k >= len(v) && zeros; got != want {
				t.Errorf("seed %d, %d of %d at %d, zeros %v: %v, want %v", seed, k, v, i, zeros, got, want)
			}
		}
	})
}

// FuzzLiquidAlphas compares both liquid alphas with real numbers. A rate may be off by what the
// series of 30 terms is at exponents up to 10, and by the rounding of a slope times the consensus.
func FuzzLiquidAlphas(f *testing.F) {
	f.Add(uint16(30000), uint16(20000), uint16(40000), uint16(45875), uint16(58982), int16(1000))
	f.Add(uint16(0), uint16(65535), uint16(0), uint16(1638), uint16(65535), int16(-300))
	f.Add(uint16(7), uint16(7), uint16(7), uint16(6553), uint16(6553), int16(0))
	f.Fuzz(func(t *testing.T, consensus, weight, bond, low, high uint16, steepness int16) {
		low, high = min(low, high), max(low, high)
		steepness %= 2000
		c, w, b := float64(consensus)/65535, float64(weight)/65535, float64(bond)/65535
		lo, hi := float64(low)/65535, float64(high)/65535
		clamped := func(x float64) float64 { return math.Max(lo, math.Min(hi, x)) }
		near := func(what string, got fixed.I32F32, want, tolerance float64) {
			t.Helper()
			if math.Abs(float64(got)/(1<<32)-want) > tolerance {
				t.Errorf("%s of %d %d %d within %d..%d by %d: %g, want %g", what, consensus, weight, bond,
					low, high, steepness, float64(got)/(1<<32), want)
			}
		}
		u16 := fixed.FromU16
		distance := b - w
		if w >= b {
			distance = math.Max(0, w-c)
		}
		got := PairAlpha(u16(consensus), u16(weight), u16(bond), u16(low), u16(high),
			fixed.FromInt(int64(steepness)))
		want := lo + (hi-lo)/(1+math.Exp(-float64(steepness)/100*(distance-0.5)))
		near("the rate of a pair", got, clamped(want), 2e-6)

		upper, lower := max(weight, bond), min(weight, bond)
		if low < 1638 || high > 65000 || upper-lower < 1000 {
			return
		}
		slope, offset := LogisticParams(u16(high), u16(low), u16(upper), u16(lower))
		lnHigh, lnLow := math.Log(1/hi-1), math.Log(1/lo-1)
		x := lnLow + (lnLow-lnHigh)/(float64(upper-lower)/65535)*(float64(lower)/65535-c)
		if math.Abs(x) < 10 {
			alpha := LogisticAlpha(u16(consensus), slope, offset)
			near("the rate of a miner", alpha, 1/(1+math.Exp(x)), 1e-5)
		}
	})
}

func TestTheOwnerNeedsNeitherThresholdNorPermit(t *testing.T) {
	in := &Input{
		Params: Params{TempoBlocks: 10, Kappa: 32767, BondsPenalty: 65535, ActivityCutoffBlocks: 100,
			StakeThresholdRao: 1000, MaxValidators: 1, HasOwner: true, Owner: 0},
		Block: 50, LastEpochBlock: 40,
		StakesRao: []uint64{10, 0, 5000}, LastUpdate: []uint64{45, 1, 1}, RegisteredAt: []uint64{1, 1, 1},
		Permits: []bool{false, false, false},
		Weights: [][]WeightEntry{{{0, 65535}, {1, 65535}}, nil, nil},
		Bonds:   make([][]BondEntry, 3),
	}
	var ws Workspace
	rule, err := Lookup(Yuma2)
	if err != nil {
		t.Fatal(err)
	}
	out := rule.Epoch(&ws, in, 1000)
	got := fmt.Sprint(out.Incentive, out.Dividends, out.Permits, out.StakeWeight)
	if want := "[32767 32767 0] [65535 0 0] [true false true] [130 0 65404]"; got != want {
		t.Errorf("with an owner: %s, want %s", got, want)
	}
	in.HasOwner = false
	out = rule.Epoch(&ws, in, 1000)
	got = fmt.Sprint(out.Incentive, out.Dividends, out.Permits, out.StakeWeight)
	if want := "[0 0 0] [0 0 0] [false false true] [0 0 65535]"; got != want {
		t.Errorf("without an owner: %s, want %s", got, want)
	}
}

func TestAnUnknownRuleIsRefused(t *testing.T) {
	if _, err := Lookup("yuma9"); err == nil {
		t.Error("yuma9 was found")
	}
	for _, name := range Names() {
		if _, err := Lookup(name); err != nil {
			t.Error(err)
		}
	}
}

func ExampleRule() {
	rule, err := Lookup(Yuma2)
	if err != nil {
		panic(err)
	}
	in := &Input{
		Params: Params{TempoBlocks: 10, Kappa: 32767, BondsPenalty: 65535,
			BondsMovingAveragePPM: 900_000, ActivityCutoffBlocks: 100, MaxValidators: 2},
		Block: 20, LastEpochBlock: 10,
		StakesRao:    []uint64{600, 400, 0, 0}, // two validators, two miners
		LastUpdate:   []uint64{15, 15, 1, 1},
		RegisteredAt: []uint64{1, 1, 1, 1},
		Permits:      []bool{true, true, false, false},
		Weights: [][]WeightEntry{
			{{2, 65535}, {3, 65535}},
			{{2, 65535}}, // disagrees about miner 3, and about how much of 2
			nil, nil,
		},
		Bonds: make([][]BondEntry, 4),
	}
	var ws Workspace
	out := rule.Epoch(&ws, in, 1_000_000)
	fmt.Println("consensus", out.Consensus)
	fmt.Println("trust", out.ValidatorTrust)
	fmt.Println("emission", out.EmissionRao)
	// Output:
	// consensus [0 0 32767 32767]
	// trust [65535 32767 0 0]
	// emission [375000 124999 312500 187499]
}

func ExampleMedian() {
	// Of three voters with stake, two thirds support a weight of a quarter, one third a half.
	stake := []fixed.I32F32{fixed.One / 3, fixed.One / 3, fixed.One / 3}
	score := []fixed.I32F32{fixed.One / 4, fixed.One / 4, fixed.Half}
	majority := Median(stake, score, 0, fixed.One-fixed.Half)
	minority := Median(stake, score, 0, fixed.One-fixed.One/4)
	fmt.Println(majority == fixed.One/4, minority == fixed.Half)
	// Output: true true
}
