package scenarios

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"taolab/sim/chain"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// short is a run of 200 epochs with everything in it that an economy run may have.
func short(t *testing.T, adjust func(*virtual.Config), sets ...string) *economyRun {
	return runEconomy(t, "everything", adjust, sets...)
}

func TestARunWithoutJumpsIsTheSame(t *testing.T) {
	jumped, stepped := short(t, nil), short(t, nil, "time.jump=false")
	if len(jumped.epochs) != 200 {
		t.Errorf("%d epochs, expected 200", len(jumped.epochs))
	}
	if a, b := jumped.world.Digest(), stepped.world.Digest(); a != b {
		t.Errorf("run digest %v with jumps, %v without", a, b)
	}
	for table, rows := range jumped.rows { // order-free: each is looked at
		if stepped.rows[table] != rows {
			t.Errorf("%s: %d rows with jumps, %d without", table, rows, stepped.rows[table])
		}
	}
}

// TestJumpsAreJumps shows that the test above really compares two ways: a month of blocks without events costs
// nearly nothing, unless each block is made.
func TestJumpsAreJumps(t *testing.T) {
	took := func(set string) time.Duration {
		file, err := Load("economy/halvings", []string{"time.hours=7200", set})
		if err != nil {
			t.Fatal(err)
		}
		var began time.Time
		runFile(t, file, func(*virtual.Config) { began = time.Now() })
		return time.Since(began)
	}
	with, without := took("time.jump=true"), took("time.jump=false")
	t.Logf("%v with jumps, %v without", with, without)
	if 3*with > without {
		t.Errorf("%v with jumps, %v without: the blocks are gone through in one step by neither, or by both", with, without)
	}
}

func TestASignedRunHasTheSameStateAtEveryBlock(t *testing.T) {
	everyBlock := func(signed bool) func(*virtual.Config) {
		return func(c *virtual.Config) {
			c.Signed, c.EveryBlock = signed, true
			c.Trace.Blocks, c.Trace.Digests = 1, 1
		}
	}
	bySigned := map[bool][]string{}
	var runs []chain.Digest
	for _, signed := range []bool{false, true} {
		r := short(t, everyBlock(signed), "time.hours=21")
		bySigned[signed] = r.digests
		runs = append(runs, r.world.Digest())
	}
	if len(bySigned[true]) != 6300 || strings.Join(bySigned[true], "") != strings.Join(bySigned[false], "") {
		t.Errorf("%d block digests of a signed run, %d of an unsigned one: they differ", len(bySigned[true]), len(bySigned[false]))
	}
	if runs[0] != runs[1] {
		t.Errorf("run digest %v unsigned, %v signed", runs[0], runs[1])
	}
}

func TestEveryRowThatWasSetIsInTheTransactionsTable(t *testing.T) {
	r := short(t, nil)
	set := 0
	for _, tx := range r.transactions {
		if tx.Kind == "SetWeights" && tx.Outcome == trace.Included {
			set++
		}
	}
	// Seven validators set weights for each epoch from the second to the last; the crash of one costs it some.
	if want := 7 * 199; set > want || set < want-20 {
		t.Errorf("%d rows set, expected %d or a few less", set, want)
	}
}

func TestAFaultAnAttackAndANewcomerWorkWithoutModels(t *testing.T) {
	r := short(t, nil)
	if r.rows[trace.Faults] < 4 {
		t.Errorf("%d rows of faults, expected a crash, a restart, a cut and its end", r.rows[trace.Faults])
	}
	last := r.epochs[len(r.epochs)-1]
	paid := map[string]uint64{}
	for _, row := range last {
		if row.Node != nil {
			paid[r.nodes[*row.Node].Group] += row.EmissionRao
		}
	}
	for _, group := range []string{"newcomer", "copier", "validator"} {
		if paid[group] == 0 {
			t.Errorf("%s is paid nothing in the last epoch", group)
		}
	}
}

// TestMemoryDoesNotGrowWithTheYears compares what a world holds after one year and after ten; the century
// is run by hand, see docs/reference/performance.md.
func TestMemoryDoesNotGrowWithTheYears(t *testing.T) {
	held := func(hours string) uint64 {
		file, err := Load("testdata/economy/century.toml", []string{"time.hours=" + hours, "chain.tempo_blocks=7200"})
		if err != nil {
			t.Fatal(err)
		}
		r := runFile(t, file, func(c *virtual.Config) { c.Recorder = trace.Discard })
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(r)
		return m.HeapAlloc
	}
	held("8766") // what is made once
	if year, decade := held("8766"), held("87660"); decade > year+year/10 {
		t.Errorf("%d bytes after a year, %d after ten", year, decade)
	}
}

func TestTheLastRaoOfBothCurves(t *testing.T) {
	for _, c := range []struct {
		set  string
		last uint64 // counted from 0
		rao  uint64
	}{
		{"chain.emission=issuance", 328_414_166, 20_999_999_980442226},
		{"chain.emission=height", 0, 20_999_999_863500000},
	} {
		file, err := Load("economy/halvings", []string{c.set})
		if err != nil {
			t.Fatal(err)
		}
		r := runFile(t, file, nil)
		if minted := r.world.Chain().Totals().Minted; c.last > 0 && minted != c.rao || minted/100_000 != c.rao/100_000 {
			t.Errorf("%s: %d rao in all, expected %d", c.set, minted, c.rao)
		}
		var last uint64
		for _, b := range r.blocks {
			if b.EmissionRao > 0 {
				last = b.Height - 1
			}
		}
		if c.last > 0 && last != c.last {
			t.Errorf("%s: the last rao in block %d, expected %d", c.set, last, c.last)
		}
	}
}

// A script is rows by epoch: here from a list.
func TestScriptedRowsComeFromAFile(t *testing.T) {
	r := runEconomy(t, "file", nil)
	byEpoch := map[int]map[string]float64{}
	for epoch := range r.epochs {
		byEpoch[epoch] = map[string]float64{}
		for _, row := range r.epochs[epoch] {
			byEpoch[epoch][r.nodes[*row.Node].Name] = float64(row.Incentive) / 65535
		}
	}
	for _, c := range []struct {
		epoch int
		miner string
		want  float64
	}{{2, "miner-1", .75}, {2, "miner-2", .25}, {4, "miner-1", .75}, {5, "miner-1", .2}, {5, "miner-2", .8}} {
		same4(t, c.miner, byEpoch[c.epoch][c.miner], c.want)
	}
}
