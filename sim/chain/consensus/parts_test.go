package consensus

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"testing"

	"taolab/sim/chain/fixed"
)

func forEachVector[In, Out any](t *testing.T, function string, check func(t *testing.T, in In, out Out)) {
	t.Helper()
	var file struct {
		Vectors map[string][]struct{ In, Out json.RawMessage }
	}
	loadVectors(t, "fixed_point_math.json", &file)
	if len(file.Vectors[function]) == 0 {
		t.Fatalf("no vectors of %s", function)
	}
	for _, v := range file.Vectors[function] {
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
	forEachVector(t, "weighted_median", func(t *testing.T, in struct {
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
	forEachVector(t, "weighted_median_col", func(t *testing.T, in struct {
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
	for function, zeros := range map[string]bool{"is_topk_nonzero": false, "is_topk": true} {
		forEachVector(t, function, func(t *testing.T, in topKInput, want []uint8) {
			if got := flags(TopK(in.V, in.K, zeros)); !slices.Equal(got, want) {
				t.Errorf("%s %+v: %v, want %v", function, in, got, want)
			}
		})
	}
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
