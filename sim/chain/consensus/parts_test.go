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
		votes := make([]vote, len(in.Stake))
		for i := range votes {
			votes[i] = vote{in.Score[i], in.Stake[i]}
		}
		if got := median(votes, in.Lo, in.Minority); got != want {
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
		// A square matrix: the rows are as many as the columns or padded by silent rows.
		n := max(len(in.Stake), len(want))
		var m matrix
		m.reset()
		for i := range n {
			if i < len(in.Score) {
				for j, v := range in.Score[i] {
					if v != 0 || (i+j)%2 == 0 { // a zero may be there or not
						m.push(UID(j), v)
					}
				}
			}
			m.endRow()
		}
		stake := make([]fixed.I32F32, n)
		copy(stake, in.Stake)
		var ws Workspace
		ws.resize(n)
		got := make([]fixed.I32F32, n)
		ws.weightedMedians(got, stake, &m, in.Majority)
		if !slices.Equal(got[:len(want)], want) {
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
		votes := make([]vote, 1+d.below(40))
		var total fixed.I32F32
		for i := range votes {
			votes[i] = vote{fixed.I32F32(d.below(12)), fixed.I32F32(1 + d.below(100))}
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
		if got := median(votes, lo, minority); got != want {
			t.Errorf("seed %d: %d, want %d", seed, got, want)
		}
	})
}

type topKInput struct {
	V []fixed.I32F32
	K int
}

func checkTopK(t *testing.T, in topKInput, want []uint8) {
	t.Helper()
	got := make([]bool, len(in.V))
	topK(got, in.V, in.K, make([]UID, len(in.V)))
	if !slices.Equal(flags(got), want) {
		t.Errorf("%+v: %v, want %v", in, flags(got), want)
	}
}

func TestPermitsGoToTheLargestAndOfEqualsToTheLater(t *testing.T) {
	forEachVector(t, "is_topk_nonzero", checkTopK)
}

// The older rule let zeros in; on numbers that are all one step larger the rules agree.
func TestTheOlderTopKDiffersOnlyInZeros(t *testing.T) {
	forEachVector(t, "is_topk", func(t *testing.T, in topKInput, want []uint8) {
		for i := range in.V {
			in.V[i]++
		}
		checkTopK(t, in, want)
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

// crowd is a network in its steady state: 64 validators that all weigh 448 servers.
func crowd() *Input {
	d := dice(1)
	in := &Input{
		Params: Params{TempoBlocks: 360, Kappa: 32767, BondsPenalty: 65535,
			BondsMovingAveragePPM: 900_000, ActivityCutoffBlocks: 5000, MaxValidators: 64},
		Block: 1000, LastEpochBlock: 640,
	}
	for i := range 512 {
		stake := uint64(0)
		var row []WeightEntry
		if i < 64 {
			stake = 1e12 + uint64(d.below(1e9))
			for j := 64; j < 512; j++ {
				row = append(row, WeightEntry{UID(j), uint16(1 + d.below(65535))})
			}
		}
		in.StakesRao = append(in.StakesRao, stake)
		in.LastUpdate = append(in.LastUpdate, 900)
		in.RegisteredAt = append(in.RegisteredAt, 1)
		in.Permits = append(in.Permits, i < 64)
		in.Weights = append(in.Weights, row)
		in.Bonds = append(in.Bonds, nil)
	}
	return in
}

func TestASteadyNetworkAllocatesNothing(t *testing.T) {
	for _, name := range Names() {
		rule, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		in := crowd()
		var ws Workspace
		rule.Epoch(&ws, in, 1e9)
		for i, row := range ws.out.Bonds {
			in.Bonds[i] = slices.Clone(row)
		}
		rule.Epoch(&ws, in, 1e9)
		if n := testing.AllocsPerRun(3, func() { rule.Epoch(&ws, in, 1e9) }); n > 0 {
			t.Errorf("%s: %v allocations in an epoch", name, n)
		}
	}
}

func BenchmarkEpoch(b *testing.B) {
	for _, name := range Names() {
		b.Run(string(name), func(b *testing.B) {
			rule, err := Lookup(name)
			if err != nil {
				b.Fatal(err)
			}
			in := crowd()
			var ws Workspace
			for b.Loop() {
				rule.Epoch(&ws, in, 1e9)
				for i, row := range ws.out.Bonds {
					in.Bonds[i] = append(in.Bonds[i][:0], row...)
				}
			}
		})
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
