package scenarios

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taolab/model/base"
	"taolab/report"
)

func TestAFileOfRowsThatCannotBeMeantIsRefusedWithItsPlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "rows.csv")
	const header = "epoch,from,to,weight\n"
	for _, c := range []struct{ path, text, want string }{
		{dir, "", "rows_file: " + dir + " cannot be read: not a regular file"},
		{os.DevNull, "", "not a regular file"},
		{filepath.Join(dir, "none.csv"), "", "no such file"},
		{path, "", "rows.csv:1: the file is empty"},
		{path, "epoch,from,to\n", "rows.csv:1: the line cannot be read"},
		{path, "epoch,to,from,weight\n", "rows.csv:1: columns"},
		{path, header + "1,validator-1,miner-1,-1\n", `rows.csv:2: epoch "1", weight "-1"`},
		{path, header + "1,validator-1,miner-9,1\n", `rows.csv:2: from "validator-1" to "miner-9"`},
		{path, header + "2,validator-1,miner-1,1\n1,validator-1,miner-2,1\n", "rows.csv:3: epoch 1 after epoch 2"},
		{path, header + "0,validator-1,miner-1,1\n0,validator-1,miner-1,2\n", `rows.csv:3: a second weight from "validator-1" to "miner-1" in epoch 0`},
		{path, header + "0,validator-1,miner-1,1\n1,validator-1,miner-1,2\n0,validator-2,miner-1,1\n", ""},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Load("testdata/economy/file.toml", []string{"validators[0].rows_file=" + c.path})
		if err != nil {
			t.Fatal(err)
		}
		material, err := file.Prepare(t.Context(), base.Cache{}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.Build(material, Options{Workers: 1})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %q: %v, expected %q", c.path, c.text, err, c.want)
		}
	}
}

// A run is repeated from anywhere: its folder does not hold the file.
func TestARunWithAFileOfRowsIsRepeatedFromElsewhere(t *testing.T) {
	file, err := Load("testdata/economy/file.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	again, err := FromManifest("run", &report.Manifest{Scenario: file.resolved()}, "")
	if err != nil {
		t.Fatal(err)
	}
	material, err := again.Prepare(t.Context(), base.Cache{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Build(material, Options{Workers: 1}); err != nil {
		t.Error(err)
	}
}

func TestScriptedWeightsStandWhenTheirEpochIsDue(t *testing.T) {
	r := runEconomy(t, "file", nil, "validators[0].rows_file=", `validators[0].weights=["1 + step", "miner: 1"]`,
		"validators[0].first_epoch=1", "validators[0].last_epoch=5", "validators[0].every_epochs=2", "validators[0].lead_blocks=7")
	var blocks []uint64
	for _, tx := range r.transactions {
		if n := len(blocks); n == 0 || blocks[n-1] != tx.Block {
			blocks = append(blocks, tx.Block)
		}
	}
	want := []int{1, 3, 5}
	if len(blocks) != len(want) {
		t.Fatalf("weights in blocks %d, expected for the epochs %d", blocks, want)
	}
	for i, epoch := range want {
		if end := r.epochs[epoch][0].Block; blocks[i]+7 != end {
			t.Errorf("weights for epoch %d in block %d, 7 blocks before %d are expected", epoch, blocks[i], end)
		}
	}
}

// incentives are those of an epoch, by name.
func (r *economyRun) incentives(epoch int) map[string]float64 {
	list := map[string]float64{}
	for _, row := range r.epochs[epoch] {
		list[r.nodes[*row.Node].Name] = float64(row.Incentive) / 65535
	}
	return list
}

func TestScriptedValidatorsRevealWhatTheyCommitted(t *testing.T) {
	r := runEconomy(t, "file", nil, "chain.commit_reveal=true", "chain.reveal_period_epochs=1")
	got := r.incentives(4)
	same4(t, "miner-1", got["miner-1"], .75)
	same4(t, "miner-2", got["miner-2"], .25)
}

func TestAnEntryOfNoWeightIsLeftOutOrSetAsItsFormulaSays(t *testing.T) {
	for formula, entries := range map[string]int{"pick(j, 0, 5)": 2, "pick(j, none, 5)": 1} { // order-free: each case stands alone
		r := runEconomy(t, "file", nil, "validators[0].rows_file=", `validators[0].weights=["`+formula+`"]`, "chain.min_allowed_weights=0")
		if got := len(r.world.Chain().Weights(2)); got != entries {
			t.Errorf("%s: a row of %d entries, expected %d", formula, got, entries)
		}
	}
}

func TestUnderNakamotoScriptedWeightsKeepTheirWholeWidth(t *testing.T) {
	r := runEconomy(t, "file", nil, "validators[0].rows_file=", `validators[0].weights=["pick(j, 300001, 1000000)"]`,
		"chain.era=nakamoto-2022-03", "chain.max_weight=1", "chain.min_allowed_weights=0")
	row := r.world.Chain().Weights(2)
	if len(row) != 2 || math.Abs(float64(row[1].Weight)/float64(row[0].Weight)-0.300001) > 1e-7 {
		t.Errorf("weights %v, expected 300,001 to a million", row)
	}
}

func TestLeadBlocksFitIntoAnEpoch(t *testing.T) {
	_, err := Load("testdata/economy/file.toml", []string{"validators[0].lead_blocks=100"})
	if err == nil || !strings.Contains(err.Error(), "validators[0].lead_blocks: 100 blocks before the end of epochs of 100") {
		t.Errorf("%v", err)
	}
}

func TestWithoutModelsWhoIsUntrainedGuesses(t *testing.T) {
	r := runEconomy(t, "stated", nil, "miners[2].behaviour=untrained", "time.hours=6")
	last := r.incentives(len(r.epochs) - 1)
	if !(last["good-1"] > 10*last["specialist-1"]) {
		t.Errorf("incentive %.4f of who is untrained, %.4f of who answers well", last["specialist-1"], last["good-1"])
	}
}
