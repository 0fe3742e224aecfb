package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taolab/sim/chain"
)

// liveChain is the first state of a chain of two validators and four miners with weights.
func liveChain(t *testing.T) *chain.State {
	t.Helper()
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	params = params.Scaled(6)
	params.TempoBlocks, params.MaxValidators, params.StakeThresholdRao = 10, 2, 0
	g := chain.Genesis{ChainID: "live-0badcafe", Params: params}
	for i := range byte(6) {
		g.Neurons = append(g.Neurons, chain.GenesisNeuron{Hotkey: chain.Key{1, i}, Coldkey: chain.Key{2, i}, StakeRao: uint64(100-10*int(i)) * 1e9})
		r := chain.GenesisRecord{Permit: i < 2, Active: true}
		if i < 2 {
			r.Weights = []chain.WeightEntry{{UID: 2, Weight: 65535}, {UID: 3, Weight: 30000}, {UID: 4, Weight: 20000}}
		}
		g.Records = append(g.Records, r)
	}
	s, err := chain.New(g)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestALiveChainIsReplayedAndASimulationGoesOnFromIt(t *testing.T) {
	state, dir := liveChain(t), t.TempDir()
	var record bytes.Buffer
	w, err := chain.NewRecordWriter(&record, state)
	if err != nil {
		t.Fatal(err)
	}
	for range 25 {
		b := chain.Block{Height: state.Height() + 1, Begin: chain.Begin{TimeNs: int64(state.Height()) * 1e9}}
		o, err := state.Run(b, nil)
		if err == nil {
			err = w.Write(b, o.Digest)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ledger, err := state.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	digest := state.Digest()
	other := bytes.Clone(record.Bytes())
	other[bytes.LastIndex(other, digest[:])] ^= 1
	for name, data := range map[string][]byte{ // order-free: each is a file of its own
		"chain.blocks": record.Bytes(), "other.blocks": other, "cut.blocks": record.Bytes()[:record.Len()-9],
		"ledger.state": ledger, "broken.state": ledger[:len(ledger)/2],
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"replay", path("chain.blocks")}, exitOK, "25, equal app hashes from block 1 to block 25", ""},
		{[]string{"replay", "--json", path("chain.blocks")}, exitOK, `"height": 25`, ""},
		{[]string{"replay", path("other.blocks")}, exitDigest, "24, equal", "block 25: the replay comes to the digest"},
		{[]string{"replay", path("cut.blocks")}, exitFailure, "24, equal", "after block 24: unexpected EOF: what stands before is good; copy or export it again"},
		{[]string{"replay", path("ledger.state")}, exitFailure, "", "taolabd export --blocks"},
		{[]string{"fork", "--figures=false", "--set", "time.hours=1", path("ledger.state")}, exitOK, "ledger-fork", "after block 25"},
		{[]string{"fork", "--figures=false", "--set", "time.hours=1", "--set", "chain.kappa=0.9", path("ledger.state")}, exitOK, "ledger-fork-2", ""},
		{[]string{"fork", path("broken.state")}, exitScenario, "", "taolabd export"},
	} {
		var stdout, stderr bytes.Buffer
		if got := execute(t.Context(), c.args, &stdout, &stderr); got != c.code ||
			!strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%v: exit code %d\n%s%s", c.args, got, stdout.String(), stderr.String())
		}
	}
}
