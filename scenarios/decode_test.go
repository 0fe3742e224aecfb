package scenarios

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"taolab/agents/role"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/virtual"
)

// TestFaultsAreNamedWithPlaceAndRemedy reads scripts of scenario files, most of them wrong. Each
// starts from a valid minimum that the script can change.
func TestFaultsAreNamedWithPlaceAndRemedy(t *testing.T) {
	datadriven.RunTest(t, "testdata/decode", func(t *testing.T, d *datadriven.TestData) string {
		var sets []string
		for _, arg := range d.CmdArgs {
			if arg.Key == "set" {
				sets = append(sets, arg.Vals...)
			}
		}
		text := d.Input
		if d.Cmd == "minimal" {
			text = minimal + d.Input
		}
		for i, set := range sets {
			sets[i] = strings.ReplaceAll(set, "~", " ")
		}
		sc, err := Decode("file.toml", text, sets)
		if err != nil {
			return err.Error() + "\n"
		}
		var out bytes.Buffer
		for _, arg := range d.CmdArgs {
			if arg.Key == "show" {
				if err := sc.WriteTOML(&out, false); err != nil {
					t.Fatal(err)
				}
				return lines(out.String(), arg.Vals)
			}
		}
		return "valid\n"
	})
}

const minimal = "name = \"x\"\n[[miners]]\ncount = 8\n[[validators]]\ncount = 2\npeers = 4\n"

// lines picks the lines that begin with one of the keys.
func lines(text string, keys []string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		key, _, _ := strings.Cut(line, " ")
		if slices.Contains(keys, key) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestEveryScenarioOfTheLibraryIsValid(t *testing.T) {
	for _, name := range Names() {
		if _, err := Load(name, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAResolvedScenarioReadsBackAsItself(t *testing.T) {
	for _, name := range Names() {
		for _, comments := range []bool{false, true} {
			file, err := Load(name, []string{"network.loss=0.25"})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := file.WriteTOML(&out, comments); err != nil {
				t.Fatal(err)
			}
			again, err := Decode(name, out.String(), nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(file.Scenario, again, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s (comments %t): %s", name, comments, diff)
			}
		}
	}
}

// Eras count the cutoff in blocks or in thousandths of the tempo; the key counts in blocks.
func TestAnActivityCutoffHoldsInEveryEra(t *testing.T) {
	for _, era := range chain.Eras() {
		sc, err := Decode("x.toml", minimal, []string{"chain.era=" + era, "chain.activity_cutoff_blocks=77"})
		if err != nil {
			t.Fatal(err)
		}
		if p, err := sc.Params(); err != nil || p.CutoffBlocks() != 77 {
			t.Errorf("%s: %d blocks, %v", era, p.CutoffBlocks(), err)
		}
	}
}

// TestAWrittenZeroIsZeroInTheLedger sets to 0 what an era has above it.
func TestAWrittenZeroIsZeroInTheLedger(t *testing.T) {
	type values [7]uint64
	read := func(sets ...string) values {
		sc, err := Decode("x.toml", minimal, sets)
		if err != nil {
			t.Fatal(err)
		}
		p, err := sc.Params()
		if err != nil {
			t.Fatal(err)
		}
		return values{
			uint64(p.Kappa), uint64(p.BondsMovingAveragePPM), p.ImmunityBlocks, p.CutoffBlocks(), p.WeightsRateLimitBlocks,
			uint64(p.MinAllowedWeights), p.StakeThresholdRao,
		}
	}
	unset := read("chain.era=2025-01")
	for i, value := range unset[:6] {
		if value == 0 {
			t.Errorf("value %d of the era is 0 already", i)
		}
	}
	zero := read("chain.era=2025-01", "chain.kappa=0", "chain.bonds_moving_average=0", "chain.immunity_blocks=0",
		"chain.activity_cutoff_blocks=0", "chain.weights_rate_limit_blocks=0", "chain.min_allowed_weights=0", "chain.stake_threshold_tao=0")
	if zero != (values{}) {
		t.Errorf("%v, want zeros", zero)
	}
}

func TestACenturyOfTwelveSecondBlocksFitsTheClock(t *testing.T) {
	file, err := Load("testdata/tiny.toml", []string{"time.hours=876600", "time.block_s=12"})
	if err != nil {
		t.Fatal(err)
	}
	c := virtual.Config{BlockNs: role.Seconds(file.Time.BlockS), Blocks: file.BlockCount()}
	if err := c.Validate(); err != nil || c.Blocks != 262_980_000 {
		t.Errorf("%d blocks: %v", c.Blocks, err)
	}
}

func TestEveryKeyIsDocumented(t *testing.T) {
	var out bytes.Buffer
	sc := Complete()
	sc.Expect = nil
	if err := sc.WriteTOML(&out, true); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		key, rest, found := strings.Cut(line, "=")
		if found && !strings.HasPrefix(key, "[") {
			if _, doc, _ := strings.Cut(rest, "# "); len(strings.TrimSpace(doc)) < 8 {
				t.Errorf("%s has no description", key)
			}
		}
	}
}

// FuzzDecodeReadsOrRefuses checks that the parser accepts or refuses any text, and that an accepted
// one reads back from its resolved form, also from a manifest.
func FuzzDecodeReadsOrRefuses(f *testing.F) {
	f.Add(minimal)
	f.Add(minimal + "[[expect]]\nmetric = \"run.blocks\"\ncomparison = \"between\"\nvalue = [1, 2.5]\n")
	f.Add("[miners]\nx = [[1], {a = 2}]\n")
	f.Add("a.b.c = \"\"\"\n[x]\n\"\"\"\n[[miners]]\n[miners.y]\n")
	f.Fuzz(func(t *testing.T, text string) { readsBack(t, text, nil) })
}

// FuzzSetReadsOrRefuses does the same with an override of a valid scenario.
func FuzzSetReadsOrRefuses(f *testing.F) {
	for _, set := range []string{
		"seed=3", "miners[0].count=9", "a[=1", "seed=99999999999999999999", "description=\"\\u0000\"",
		"miners[0].duty=[0.1, 0.2]", "expect=[{digest=\"new\"}]", "chain.kappa=1e-9", "network.regions=[\"a\"]",
	} {
		f.Add(set)
	}
	f.Fuzz(func(t *testing.T, set string) { readsBack(t, minimal, []string{set}) })
}

func readsBack(t *testing.T, text string, sets []string) {
	t.Helper()
	sc, err := Decode("f.toml", text, sets)
	if (sc == nil) == (err == nil) {
		t.Fatalf("scenario %v and error %v", sc, err)
	}
	if err != nil {
		return
	}
	var out bytes.Buffer
	if err := sc.WriteTOML(&out, true); err != nil {
		t.Fatal(err)
	}
	again, err := Decode("resolved.toml", out.String(), nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if diff := cmp.Diff(sc, again, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
	file := &File{Scenario: sc}
	sc.Expect = nil
	replayed, err := FromManifest("run", &report.Manifest{Scenario: file.resolved()}, sc.Corpus.Path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sc, replayed.Scenario, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
}

// TestTheWholeNetworkIsAsLargeAsItSays checks the promises in the comments of scale/4096.
func TestTheWholeNetworkIsAsLargeAsItSays(t *testing.T) {
	file, err := Load("scale/4096", nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := file.Params()
	if err != nil {
		t.Fatal(err)
	}
	got := [...]int{file.NeuronCount(), int(p.MaxUIDs), file.MinerCount(), int(file.BlockCount())}
	if want := [...]int{4096, 4096, 4032, 7200}; got != want {
		t.Errorf("%v neurons, uids, miners and blocks, expected %v", got, want)
	}
	if shapes := file.shapes(); len(shapes) < 4 {
		t.Errorf("%d shapes", len(shapes))
	}
	for _, g := range file.Miners {
		if n := g.Shape(file.Corpus.Vocab).Params(); n < 20_000 || n > 120_000 {
			t.Errorf("%s has %d parameters", g.Name, n)
		}
		visit := float64(g.Shape(file.Corpus.Vocab).TrainFLOP(g.Rows, g.Context)*int64(g.Steps)) / 1e6
		busy, tokens := 86400*g.HardwareMFLOPS.From/visit, g.Rows*g.Context // visits without a rest
		least, most := math.Round(busy*g.Duty.From), math.Round(busy*g.Duty.To)
		if least < 18 || most > 64 || g.Steps*tokens != 4*256 {
			t.Errorf("%s trains %.0f to %.0f visits of %d steps of %d tokens", g.Name, least, most, g.Steps, tokens)
		}
	}
	for _, g := range file.Validators {
		if g.Rows*g.Tokens > 128 {
			t.Errorf("%s sends %d tokens in a question", g.Name, g.Rows*g.Tokens)
		}
		steps := (file.MinerCount() + g.Peers - 1) / g.Peers
		last, epoch := float64(steps-1)*g.StepS, float64(g.EpochBlocks)*file.Time.BlockS
		if last < epoch || last > 2*epoch { // the epoch has its blocks when the last uid is asked
			t.Errorf("%s asks the last uid after %.0f s of an epoch of %.0f: not everyone once", g.Name, last, epoch)
		}
	}
}
