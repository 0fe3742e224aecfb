package registration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// original is what the rules of opentensor/subtensor gave.
type original struct {
	Adjustment []struct {
		In struct {
			Current, Registrations, Target uint64
			Alpha                          uint64 `json:"adjustment_alpha_u64"`
			Min, Max                       uint64
		}
		Out uint64
	}
	BurnPrice []struct {
		Name string
		In   struct {
			Burn     uint64
			HalfLife uint64  `json:"half_life"`
			Increase float64 `json:"increase_mult"`
			Min, Max uint64
			Actions  []string
		}
		Factor uint64 `json:"factor_q32"`
		Out    []uint64
	} `json:"burn_price"`
	Pruning []struct {
		In struct {
			Neurons  [][2]uint64 `json:"emission_and_registered_at"`
			Block    uint64
			Immunity uint64 `json:"immunity_period"`
			Least    int    `json:"min_non_immune"`
			Owner    []int  `json:"owner_immune_uids"`
		}
		Out2026 *int `json:"out_2026"`
		Out2025 int  `json:"out_2025_by_score"`
	}
}

func load(t *testing.T) (v original) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "vectors", "registration_rules.json")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie next to the repository", path)
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Adjustment) == 0 || len(v.BurnPrice) == 0 || len(v.Pruning) == 0 {
		t.Fatalf("%s: %d adjustments, %d prices, %d prunings: want some of each", path,
			len(v.Adjustment), len(v.BurnPrice), len(v.Pruning))
	}
	return v
}

func TestTheAdjustmentEqualsTheOriginal(t *testing.T) {
	for _, v := range load(t).Adjustment {
		in := v.In
		got := Adjust(in.Current, in.Registrations, in.Target, in.Alpha, in.Min, in.Max)
		if got != v.Out {
			t.Errorf("%+v: %d, want %d", in, got, v.Out)
		}
	}
}

func TestThePriceByDemandEqualsTheOriginal(t *testing.T) {
	for _, v := range load(t).BurnPrice {
		factor := DecayFactor(v.In.HalfLife)
		if factor != v.Factor {
			t.Errorf("%s: factor %d, want %d", v.Name, factor, v.Factor)
		}
		price := v.In.Burn
		var got []uint64
		for _, action := range v.In.Actions {
			if action == "register" {
				price = Raise(price, uint64(v.In.Increase*100+0.5), v.In.Min, v.In.Max)
			} else {
				price = Decayed(price, factor, v.In.Min, v.In.Max)
			}
			got = append(got, price)
		}
		if !slices.Equal(got, v.Out) {
			t.Errorf("%s: %d, want %d", v.Name, got, v.Out)
		}
	}
}

func TestPruningChoosesAsTheOriginal(t *testing.T) {
	for _, v := range load(t).Pruning {
		in := v.In
		byEmission := func(i int) Candidate {
			return Candidate{in.Neurons[i][0], in.Neurons[i][1], slices.Contains(in.Owner, i)}
		}
		i, _, ok := PruneByEmission(len(in.Neurons), byEmission, in.Block, in.Immunity, in.Least)
		if ok != (v.Out2026 != nil) || ok && i != *v.Out2026 {
			t.Errorf("by emission, %+v: %v %d, want %v", in, ok, i, v.Out2026)
		}
		// A score grows with the emission it is made of.
		i, ok = PruneByScore(len(in.Neurons), byEmission, in.Block, in.Immunity)
		if !ok || i != v.Out2025 {
			t.Errorf("by score, %+v: %v %d, want %d", in, ok, i, v.Out2025)
		}
	}
}
