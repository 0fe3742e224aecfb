package scenarios

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm/kernel"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// tinyRun runs the tiny scenario and returns its rows and digest.
func tinyRun(t *testing.T, sets ...string) (map[trace.Table][]trace.Row, string) {
	t.Helper()
	r := &rows{all: map[trace.Table][]trace.Row{}}
	world := buildTiny(t, base.Cache{}, Options{Workers: 2, Recorder: r}, sets...)
	if err := world.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r.all, world.Digest().String()
}

const gatedTiny = "validators[0].routing=gated"

// Lanes, labels and moments take part in what may not matter.
func TestAGatedRunHasOneDigestHoweverItIsMade(t *testing.T) {
	digest := func(isa kernel.ISA, opt Options) string {
		defer kernel.Force(isa)()
		world := buildTiny(t, base.Cache{}, opt, gatedTiny)
		if err := world.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		return world.Digest().String()
	}
	best := kernel.Active()
	want := digest(best, Options{Workers: 1})
	for name, got := range map[string]string{ // order-free: each stands alone
		"three workers, recording":  digest(best, Options{Workers: 3, Recorder: trace.Discard}),
		"states through bytes":      digest(best, Options{Workers: 2, RoundTripAt: 634 * host.Second}),
		"states through bytes late": digest(best, Options{Workers: 2, RoundTripAt: 1500*host.Second + 1}),
		"generic kernels":           digest(kernel.Generic, Options{Workers: 2}),
	} {
		if got != want {
			t.Errorf("%s: run digest %s, want %s", name, got, want)
		}
	}
	if recorded := digest(best, Options{Workers: 2, Recorder: trace.Discard}); recorded != want {
		t.Errorf("recorded: run digest %s, want %s", recorded, want)
	}
}

func TestSynergyHasAPowerOfItsOwn(t *testing.T) {
	score := func(sets ...string) (base, synergy float64) {
		all, _ := tinyRun(t, sets...)
		for _, row := range all[trace.Queries][:40] {
			if q := row.(trace.Query); q.Base != nil {
				base, synergy = base+*q.Base, synergy+*q.Synergy
			}
		}
		return base, synergy
	}
	base, synergy := score()
	otherBase, sameSynergy := score("validators[0].power=0.6")
	sameBase, otherSynergy := score("validators[0].synergy_power=0.6")
	if synergy <= 0 || otherBase == base || otherSynergy == synergy || sameBase != base || sameSynergy != synergy {
		t.Errorf("base and synergy: %g and %g by default, %g and %g with another power, %g and %g with another synergy power",
			base, synergy, otherBase, sameSynergy, sameBase, otherSynergy)
	}
}

// Rows of a batch and of a question, in whichever table, are the same rows.
func TestQuestionsAnswersAndScoresTellOfTheSameRows(t *testing.T) {
	all, _ := tinyRun(t, gatedTiny, "validators[0].score_peers=1", "trace.rows=all")
	type question struct {
		node, step uint32
		uid        uint16
		lane       string
	}
	asked, byRow := map[question]trace.Query{}, map[question]int{}
	lanes := map[string]int{}
	for _, row := range all[trace.Queries] {
		q := row.(trace.Query)
		asked[question{q.Node, q.Step, q.UID, q.Lane}] = q
		lanes[q.Lane]++
		if scored := q.Lane == trace.ScoringLane && q.Code == "Success"; scored != (q.Base != nil) || scored != (q.Synergy != nil) ||
			q.Lane == trace.ScoringLane && q.Rows != 4 || q.Lane == trace.ServiceLane && q.RoutingLoss == nil {
			t.Fatalf("%+v", q)
		}
	}
	if lanes[trace.ScoringLane] == 0 || lanes[trace.ServiceLane] < lanes[trace.ScoringLane] {
		t.Fatalf("questions by lane: %v", lanes)
	}
	parts := map[question]uint32{}
	losses := map[question]float64{}
	for _, row := range all[trace.Answers] {
		a := row.(trace.Answer)
		k := question{a.Node, a.Step, a.UID, a.Lane}
		parts[k] += a.Rows
		if a.Loss != nil {
			losses[k] += float64(*a.Loss) * float64(a.Rows)
		}
	}
	for _, row := range all[trace.Scores] {
		s := row.(trace.Score)
		byRow[question{s.Node, s.Step, s.UID, s.Lane}]++
	}
	if len(parts) != len(asked) || len(byRow) != len(asked) {
		t.Fatalf("%d questions, %d of them by subset, %d by row", len(asked), len(parts), len(byRow))
	}
	for k, q := range asked { // order-free: each is checked by itself
		if parts[k] != q.Rows || byRow[k] != int(q.Rows) {
			t.Fatalf("%+v has %d rows by subset and %d by row", q, parts[k], byRow[k])
		}
		if q.Loss != nil {
			if off := losses[k]/float64(q.Rows) - float64(*q.Loss); off > 1e-4 || off < -1e-4 {
				t.Fatalf("%+v: mean loss by subset is off by %g", q, off)
			}
		}
	}
	off, _ := tinyRun(t, gatedTiny, "trace.answers=off")
	if len(off[trace.Answers])+len(off[trace.Scores]) > 0 {
		t.Error("rows are written that nobody wants")
	}
}

// Frozen miners serve the base model; untrained ones serve their own model with random weights.
func TestUntrainedMinersDoNotStartAtTheBase(t *testing.T) {
	heldOut := func(behaviour string) []float64 {
		all, _ := tinyRun(t, "base.steps=150", "time.hours=0.1", "chain.tempo_blocks=10", "miners[0].behaviour="+behaviour)
		first := map[uint32]float64{}
		var losses []float64
		for _, row := range all[trace.Training] {
			if m := row.(trace.Train); m.Subset == "all" && first[m.Node] == 0 {
				first[m.Node] = float64(m.HeldOutLoss)
				losses = append(losses, first[m.Node])
			}
		}
		return losses
	}
	frozen, untrained := heldOut("frozen"), heldOut("untrained")
	if len(frozen) != 6 || len(untrained) != 6 {
		t.Fatalf("%d and %d miners measured themselves, want 6 each", len(frozen), len(untrained))
	}
	for i := range frozen {
		if frozen[i] != frozen[0] || untrained[i] < frozen[i]+0.5 || i > 0 && untrained[i] == untrained[0] {
			t.Errorf("miner %d: a loss of %.3f frozen, of %.3f untrained; want one base for all and worse models of their own",
				i, frozen[i], untrained[i])
		}
	}
}

func TestALazyValidatorFavoursTheNodesThatItNames(t *testing.T) {
	file, err := Load("testdata/tiny.toml", []string{"validators[0].behaviour=lazy", "validators[0].favour=[\"honest-3\", \"noise-1\"]",
		"chain.min_allowed_weights=1", "chain.max_weight=1", "applications=[]"})
	if err != nil {
		t.Fatal(err)
	}
	material, err := file.Prepare(context.Background(), base.Cache{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(material, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	world := ran(t, network)
	var favoured []string
	for _, e := range world.Chain().Weights(chain.UID(8)) {
		favoured = append(favoured, network.Nodes[e.UID].Name)
	}
	if !slices.Equal(favoured, []string{"honest-3", "noise-1"}) {
		t.Errorf("validator-1 favours %v", favoured)
	}
}

func TestFavouritesAndScoringLanesAreRefusedWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{`validators[0].favour=["honest-1"]`, "an honest validator sets weights by score"},
		{`validators[0].score_peers=5`, "5 of 4 peers"},
		{`validators[0].score_peers=0`, "0 is out of range"},
		{`validators[0].explore=2`, "did you mean score_peers?"},
		{`validators[0].release=3.4.3`, "did you mean 3.4.2?"},
		{`applications[0].combine=worst`, "one of best, mean"},
	} {
		if _, err := Load("testdata/tiny.toml", []string{c.set}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.set, err, c.want)
		}
	}
	_, err := Load("testdata/tiny.toml", []string{"validators[0].behaviour=lazy", `validators[0].favour=["honest-9", "noise-1", "noise-1"]`})
	for _, want := range []string{`no miner or validator "honest-9"`, `"noise-1" appears twice`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	var fault *settings.Error
	if !errors.As(err, &fault) || !strings.HasPrefix(fault.Where, "--set validators[0].favour") {
		t.Errorf("%v names no place", err)
	}
}

func TestTheScoringLaneReachesEveryTargetWithinAnEpoch(t *testing.T) {
	four := 4
	for _, c := range []struct {
		miners, peers int
		epochBlocks   uint64
		targets       string
		written       *int
		want          int
	}{
		{32, 8, 60, "serving", nil, 2},      // 30 steps for 32
		{30, 8, 60, "serving", nil, 2},      // one would do: at least two
		{61, 8, 60, "serving", nil, 3},      //
		{60, 8, 60, "everyone", nil, 3},     // and the other five validators
		{4000, 8, 60, "serving", nil, 7},    // one is left to the gate
		{32, 1, 60, "serving", nil, 1},      // none is
		{32, 8, 1, "serving", nil, 7},       // an epoch of less than a step
		{32, 8, 60, "serving", &four, four}, //
	} {
		sc := Default()
		g := settings.Default[ValidatorGroup]()
		g.Routing = "gated"
		g.Peers, g.EpochBlocks, g.Targets, g.ScorePeers, g.Count = c.peers, c.epochBlocks, c.targets, c.written, 6
		m := settings.Default[MinerGroup]()
		m.Count = c.miners
		sc.Miners, sc.Validators = []MinerGroup{m}, []ValidatorGroup{g}
		if got := g.Scored(sc.targets(&g), sc.Time.BlockS); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestARoutingModelOfAMinersShapeNeedsNoBaseOfItsOwn(t *testing.T) {
	shapes := func(sets ...string) int {
		file, err := Load("testdata/tiny.toml", sets)
		if err != nil {
			t.Fatal(err)
		}
		return len(file.shapes())
	}
	for _, c := range []struct {
		sets []string
		want int
	}{
		{nil, 1},
		{[]string{gatedTiny}, 2}, // rows of 8 tokens, contexts of 16
		{[]string{gatedTiny, "validators[0].router_base=false"}, 1},
		{[]string{gatedTiny, "validators[0].behaviour=lazy"}, 1},
		{[]string{gatedTiny, "validators[0].tokens=16", "validators[0].router_heads=2"}, 1},
	} {
		if got := shapes(c.sets...); got != c.want {
			t.Errorf("%v: %d base models, want %d", c.sets, got, c.want)
		}
	}
}

// A file that a run writes shows each new key, whatever stands in the file that it read.
func TestTheResolvedScenarioNamesWhatValidatorsFollow(t *testing.T) {
	file, err := Load("testdata/tiny.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	text := string(file.resolved())
	for _, key := range []string{`"batch":"mixed"`, `"release":"3.4.2"`, `"targets":"serving"`, `"router_labels":true`, `"router_base":true`,
		`"combine":"best"`, `"sessions":1`, `"forced":true`, `"answers":"all"`, `"rows":"off"`} {
		if !strings.Contains(text, key) {
			t.Errorf("no %s in %s", key, text)
		}
	}
}

// TestLabelsGiveTheRoutingModelAHeadForEachSubset: the second task is parameters of its own.
func TestLabelsGiveTheRoutingModelAHeadForEachSubset(t *testing.T) {
	params := func(labels string) uint64 {
		network, _ := ready(t, base.Cache{}, tiny(t), gatedTiny, "validators[0].router_labels="+labels)
		for _, n := range network.Nodes {
			if n.Kind == report.KindValidator {
				return n.Params
			}
		}
		t.Fatal("no validator")
		return 0
	}
	if with, without := params("true"), params("false"); with <= without {
		t.Errorf("%d parameters with labels and %d without, expected more with them", with, without)
	}
}

// TestWhoIsRefusedASeatTriesAgainAfterATenthOfAnHour wants seats that are too dear.
func TestWhoIsRefusedASeatTriesAgainAfterATenthOfAnHour(t *testing.T) {
	late := "\n[[miners]]\nname = \"late\"\njoins_h = 0.1\nstake_tao = 2\ncontext = 16\n"
	network, r := ready(t, base.Cache{}, tiny(t)+late, "chain.burn_tao=100")
	ran(t, network)
	var blocks []uint64
	for _, row := range r.all[trace.Transactions] {
		if tx := row.(trace.Transaction); tx.Kind == "Register" {
			blocks = append(blocks, tx.Block)
		}
	}
	if len(blocks) < 3 {
		t.Fatalf("it tried in blocks %v, expected at least three times in half an hour", blocks)
	}
	for i, b := range blocks[1:] { // 30 blocks of 12 s, counted from the one after the refusal
		if b-blocks[i] != 31 {
			t.Errorf("it tried in blocks %v, expected every 31", blocks)
		}
	}
}
