package replica

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taolab/sim/chain"
)

// awaitEnd waits until a node must stop, and returns why.
func awaitEnd(t *testing.T, n *Node, patience time.Duration) error {
	t.Helper()
	select {
	case <-n.Failed():
		return n.Err()
	case <-time.After(patience):
		t.Fatalf("the node goes on after %s: %+v", patience, n.Status())
		return nil
	}
}

func TestANodeThatIsTooOldStopsBeforeAnUpgradeAndJoinsAfterItsOwn(t *testing.T) {
	const upgrade = 8
	g := testGenesis(t, 4, 1, 200*time.Millisecond, func(g *chain.Genesis) {
		g.Upgrade = chain.Upgrade{Rules: 2, Height: upgrade}
	})
	configs := testConfigs(t, g, 4)
	configs[3].knows = 1
	nodes := startAll(t, configs)
	defer func() { stopAll(t, nodes) }()
	var halted *Halted
	if err := awaitEnd(t, nodes[3], 30*time.Second); !errors.As(err, &halted) || halted.Height != upgrade-1 ||
		!strings.Contains(err.Error(), "block 8 has version 2 of the rules, this program knows versions 1 to 1: install") {
		t.Fatalf("the late node ended with %v", err)
	}
	awaitHeight(t, nodes[0], upgrade+5, 30*time.Second)
	if rules := nodes[0].View().Rules(); rules != 2 {
		t.Errorf("the others have version %d of the rules", rules)
	}
	if m := nodes[0].engine.BlockStore().LoadBlockMeta(upgrade); m.Header.Version.App != 2 {
		t.Errorf("block %d says version %d", upgrade, m.Header.Version.App)
	}
	stop(t, nodes[3])
	if n, err := Open(configs[3]); !errors.As(err, &halted) || halted.Height != upgrade-1 {
		t.Fatalf("started again, the late node opens: %v, %v", n, err)
	}
	configs[3].knows = 0
	nodes[3] = start(t, configs[3])
	awaitHeight(t, nodes[3], nodes[0].View().Height()+2, 30*time.Second)
}

func TestANodeSyncsAcrossAnUpgrade(t *testing.T) {
	g := testGenesis(t, 1, 1, 50*time.Millisecond, func(g *chain.Genesis) { g.Upgrade = chain.Upgrade{Rules: 3, Height: 6} })
	configs := testConfigs(t, g, 2)
	first := start(t, configs[0])
	defer stop(t, first)
	awaitHeight(t, first, 12, 20*time.Second)
	late := start(t, configs[1])
	defer stop(t, late)
	awaitHeight(t, late, 12, 20*time.Second)
	if rules := late.View().Rules(); rules != 3 {
		t.Errorf("version %d of the rules", rules)
	}
}

func TestANodeStopsAtItsHaltHeight(t *testing.T) {
	g := testGenesis(t, 1, 1, 50*time.Millisecond, nil)
	c := testConfig(t, g, 0)
	c.HaltHeight = 5
	n := start(t, c)
	err := awaitEnd(t, n, 10*time.Second)
	var halted *Halted
	time.Sleep(200 * time.Millisecond) // the engine has begun the next block, and waits
	if !errors.As(err, &halted) || halted.Height != 5 || n.View().Height() != 5 || n.Status().Height != 5 {
		t.Errorf("at height %d: %v", n.View().Height(), err)
	}
	stop(t, n)
	if _, err := Open(c); !errors.As(err, &halted) {
		t.Errorf("started again: %v", err)
	}
	c.HaltHeight = 0
	n = start(t, c)
	defer stop(t, n)
	awaitHeight(t, n, 8, 10*time.Second)
}

// A node that fetches blocks has another loop of the engine than one that votes, which panics at errors.
func TestANodeThatFetchesBlocksStopsAtItsHaltHeight(t *testing.T) {
	g := testGenesis(t, 1, 1, 50*time.Millisecond, nil)
	configs := testConfigs(t, g, 2)
	first := start(t, configs[0])
	defer stop(t, first)
	awaitHeight(t, first, 20, 20*time.Second)
	configs[1].HaltHeight = 5
	late := start(t, configs[1])
	err := awaitEnd(t, late, 20*time.Second)
	var halted *Halted
	time.Sleep(200 * time.Millisecond) // the engine has begun the next block, and waits
	if !errors.As(err, &halted) || halted.Height != 5 || late.View().Height() != 5 || !late.Status().CatchingUp {
		t.Errorf("at height %d, %+v: %v", late.View().Height(), late.Status(), err)
	}
	stop(t, late)
	time.Sleep(200 * time.Millisecond) // a panic would end the process
}

func TestStrangersAreToldWhatTheyAre(t *testing.T) {
	ours := testGenesis(t, 1, 1, 100*time.Millisecond, nil)
	theirs := testGenesis(t, 1, 2, 100*time.Millisecond, nil)
	if ours.ChainID == theirs.ChainID {
		t.Fatal("two geneses of one name have the same chain id")
	}
	configs := testConfigs(t, ours, 2)
	n := start(t, configs[0])
	awaitHeight(t, n, 3, 10*time.Second)
	other := configs[1]
	other.Genesis = theirs
	stranger := start(t, other)
	for limit := time.Now().Add(10 * time.Second); stranger.Status().Stranger == ""; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the stranger does not know that it is one")
		}
	}
	if s := stranger.Status(); !strings.Contains(s.Stranger, ours.ChainID) || !strings.Contains(s.Stranger, theirs.ChainID) || s.Peers > 0 {
		t.Errorf("the stranger was told %q and has %d peers", s.Stranger, s.Peers)
	}
	stop(t, stranger)
	stop(t, n)
	other = configs[0]
	other.Genesis = theirs
	if _, err := Open(other); err == nil || !strings.Contains(err.Error(), ours.ChainID) || !strings.Contains(err.Error(), theirs.ChainID) {
		t.Errorf("a folder of another chain opens: %v", err)
	}
}

func TestAGenesisIsReadAsItWasWritten(t *testing.T) {
	g := testGenesis(t, 1, 1, 12*time.Second, nil)
	data, err := g.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadGenesis(data)
	if err != nil || read.ChainID != g.ChainID || !read.Time.Equal(g.Time) || read.Interval != g.Interval {
		t.Fatalf("%+v, %v", read.ChainID, err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`taolab-genesis/1`, `taolab-genesis/2`, `format "taolab-genesis/2"`},
		{`"12s"`, `"6s"`, "it was changed"},
		{`"12s"`, `"soon"`, "block_interval"},
		{g.ChainID, "test-00000000", "its ledger has the chain id"},
		{`"format"`, `"from"`, "from"},
	} {
		if _, err := ReadGenesis([]byte(strings.Replace(string(data), c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s in place of %s: %v, want %q", c.new, c.old, err, c.want)
		}
	}
	if _, err := NewGenesis("test", chain.Genesis{}, time.Now(), time.Second); err == nil {
		t.Error("an empty genesis is one")
	}
}

func TestAKeyWithoutARecordDoesNotSignWhereTheChainHasItsVotes(t *testing.T) {
	g := testGenesis(t, 4, 1, 200*time.Millisecond, nil)
	configs := testConfigs(t, g, 4)
	nodes := startAll(t, configs)
	defer func() { stopAll(t, nodes[:3]) }()
	awaitHeight(t, nodes[0], 5, 20*time.Second)
	stop(t, nodes[3])
	if height, ok, err := LastSigned(configs[3].Dir); !ok || err != nil || height < 4 {
		t.Errorf("last signed: %d, %t, %v", height, ok, err)
	}
	if err := os.Remove(filepath.Join(configs[3].Dir, signedFile)); err != nil {
		t.Fatal(err)
	}
	n := start(t, configs[3])
	defer stop(t, n)
	if err := awaitEnd(t, n, 30*time.Second); !strings.Contains(err.Error(), "another node has the key") {
		t.Errorf("ended with %v", err)
	}
	if err := os.WriteFile(filepath.Join(configs[3].Dir, signedFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LastSigned(configs[3].Dir); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a damaged record: %v", err)
	}
}

// operator is what the ledger says of an operator.
func operator(v chain.View, hotkey chain.Key) (o chain.Operator) {
	for _, x := range v.Operators() {
		if x.Hotkey == hotkey {
			o = x
		}
	}
	return o
}

func TestOneThatSignsTwiceIsSlashedOnceAndRemoved(t *testing.T) {
	g := testGenesis(t, 4, 1, 200*time.Millisecond, func(g *chain.Genesis) { g.Params.TempoBlocks = 15 })
	configs := testConfigs(t, g, 4)
	twin := testConfig(t, g, 3)
	twin.NodeKey, twin.Peers = testKey("twin"), slices.Clone(configs[3].Peers)
	// Records that somebody made up get both past their guards; else the later one finds the other's votes, and stops.
	for _, c := range []Config{configs[3], twin} {
		record := []byte(`{"height":1,"step":1,"bytes":"AA==","signature":"AA=="}`)
		err := os.MkdirAll(c.Dir, 0o700)
		if err = errors.Join(err, os.WriteFile(filepath.Join(c.Dir, signedFile), record, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	nodes := startAll(t, append(configs, twin))
	defer func() { stopAll(t, nodes) }()
	blocks := nodes[0].Blocks()
	before := uint64(1000 * chain.RaoPerTAO)
	var slashed []chain.Accused
	removed := uint64(0)
	await(t, blocks, 90*time.Second, func(b Block) bool {
		for _, e := range b.Outcome.Events {
			switch e := e.(type) {
			case chain.Accused:
				if e.SlashedRao > 0 {
					slashed = append(slashed, e)
				}
			case chain.Seated:
				for _, c := range e.Changes {
					if c.Hotkey == public("hot3") && c.Power == 0 {
						removed = b.Height
					}
				}
			}
		}
		return removed > 0 && b.Height >= removed+5
	})
	if len(slashed) != 1 || slashed[0].Hotkey != public("hot3") || slashed[0].SlashedRao < before/21 {
		t.Errorf("slashed: %+v", slashed)
	}
	set, err := nodes[0].validators(removed + 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(set) != 3 || slices.Contains(set, chain.AddressOf(public("vote3"))) {
		t.Errorf("two blocks after the epoch there are %d validators", len(set))
	}
	t.Logf("removed at %d, slashed %+v", removed, slashed)
}

func TestASleeperIsJailedAndComesBack(t *testing.T) {
	g := testGenesis(t, 4, 1, 100*time.Millisecond, func(g *chain.Genesis) {
		g.Params.TempoBlocks, g.Params.Hard.JailWindow = 8, 8
	})
	configs := testConfigs(t, g, 4)
	nodes := startAll(t, configs)
	defer func() { stopAll(t, nodes) }()
	blocks := nodes[0].Blocks()
	await(t, blocks, 20*time.Second, func(b Block) bool { return b.Height >= 2 })
	stop(t, nodes[3])
	hot := public("hot3")
	jailed := await(t, blocks, 90*time.Second, func(b Block) bool { return operator(b.View, hot).Jailed })
	if o := operator(jailed.View, hot); o.Power != 0 {
		t.Errorf("in jail with power: %+v", o)
	}
	nodes[3] = start(t, configs[3])
	await(t, blocks, 60*time.Second, func(b Block) bool { return b.View.Epochs() > jailed.View.Epochs() })
	for limit := time.Now().Add(30 * time.Second); nodes[3].Status().CatchingUp; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("the sleeper does not catch up: %+v", nodes[3].Status())
		}
	}
	v := nodes[0].View()
	tx, err := chain.SignPriced(g.ChainID, testKey("cold3"), v.Nonce(public("cold3")), v.Height()+100, 10_000_000, 0,
		chain.Unjail{Hotkey: hot}).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := nodes[1].Submit(ctx, tx); err != nil {
		t.Fatal(err)
	}
	back := await(t, blocks, 60*time.Second, func(b Block) bool { return operator(b.View, hot).Power > 0 })
	t.Logf("jailed at %d, back at %d with power %d", jailed.Height, back.Height, operator(back.View, hot).Power)
	// It votes again: nobody counts it as away.
	late := await(t, blocks, 60*time.Second, func(b Block) bool { return b.Height >= back.Height+20 })
	if o := operator(late.View, hot); o.Jailed || o.Power == 0 || o.Missed > 2 {
		t.Errorf("20 blocks after it came back: %+v", o)
	}
}
