package chain

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

type registrationVectors struct {
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
	EpochDue []struct {
		NetUID, Tempo, Block uint64
		LastEpoch            *uint64 `json:"last_epoch_block"`
		ByHeight             uint64  `json:"blocks_until_next_epoch_2023"`
		SinceLast            uint64  `json:"blocks_until_next_auto_epoch_2026"`
		ShouldRun            bool    `json:"should_run_2026"`
	} `json:"epoch_due"`
}

func loadRegistration(t *testing.T) (v registrationVectors) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "vectors", "registration_rules.json")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie beside the repository", path)
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTheAdjustedPriceEqualsTheOriginal(t *testing.T) {
	for _, v := range loadRegistration(t).Adjustment {
		in := v.In
		got := adjust(in.Current, in.Registrations, in.Target, in.Alpha, in.Min, in.Max)
		if got != v.Out {
			t.Errorf("%+v: %d, want %d", in, got, v.Out)
		}
	}
}

func TestThePriceByDemandEqualsTheOriginal(t *testing.T) {
	for _, v := range loadRegistration(t).BurnPrice {
		s := &State{decayQ32: decayFactor(v.In.HalfLife)}
		s.params = Params{BurnRule: BurnByDemand, MinBurnRao: v.In.Min, MaxBurnRao: v.In.Max,
			BurnIncreasePercent: uint32(v.In.Increase*100 + 0.5)}
		s.burnPriceRao = v.In.Burn
		if s.decayQ32 != v.Factor {
			t.Errorf("%s: factor %d, want %d", v.Name, s.decayQ32, v.Factor)
		}
		var got []uint64
		for _, action := range v.In.Actions {
			if action == "register" {
				s.burnPriceRao = s.params.raisedBurn(s.burnPriceRao)
			} else {
				s.burnPriceRao = s.nextBurn(1)
			}
			got = append(got, s.burnPriceRao)
		}
		if !slices.Equal(got, v.Out) {
			t.Errorf("%s: %d, want %d", v.Name, got, v.Out)
		}
	}
}

func TestPruningChoosesAsTheOriginal(t *testing.T) {
	for _, v := range loadRegistration(t).Pruning {
		in := v.In
		all := func(i int) candidate { return candidate{in.Neurons[i][0], in.Neurons[i][1]} }
		if uid, _, ok := prune(len(in.Neurons), all, in.Block, in.Immunity, 0); !ok || uid != v.Out2025 {
			t.Errorf("by score, %+v: %d, want %d", in, uid, v.Out2025)
		}
		// The original never prunes its subnet's owner, whom this ledger does not have.
		var uids []int
		for i := range in.Neurons {
			if !slices.Contains(in.Owner, i) {
				uids = append(uids, i)
			}
		}
		at := func(i int) candidate { return all(uids[i]) }
		i, _, ok := prune(len(uids), at, in.Block, in.Immunity, in.Least)
		if ok != (v.Out2026 != nil) || ok && uids[i] != *v.Out2026 {
			t.Errorf("by emission, %+v: %v %d, want %v", in, ok, i, v.Out2026)
		}
	}
}

func TestEpochsAreDueAsInTheOriginal(t *testing.T) {
	for _, v := range loadRegistration(t).EpochDue {
		if v.LastEpoch == nil { // the network's number only shifts the block
			if got := blocksToEpoch(v.Tempo, v.Block+v.NetUID); got != v.ByHeight {
				t.Errorf("%+v: %d, want %d", v, got, v.ByHeight)
			}
			continue
		}
		s := &State{}
		s.params = Params{TempoBlocks: v.Tempo, EpochDue: DueSinceLast}
		s.height, s.lastEpoch = v.Block, *v.LastEpoch
		if got := s.due(v.Block); got != v.ShouldRun {
			t.Errorf("%+v: due %v, want %v", v, got, v.ShouldRun)
		}
		if v.SinceLast > 0 && s.NextEvent() != v.Block+v.SinceLast {
			t.Errorf("%+v: next epoch at %d, want %d", v, s.NextEvent(), v.Block+v.SinceLast)
		}
	}
}
