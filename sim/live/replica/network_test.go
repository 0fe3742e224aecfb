package replica

import (
	"bytes"
	"reflect"
	"strconv"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	sm "github.com/cometbft/cometbft/state"

	"taolab/sim/chain"
)

// testConfigs are those of nodes on one machine, each of which keeps connected to those before it. Nobody
// dials the last, which can so be stopped and started within one process: the engine leaves open what its
// listener takes while it stops, and dialers would count that as their connection.
func testConfigs(t testing.TB, g Genesis, nodes int) []Config {
	var all []Config
	for i := range nodes {
		all = append(all, testConfig(t, g, i))
	}
	for i := range all {
		for j := range i {
			all[i].Peers = append(all[i].Peers, PeerID(all[j].NodeKey)+"@"+all[j].Listen)
		}
	}
	return all
}

func startAll(t testing.TB, all []Config) (nodes []*Node) {
	for _, c := range all {
		nodes = append(nodes, start(t, c))
	}
	return nodes
}

func stopAll(t testing.TB, nodes []*Node) {
	for _, n := range nodes {
		stop(t, n)
	}
}

// awaitHeight waits until a node has a block.
func awaitHeight(t testing.TB, n *Node, height uint64, patience time.Duration) {
	t.Helper()
	for limit := time.Now().Add(patience); n.View().Height() < height; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(limit) || n.Err() != nil {
			t.Fatalf("the node is at height %d after %s, want %d; error: %v, status %+v", n.View().Height(), patience, height,
				n.Err(), n.Status())
		}
	}
}

// replayed runs the recorded blocks of a node through the ledger without the node, and compares what the
// engine stored about each: digest, results, changes of validators and of its settings. It returns how many
// blocks had any, and the digests by height.
func replayed(t *testing.T, n *Node, upTo uint64) (digests []chain.Digest, updates, results int) {
	t.Helper()
	s, err := n.config.Genesis.State()
	if err != nil {
		t.Fatal(err)
	}
	results = 0
	stored := sm.NewStore(dbm.NewPrefixDB(n.store.database(), []byte("state/")), sm.StoreOptions{})
	for h := s.Height() + 1; h <= upTo; h++ {
		b, ok, err := n.Record(h)
		if err != nil || !ok {
			t.Fatalf("block %d: recorded %t, %v", h, ok, err)
		}
		before := s.View()
		outcome, err := s.Run(b, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := &application{}
		a.newest.Store(&before)
		want := a.answer(&executed{state: s, outcome: outcome})
		got, err := stored.LoadFinalizeBlockResponse(int64(h))
		if err != nil {
			t.Fatal(err)
		}
		if chain.Digest(got.AppHash) != outcome.Digest || len(got.TxResults) != len(want.TxResults) ||
			!reflect.DeepEqual(got.ValidatorUpdates, want.ValidatorUpdates) ||
			!reflect.DeepEqual(got.ConsensusParamUpdates, want.ConsensusParamUpdates) {
			t.Fatalf("block %d: the engine has\n%+v, the replay\n%+v", h, got, want)
		}
		for i := range got.TxResults {
			if got.TxResults[i].String() != want.TxResults[i].String() {
				t.Fatalf("block %d, transaction %d: %+v, in the replay %+v", h, i, got.TxResults[i], want.TxResults[i])
			}
		}
		digests = append(digests, outcome.Digest)
		updates += len(want.ValidatorUpdates)
		results += len(want.TxResults)
	}
	return digests, updates, results
}

func TestFourNodesAgreeAndTheirBlocksReplayWithoutThem(t *testing.T) {
	const users = 8
	g := testGenesis(t, 4, users, 200*time.Millisecond, func(g *chain.Genesis) { g.Params.TempoBlocks = 5 })
	configs := testConfigs(t, g, 4)
	for i := range configs {
		configs[i].Archive = true
	}
	nodes := startAll(t, configs)
	defer func() { stopAll(t, nodes) }()
	awaitHeight(t, nodes[0], 2, 20*time.Second)
	const each = 20
	for nonce := range uint64(each) {
		for u := range users {
			// Each transaction enters elsewhere than the one before it, so that gossip shuffles them.
			n := nodes[(int(nonce)+u)%4]
			tx := transfer(t, g.ChainID, "user"+strconv.Itoa(u), nonce, n.View().Height(), public("user"+strconv.Itoa((u+1)%users)))
			if err := n.Submit(ctx, tx); err != nil {
				t.Fatalf("user %d, nonce %d: %v", u, nonce, err)
			}
		}
	}
	for limit := time.Now().Add(20 * time.Second); nodes[0].View().Nonce(public("user0")) < each; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("nonce %d after 20 s, want %d; %+v", nodes[0].View().Nonce(public("user0")), each, nodes[0].Status())
		}
	}
	height := max(nodes[0].View().Height()+1, 12)
	for _, n := range nodes {
		awaitHeight(t, n, height, 20*time.Second)
	}
	want, updates, results := replayed(t, nodes[0], height)
	if updates == 0 || results != users*each {
		t.Errorf("%d changes of validators and %d transactions, want some and %d", updates, results, users*each)
	}
	for i, n := range nodes[1:] {
		if got, _, _ := replayed(t, n, height); !reflect.DeepEqual(got, want) {
			t.Errorf("node %d has other digests than node 0", i+1)
		}
	}
	var record bytes.Buffer
	if err := nodes[2].WriteRecord(&record); err != nil {
		t.Fatal(err)
	}
	if last, err := chain.Replay(&record, nil); err != nil || last.Height() < height {
		t.Errorf("the record of node 2 replays to %v", err)
	}
	t.Logf("%d blocks, %d transactions, %d changes of validators", height, results, updates)
}

// validators are the addresses of those who decide a block.
func (n *Node) validators(height uint64) (all []chain.Address, err error) {
	stored := sm.NewStore(dbm.NewPrefixDB(n.store.database(), []byte("state/")), sm.StoreOptions{})
	set, err := stored.LoadValidators(int64(height))
	if err != nil {
		return nil, err
	}
	for _, v := range set.Validators {
		all = append(all, address(v.Address))
	}
	return all, nil
}
