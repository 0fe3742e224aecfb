package retention

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"taolab/sim/chain/consensus"
)

// vectors are the published claims and the rows of the source's own test.
type vectors struct {
	Claims []struct {
		What      string
		Published float64
		Params    struct {
			Stake   float64 `json:"S_H"`
			Spread  float64 `json:"sigma_W"`
			Penalty float64 `json:"bonds_penalty"`
			Split   float64 `json:"validator_emission_ratio"`
		}
	}
	Rows []struct {
		Stake    float64   `json:"S_H"`
		Utility  float64   `json:"W_H"`
		Self     float64   `json:"W_C"`
		Spread   float64   `json:"sigma_W"`
		Penalty  uint16    `json:"bonds_penalty_u16"`
		Retained []float64 `json:"oracle_E_H_seeds"`
	} `json:"guarantee_rows"`
}

func published(t *testing.T) vectors {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "retention_profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestGuaranteeRowsOfTheSourceAreReproduced(t *testing.T) {
	const draws = 3
	for _, row := range published(t).Rows {
		s := Published()
		s.WeightSD, s.BondsPenalty = row.Spread, float64(row.Penalty)/65535
		var want, got float64
		for _, e := range row.Retained {
			want += e / float64(len(row.Retained))
		}
		for d := range draws {
			got += newNetwork(s, row.Stake, drawUnits(1, d, s), new(consensus.Workspace)).Retained(row.Utility, row.Self) / draws
		}
		// Draws of row to row differ by 0.01 in the vectors themselves, where the spread is 1.
		if math.Abs(got-want) > 0.006 {
			t.Errorf("stake %v, utility %v, self %v, spread %v, penalty %d: E_H %.4f, expected %.4f",
				row.Stake, row.Utility, row.Self, row.Spread, row.Penalty, got, want)
		}
		t.Logf("%v %v %v %v: %.4f %.4f", row.Stake, row.Utility, row.Self, row.Spread, got, want)
	}
}

func TestNeededUtilitiesAreThePublishedOnes(t *testing.T) {
	if testing.Short() {
		t.Skip("30,000 epochs take half a minute; run without -short")
	}
	with := func(spread, penalty, split float64) Setting {
		s := Published()
		s.WeightSD, s.BondsPenalty, s.ValidatorShare = spread, penalty, split
		return s
	}
	// Means over ten draws of another program with numbers of its own.
	cases := []struct {
		setting   Setting
		stake     float64
		mean      float64
		published float64
	}{
		{with(0, 1, 0.5), 0.6, 0.6016, 0.60},
		{with(0.2, 1, 0.5), 0.6, 0.6715, 0.67},
		{with(0.4, 1, 0.5), 0.6, 0.7371, 0.73},
		{with(0.4, 0, 0.5), 0.6, 0.7930, 0.78},
		{with(0.4, 0.5, 0.5), 0.6, 0.7734, 0.76},
		{with(0.4, 1, 0), 0.6, 0.8277, 0.82},
		{with(0.4, 1, 0.25), 0.6, 0.7887, 0.78},
		{with(0.4, 1, 0.5), 0.7, 0.7500, 0.75},
	}
	for _, c := range cases {
		study := Study{Settings: []Setting{c.setting}, Stakes: []float64{c.stake}, Draws: 10, Seed: 1}
		r, err := study.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		mean := 0.0
		for _, needed := range r.Parts[0].Needed {
			mean += needed / 10
		}
		t.Logf("%v: %.4f", c.setting, mean)
		if math.Abs(mean-c.mean) > 0.003 {
			t.Errorf("%v, stake %v: needs %.4f, expected %.4f", c.setting, c.stake, mean, c.mean)
		}
		if math.Abs(mean-c.published) > 0.015 {
			t.Errorf("%v, stake %v: needs %.4f, published %.4f", c.setting, c.stake, mean, c.published)
		}
		if r.Epochs != 10*points*8 {
			t.Errorf("%v: %d epochs: E_H fell somewhere as the utility rose, expected %d", c.setting, r.Epochs, 10*points*8)
		}
	}
}
