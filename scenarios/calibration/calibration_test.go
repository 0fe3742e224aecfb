package calibration

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"taolab/model/num"
	"taolab/sim/chain"
)

// network is a graph in which each of n validators judges each of m miners with a probability.
func network(n, m int, share float64, seed uint64) *Graph {
	stream := num.NewStream(seed, "network")
	g := &Graph{Max: 65535}
	for i := range n {
		for k := range m {
			if stream.Float64() < share {
				g.Judgements = append(g.Judgements, Judgement{Validator: chain.UID(i), Miner: chain.UID(n + k)})
			}
		}
	}
	g.prune()
	return g
}

// synthetic is a graph with judgements drawn with known parameters.
func synthetic(p Parameters, n, m int, share float64, seed uint64) *Graph {
	g := network(n, m, share, seed)
	g.Judgements = Draw(p, g, num.NewStream(seed, "synthetic"))
	return g
}

func calibrate(t testing.TB, g *Graph, seed uint64) *Result {
	t.Helper()
	r, err := (&Calibration{Graph: g, HoldOut: 0.2, Draws: 60, Seed: seed}).Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Of 20 intervals of 95 %, 16 or fewer hold the truth once in four hundred; three numbers and four networks are asked.
func TestKnownParametersLieInTheirIntervals(t *testing.T) {
	const seeds, least = 20, 16
	for _, c := range []struct {
		Parameters
		validators, miners int
		share              float64
	}{
		{Parameters{1, 0.3, 0.2}, 16, 64, 1},
		{Parameters{0.5, 0.2, 0.5}, 32, 128, 0.5},
		{Parameters{1.5, 0.5, 0.4}, 12, 100, 0.4},
		{Parameters{0.3, 0.25, 0.05}, 64, 192, 0.2},
	} {
		var inside [3]int
		var mean [3]float64
		covered := 0.0
		for seed := range uint64(seeds) {
			r := calibrate(t, synthetic(c.Parameters, c.validators, c.miners, c.share, seed), seed)
			for i, e := range []Estimate{r.Spread, r.Disagreement, r.Noise} {
				truth := []float64{c.Spread, c.Disagreement, c.Noise}[i]
				if e.Low <= truth && truth <= e.High {
					inside[i]++
				}
				mean[i] += e.Value / truth / seeds
			}
			covered += r.HoldOut.Covered / seeds
		}
		for i, name := range []string{"spread", "disagreement", "noise"} {
			if inside[i] < least || math.Abs(mean[i]-1) > 0.1 {
				t.Errorf("%+v: %s lies in %d of %d intervals, the mean estimate is %.3f of it; expected at least %d, and 0.9 to 1.1", c, name, inside[i], seeds, mean[i], least)
			}
		}
		if covered < 0.91 || covered > 0.97 { // the errors of slopes and qualities are taken for independent
			t.Errorf("%+v: %.3f of the judgements held out lie in their intervals, expected 0.91 to 0.97", c, covered)
		}
	}
}

func TestACalibrationIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	g := synthetic(Parameters{1, 0.3, 0.2}, 6, 20, 0.8, 1)
	var results []*Result
	for _, workers := range []int{1, 3} {
		r, err := (&Calibration{Graph: g, HoldOut: 0.2, Draws: 20, Seed: 7, Workers: workers}).Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if !reflect.DeepEqual(results[0], results[1]) {
		t.Errorf("%+v with one worker, %+v with three", results[0], results[1])
	}
}

// Judgements that the fit has not seen must not move it.
func TestAHeldJudgementTakesNoPartInTheFit(t *testing.T) {
	g := synthetic(Parameters{1, 0.3, 0.2}, 6, 20, 0.8, 1)
	first := calibrate(t, g, 1)
	train := len(g.Judgements) - first.HoldOut.Judgements
	for i := range g.Judgements {
		for _, r := range first.Residuals[train:] {
			if j := &g.Judgements[i]; j.Validator == r.Validator && j.Miner == r.Miner {
				j.Log += 3
			}
		}
	}
	second := calibrate(t, g, 1)
	if first.Spread != second.Spread || first.Disagreement != second.Disagreement || first.Noise != second.Noise {
		t.Errorf("%+v moved to %+v", first, second)
	}
	if second.HoldOut.Explained >= first.HoldOut.Explained || second.HoldOut.Covered > 0.1 {
		t.Errorf("wrong judgements are predicted as well as right ones: %+v, before %+v", second.HoldOut, first.HoldOut)
	}
}

// Where all is noise no quality is found, or the interval of its spread begins near 0.
func TestNoiseIsNoQuality(t *testing.T) {
	for seed := range uint64(8) {
		g := synthetic(Parameters{0, 0, 0.5}, 12, 60, 1, seed)
		r, err := (&Calibration{Graph: g, HoldOut: 0.2, Draws: 20, Seed: seed}).Run(context.Background())
		switch {
		case err == ErrDivided:
		case err != nil:
			t.Fatal(err)
		case r.HoldOut.Explained > 0.1 || r.Spread.Low > 0.1:
			t.Errorf("seed %d: %+v", seed, r)
		}
	}
}

func TestWeightsThatSayNothingAreLeftOut(t *testing.T) {
	entry := func(uid chain.UID, weight uint32) chain.WeightEntry {
		return chain.WeightEntry{UID: uid, Weight: weight}
	}
	g := &chain.Genesis{Neurons: make([]chain.GenesisNeuron, 10), Records: make([]chain.GenesisRecord, 10)}
	for i := range 3 {
		g.Neurons[i].StakeRao = 1000
		g.Records[i].Weights = []chain.WeightEntry{entry(4, 65535), entry(5, 900), entry(6, 800), entry(7, 700), entry(8, 3), entry(9, 0)}
	}
	g.Records[0].Weights = append(g.Records[0].Weights, entry(0, 50_000), entry(9, 400)) // itself, and one whom nobody else knows
	g.Records[3].Weights = g.Records[0].Weights                                          // without stake
	graph := Read(g, Selection{StakeShare: 0.001, Faintest: 10})
	if len(graph.Judgements) != 12 || graph.Validators() != 3 || graph.Miners() != 4 || graph.Faint != 3 || graph.Lone != 1 {
		t.Errorf("%d judgements of %d validators on %d miners, %d faint, %d lone", len(graph.Judgements), graph.Validators(), graph.Miners(), graph.Faint, graph.Lone)
	}
	if err := graph.Check(); err == nil || !strings.Contains(err.Error(), "12 weights of 3 validators on 4 miners") {
		t.Errorf("%v", err)
	}
}

// Validators without an opinion change nothing, though two of them are the only ones to weigh one miner.
func TestValidatorsThatWeighAllAlikeAreLeftOut(t *testing.T) {
	const validators, miners = 10, 40
	g := synthetic(Parameters{0.5, 0.3, 0.1}, validators, miners, 1, 1)
	var metagraph chain.Genesis
	metagraph.Neurons = make([]chain.GenesisNeuron, validators+2+miners+1)
	metagraph.Records = make([]chain.GenesisRecord, len(metagraph.Neurons))
	for i := range validators + 2 {
		metagraph.Neurons[i].StakeRao = 1
	}
	for _, j := range g.Judgements {
		r := &metagraph.Records[j.Validator]
		r.Weights = append(r.Weights, chain.WeightEntry{UID: j.Miner + 2, Weight: j.Weight})
	}
	want := calibrate(t, Read(&metagraph, Selection{Faintest: 1}), 1)
	for i := validators; i < validators+2; i++ {
		for uid := validators + 2; uid < len(metagraph.Neurons); uid++ {
			metagraph.Records[i].Weights = append(metagraph.Records[i].Weights, chain.WeightEntry{UID: chain.UID(uid), Weight: 65535})
		}
	}
	flat := Read(&metagraph, Selection{Faintest: 1})
	if flat.Flat != 2*(miners+1) {
		t.Errorf("%d weights are left out, expected all of two validators", flat.Flat)
	}
	if got := calibrate(t, flat, 1); got.Spread != want.Spread || got.Disagreement != want.Disagreement || got.Noise != want.Noise {
		t.Errorf("spread %v, disagreement %v, noise %v; without them %v, %v, %v",
			got.Spread, got.Disagreement, got.Noise, want.Spread, want.Disagreement, want.Noise)
	}
}

func TestACalibrationThatCannotBeMadeIsRefused(t *testing.T) {
	g := synthetic(Parameters{1, 0.3, 0.2}, 6, 20, 0.8, 1)
	for _, c := range []struct {
		Calibration
		want string
	}{
		{Calibration{Graph: g, HoldOut: 0, Draws: 20}, "hold-out 0"},
		{Calibration{Graph: g, HoldOut: math.NaN(), Draws: 20}, "hold-out NaN"},
		{Calibration{Graph: g, HoldOut: 0.2, Draws: 19}, "19 draws"},
		{Calibration{Graph: &Graph{}, HoldOut: 0.2, Draws: 20}, "0 weights"},
	} {
		if _, err := c.Run(context.Background()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := (&Calibration{Graph: g, HoldOut: 0.2, Draws: 20}).Run(ctx); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

// Half of the validators like what the others do not.
func TestDividedValidatorsHaveNoCommonQuality(t *testing.T) {
	g := synthetic(Parameters{1, 0, 0.1}, 12, 40, 1, 1)
	for i := range g.Judgements {
		if j := &g.Judgements[i]; j.Validator%2 == 0 {
			j.Log = -j.Log
		}
	}
	if _, err := (&Calibration{Graph: g, HoldOut: 0.2, Draws: 20}).Run(context.Background()); err != ErrDivided {
		t.Errorf("%v, want %v", err, ErrDivided)
	}
}

// The recorded network of 256 neurons.
func TestARecordedNetworkIsCalibrated(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "vectors", "metagraph_sn15.json"))
	if err != nil {
		t.Skipf("no vectors next to the repository: %v", err)
	}
	var file struct {
		Initial struct {
			Stakes  []uint64               `json:"stakes"`
			Weights map[string][][2]uint32 `json:"weights"`
		} `json:"common_initial"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	g := &chain.Genesis{Neurons: make([]chain.GenesisNeuron, len(file.Initial.Stakes)), Records: make([]chain.GenesisRecord, len(file.Initial.Stakes))}
	for i, stake := range file.Initial.Stakes {
		g.Neurons[i].StakeRao = stake
		for _, w := range file.Initial.Weights[fmt.Sprint(i)] {
			g.Records[i].Weights = append(g.Records[i].Weights, chain.WeightEntry{UID: chain.UID(w[0]), Weight: w[1]})
		}
	}
	// Seven more rows are of neurons without stake, which weigh by another rule.
	if _, err := (&Calibration{Graph: Read(g, Selection{Faintest: 10}), HoldOut: 0.2, Draws: 20, Seed: 1}).Run(context.Background()); err != ErrDivided {
		t.Errorf("all rows: %v, want %v", err, ErrDivided)
	}
	graph := Read(g, Selection{StakeShare: 0.001, Faintest: 10})
	r := calibrate(t, graph, 1)
	if graph.Validators() < 8 || graph.Miners() < 20 || r.HoldOut.Explained < 0.8 || r.HoldOut.Covered < 0.9 || r.Spread.Low < r.Noise.High {
		t.Errorf("%d validators, %d miners: spread %+v, disagreement %+v, noise %+v, %+v", graph.Validators(), graph.Miners(), r.Spread, r.Disagreement, r.Noise, r.HoldOut)
	}
}
