package scenarios

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"taolab/model/base"
	"taolab/sim/chain"
	"taolab/sim/virtual"
)

// A scenario begins with the stakes, weights and ages of its metagraph, at the metagraph's height; its nodes
// take the seats.
func TestAScenarioGoesOnFromAMetagraph(t *testing.T) {
	r := runEconomy(t, "../metagraph/trees", nil, "trace.weights=1")
	begun := r.nodes
	if len(begun) != 8 || begun[6].StakeRao != 5_000*chain.RaoPerTAO || begun[7].StakeRao != 3_000*chain.RaoPerTAO ||
		begun[2].StakeRao != 0 || begun[1].StakeRao != chain.RaoPerTAO {
		t.Errorf("nodes %+v", begun)
	}
	v := r.world.Chain()
	if v.Height() != 100_600 || v.N() != 10 || v.Neuron(3).RegisteredAt != 90_000+3*137 || v.Params().TempoBlocks != 100 {
		t.Errorf("height %d, %d neurons, %+v", v.Height(), v.N(), v.Neuron(3))
	}
	// The third neuron with a permit has no node: its weights stay those of the metagraph.
	if row := v.Weights(5); len(row) != 7 || row[0].Weight != 65535 || v.Neuron(5).LastUpdate != 99_905 {
		t.Errorf("%v", row)
	}
	if n := v.Neuron(0); n.LastUpdate <= 100_000 || n.EmissionRao == 0 {
		t.Errorf("the first validator set no weights, or earned nothing: %+v", n)
	}
}

func TestTheWayThroughTheBlocksOfAnImportedLedgerChangesNothing(t *testing.T) {
	one := runEconomy(t, "../metagraph/trees", func(c *virtual.Config) { c.EveryBlock, c.Paranoid, c.Signed = true, true, true })
	if other := runEconomy(t, "../metagraph/trees", nil); one.world.Digest() != other.world.Digest() {
		t.Error("the run digests differ")
	}
}

// Nominators, delegation and owner name the new holder of a seat from then on.
func TestASeatsHolderIsNamedWhereverTheFormerOneWas(t *testing.T) {
	key := func(b byte) chain.Key { return chain.Key{b} }
	seen := chain.Genesis{Owner: key(2)}
	for i := byte(1); i <= 3; i++ {
		seen.Neurons = append(seen.Neurons, chain.GenesisNeuron{Hotkey: key(i), Coldkey: key(10 + i), StakeRao: uint64(i)})
		seen.Records = append(seen.Records, chain.GenesisRecord{Permit: i == 2})
		for n := byte(0); n < 2; n++ {
			seen.Stakes = append(seen.Stakes, chain.GenesisStake{Hotkey: key(i), Coldkey: key(20 + n), StakeRao: 7})
		}
		seen.Delegates = append(seen.Delegates, chain.GenesisDelegate{Hotkey: key(i)})
	}
	b := &builder{File: &File{metagraph: &metagraph{genesis: seen}}}
	b.adoptMetagraph()
	b.genesis.Stakes = append(b.genesis.Stakes, chain.GenesisStake{Hotkey: key(9)}) // of a node without a seat
	uid, stake := b.seat(false, key(30), key(31))
	if uid != 1 || stake != 2 || b.genesis.Owner != key(30) || b.genesis.Neurons[1].Hotkey != key(30) || b.genesis.Neurons[1].Coldkey != key(31) {
		t.Errorf("uid %d with %d rao, owner %v, %+v", uid, stake, b.genesis.Owner, b.genesis.Neurons[1])
	}
	for i, s := range b.genesis.Stakes[:6] {
		if want := []chain.Key{key(1), key(1), key(30), key(30), key(3), key(3)}[i]; s.Hotkey != want {
			t.Errorf("stake %d names %v, expected %v", i, s.Hotkey, want)
		}
	}
	for i, d := range b.genesis.Delegates {
		if want := []chain.Key{key(1), key(30), key(3)}[i]; d.Hotkey != want {
			t.Errorf("delegation %d names %v, expected %v", i, d.Hotkey, want)
		}
	}
	if seen.Stakes[2].Hotkey != key(2) || seen.Delegates[1].Hotkey != key(2) {
		t.Error("the metagraph itself has changed")
	}
}

func TestAnImportTellsWhatItFilled(t *testing.T) {
	f, err := Load("testdata/metagraph/trees.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.InForce()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(list)
	for _, want := range []string{"trees.json", "block 100000", "filled neurons.coldkey 10", "filled neurons.weights 7", "parameters of the metagraph"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing of %q in %s", want, text)
		}
	}
}

func TestAnUnfitMetagraphIsRefused(t *testing.T) {
	for sets, want := range map[string]string{ // order-free: each is on its own
		"chain.metagraph=none.json":  "none.json cannot be read: no such file or directory",
		"chain.metagraph=trees.toml": "expected a taolab-metagraph/1, or a ledger",
		"chain.era=2026":             "the metagraph has an era",
		"validators[0].count=4":      "3 seats for 4 validators",
		"miners[0].count=8":          "7 seats for 8 miners",
	} {
		_, err := Load("testdata/metagraph/trees.toml", []string{sets})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", sets, err, want)
		}
	}
}

// The manifest names the metagraph, and a repeated run, each point of a sweep and a fork continue from it too;
// the fork ends as many blocks after genesis as the run would.
func TestAnImportedLedgerIsReadAgainFromAManifest(t *testing.T) {
	const path = "testdata/metagraph/trees.toml"
	file, err := Load(path, []string{"chain.weights_rate_limit_blocks=30"})
	if err != nil {
		t.Fatal(err)
	}
	parent := &Experiment{File: file, Dir: t.TempDir(), Workers: 1, Now: time.Now, SnapshotAt: []uint64{100_300}}
	m, err := liveThrough(t, parent)
	if err != nil {
		t.Fatal(err)
	}
	again, err := FromManifest(parent.Dir, m, "")
	if err != nil {
		t.Fatal(err)
	}
	if genesis, last := again.Heights(); genesis != 100_000 || last != 100_600 {
		t.Errorf("from %d to %d", genesis, last)
	}
	if got := runFile(t, again, nil).world.Digest().String(); got != m.RunDigest {
		t.Errorf("again: run digest %s, it was %s", got, m.RunDigest)
	}
	plain, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	point, err := plain.With("chain.weights_rate_limit_blocks=30")
	if err != nil {
		t.Fatal(err)
	}
	if got := runFile(t, point, nil).world.Digest().String(); got != m.RunDigest {
		t.Errorf("as a point of a sweep: run digest %s, by itself %s", got, m.RunDigest)
	}
	short, err := FromManifest(parent.Dir, m, "", "time.hours=0.3")
	if err != nil || short.Chain.TempoBlocks <= short.BlockCount() {
		t.Errorf("shorter than an epoch: %v", err)
	}
	child, got := forked(t, base.Cache{}, parent, m)
	sameRun(t, "forked", got, m, child.Dir, parent.Dir)
	for _, sets := range [][]string{
		{"chain.metagraph=testdata/metagraph/trees.json"},
		{"chain.upgrade_height=100500", "chain.upgrade_rules=3", "chain.hard.vote_delay_blocks=1"},
	} {
		_, err := NewFork(parent.Dir, m, "", sets)
		if err == nil || !strings.Contains(err.Error(), sets[0]+": chain.") || !strings.Contains(err.Error(), "a chain keeps the family of rules") {
			t.Errorf("%s: %v", sets, err)
		}
	}
}

// A floor cannot exceed its ceiling before that is raised, and a steepness may be negative.
func TestAForkSetsParametersThatWaitForEachOther(t *testing.T) {
	file, err := Load("testdata/metagraph/trees.toml", []string{"chain.rule=yuma3", "chain.liquid_alpha=true", "chain.alpha_low=0.3", "chain.alpha_high=0.5", "chain.alpha_steepness=10"})
	if err != nil {
		t.Fatal(err)
	}
	parent := &Experiment{File: file, Dir: t.TempDir(), Workers: 1, Now: time.Now, SnapshotAt: []uint64{100_300}}
	m, err := liveThrough(t, parent)
	if err != nil {
		t.Fatal(err)
	}
	child, _ := forked(t, base.Cache{}, parent, m, "chain.alpha_low=0.6", "chain.alpha_high=0.8", "chain.alpha_steepness=-10")
	if p := child.World.Chain().Params(); p.AlphaLow != 39321 || p.AlphaHigh != 52428 || p.AlphaSteepness != -1000 {
		t.Errorf("alpha from %d to %d, steepness %d", p.AlphaLow, p.AlphaHigh, p.AlphaSteepness)
	}
}

// A scenario can start from the file of the recorded network; a neuron whose seat no node takes keeps its
// recorded weights.
func TestAScenarioRunsFromTheRecordedNetwork(t *testing.T) {
	if _, err := os.Stat("../../shared/vectors/metagraph_sn15.json"); err != nil {
		t.Skipf("no vectors next to the repository: %v", err)
	}
	r := runEconomy(t, "../metagraph/sn15", func(c *virtual.Config) { c.Paranoid = true })
	v := r.world.Chain()
	if v.N() != 256 || v.Height() != 4_769_278+900 || len(r.nodes) != 28 {
		t.Errorf("%d neurons at %d, %d nodes", v.N(), v.Height(), len(r.nodes))
	}
	last := v.Epochs()
	earned := 0
	for uid := range v.N() {
		if v.Neuron(chain.UID(uid)).EmissionRao > 0 {
			earned++
		}
	}
	if last < 9 || earned < 20 || len(v.Weights(253)) != 27 {
		t.Errorf("%d epochs, %d neurons earned, %d weights of the last recorded validator", last, earned, len(v.Weights(253)))
	}
}
