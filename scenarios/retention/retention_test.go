package retention

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
			got += Draw(s, row.Stake, 1, d).Retained(row.Utility, row.Self) / draws
		}
		// In the vectors themselves, draws differ from row to row by 0.01 where the spread is 1.
		if math.Abs(got-want) > 0.006 {
			t.Errorf("stake %v, utility %v, self %v, spread %v, penalty %d: E_H %.4f, expected %.4f",
				row.Stake, row.Utility, row.Self, row.Spread, row.Penalty, got, want)
		}
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
	// Means over ten draws of another program with other random numbers.
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

func TestResultsAreTheSameForAnyNumberOfWorkers(t *testing.T) {
	study := Study{Settings: []Setting{small(), small()}, Stakes: []float64{0.5, 0.6}, Draws: 3, Maps: 2, Seed: 7}
	study.Settings[1].BondsPenalty = 0
	var results []*Result
	for _, workers := range []int{1, 3} {
		study.Workers = workers
		r, err := study.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if diff := cmp.Diff(results[0], results[1], cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("one worker (-) and three (+):\n%s", diff)
	}
}

func TestADrawHasTheSameNumbersInEverySetting(t *testing.T) {
	alone := Study{Settings: []Setting{small()}, Stakes: []float64{0.6}, Draws: 2, Seed: 7}
	among := Study{Settings: []Setting{small(), small()}, Stakes: []float64{0.55, 0.6}, Draws: 3, Seed: 7}
	among.Settings[0].WeightSD = 0.1
	one, err := alone.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	many, err := among.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	last := many.Parts[len(many.Parts)-1]
	if diff := cmp.Diff(one.Parts[0].Contours, last.Contours[:2], cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("alone (-) and with other settings, stakes and draws (+):\n%s", diff)
	}
}

// The contour crosses the map where the map says: a map is 2,601 epochs, a contour 408.
func TestContoursAgreeWithMaps(t *testing.T) {
	for _, rule := range consensus.Names() {
		s := small()
		s.Rule = rule
		for _, stake := range []float64{0.55, 0.7, 0.9} {
			n := Draw(s, stake, 3, 0)
			m := n.Map()
			contour, _ := n.Contour(stake)
			for i := range contour {
				for j, utility := range Utilities() {
					holds := m[i][j] >= stake
					switch {
					case holds && utility < contour[i]-tolerance-1e-9, !holds && utility >= contour[i]+1e-9:
						t.Errorf("%s, stake %v, self %v: E_H is %.4f at utility %.2f, and the contour stands at %.4f",
							rule, stake, Selves()[i], m[i][j], utility, contour[i])
					}
				}
			}
		}
	}
}

func TestSettingsThatMakeNoNetworkAreRefused(t *testing.T) {
	good := Study{Settings: []Setting{small()}, Stakes: []float64{0.6}, Draws: 1}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Study){
		`consensus rule "yuma9"`:           func(s *Study) { s.Settings[0].Rule = "yuma9" },
		"kappa 1.5: expected 0 to 1":       func(s *Study) { s.Settings[0].Kappa = 1.5 },
		"weight sd NaN":                    func(s *Study) { s.Settings[0].WeightSD = math.NaN() },
		"kappa 0.4: nakamoto knows":        func(s *Study) { s.Settings[0].Rule, s.Settings[0].Kappa = consensus.Nakamoto, 0.4 },
		"penalty 0.5: nakamoto has none":   func(s *Study) { s.Settings[0].Rule, s.Settings[0].BondsPenalty = consensus.Nakamoto, 0.5 },
		"48 neurons with 47 validators":    func(s *Study) { s.Settings[0].Validators = 47 },
		"honest stake 1: expected more":    func(s *Study) { s.Stakes[0] = 1 },
		"0 draws of 1 settings":            func(s *Study) { s.Draws = 0 },
		"2 maps: expected 0 to the 1 draw": func(s *Study) { s.Maps = 2 },
		"0 settings and 1 stakes":          func(s *Study) { s.Settings = nil },
	} {
		s := Study{Settings: []Setting{small()}, Stakes: []float64{0.6}, Draws: 1}
		spoil(&s)
		if _, err := s.Run(context.Background()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("refused with %v, expected %q", err, want)
		}
	}
}

// small is a setting whose networks cost little.
func small() Setting {
	s := Published()
	s.Neurons, s.Validators = 48, 8
	return s
}

func TestSettingsOfOneShapeShareTheNumbersOfADraw(t *testing.T) {
	a, b := small(), small()
	b.Rule, b.Kappa, b.BondsPenalty, b.ValidatorShare, b.WeightSD, b.StakeSD = consensus.Yuma3, 0.6, 0, 0.2, 0.1, 0.7
	if diff := cmp.Diff(drawUnits(1, 4, a).weights, drawUnits(1, 4, b).weights); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(drawUnits(1, 4, a).stakes, drawUnits(1, 5, a).stakes) || cmp.Equal(drawUnits(1, 4, a).stakes, drawUnits(2, 4, a).stakes) {
		t.Error("two draws or two seeds have the same stakes")
	}
}

func TestWithoutConsensusTheEmissionGoesByStake(t *testing.T) {
	s := small()
	s.Kappa = 1
	if e := Draw(s, 0.6, 1, 0).Retained(1, 1); !(math.Abs(e-0.6) <= 1e-6) {
		t.Errorf("E_H %v, expected the stake of 0.6", e)
	}
}

// Where more utility retains less at some point, the contour lies above the last utility that does not
// suffice.
func TestAContourDoesNotTrustHalvingWhereTheShareFalls(t *testing.T) {
	c := crossing{stake: 0.6, retained: func(utility float64) float64 {
		switch {
		case utility < 0.55, 0.7 <= utility && utility < 0.72:
			return 0.5
		case utility < 0.7:
			return 0.9
		}
		return 0.8
	}}
	if got, want := c.find(), 185.0/256; got != want {
		t.Errorf("%v, expected %v, the first of a fine range from which on all suffice", got, want)
	}
}

func TestAMapIsTheMeanOfTheDrawsThatAreMapped(t *testing.T) {
	study := Study{Settings: []Setting{small()}, Stakes: []float64{0.6}, Draws: 3, Maps: 2, Seed: 7}
	r, err := study.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	a, b := Draw(small(), 0.6, 7, 0).Map(), Draw(small(), 0.6, 7, 1).Map()
	for i, row := range r.Parts[0].Map {
		for j, got := range row {
			if want := (a[i][j] + b[i][j]) / 2; !(math.Abs(got-want) < 1e-12) {
				t.Fatalf("%v at self-weight %d and utility %d, expected %v", got, i, j, want)
			}
		}
	}
}

// A spread of ten cuts nearly half of all weights to 0, and of two servers those of a whole side.
func TestASideThatLikesNobodyWeighsAllAlike(t *testing.T) {
	s := small()
	s.Neurons, s.Validators, s.WeightSD, s.StakeSD = 6, 2, 10, 10
	for draw := range 20 {
		n := Draw(s, 0.5, 1, draw)
		for _, weights := range append(n.toHonest, n.toCabal...) {
			sum := 0.0
			for _, w := range weights {
				sum += w
			}
			if !(math.Abs(sum-1) < 1e-12) {
				t.Fatalf("draw %d: weights %v", draw, weights)
			}
		}
	}
}

func TestEachSideHasSomebody(t *testing.T) {
	for _, c := range []struct {
		share   float64
		n, want int
	}{{0.6, 64, 38}, {0.6, 448, 268}, {0.01, 8, 1}, {1, 8, 7}} {
		if got := honestOf(c.share, c.n); got != c.want {
			t.Errorf("%v of %d: %d, expected %d", c.share, c.n, got, c.want)
		}
	}
}
