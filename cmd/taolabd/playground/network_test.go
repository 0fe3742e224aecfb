package playground

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/model/base"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live"
	"taolab/sim/live/wallet"
)

// solo is a ledger on which nothing happens.
type solo struct{ state *chain.State }

func (l solo) View() chain.View { return l.state.View() }

func (l solo) Submit(context.Context, []byte) error { return io.ErrClosedPipe }

func (l solo) Blocks(ctx context.Context) <-chan live.Block {
	blocks := make(chan live.Block)
	context.AfterFunc(ctx, func() { close(blocks) })
	return blocks
}

// network is miners on real models and an application among them.
type network struct {
	app    Operated
	rival  Operated // an application with 1 TAO of stake and no uid
	miners []string
}

// plan says what the networks of these tests are made of.
var plan = role.Plan{
	Seed: 1, Vocab: 288, Rows: 4, Cols: 16, Shapes: []lm.Config{{Vocab: 288, Context: 32, Width: 16, Layers: 1, Heads: 2}},
	Training: role.Training{Steps: 300, Rows: 8, LearningRate: 6e-3},
	Open:     func() (pile.Source, error) { return pile.NewSynthetic(1, 500_000, []string{"Github", "ArXiv"}) },
	Subsets:  func([]string) error { return nil },
}

// material is what most of them share.
var material = sync.OnceValues(func() (*role.Material, error) {
	return plan.Prepare(context.Background(), base.Cache{}, 2, nil)
})

// start lets three miners and an application with so much stake live until the test ends. The miners ask for
// so much.
func start(t *testing.T, stakeTAO, leastTAO float64, change func(*role.Application, *role.Miner)) *network {
	t.Helper()
	made, err := material()
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, made, stakeTAO, leastTAO, change)
}

// startWith is start of something else than what most share.
func startWith(t *testing.T, made *role.Material, stakeTAO, leastTAO float64, change func(*role.Application, *role.Miner)) *network {
	t.Helper()
	maker := &role.Maker{Material: made, Seed: 1, Seats: 4, BlockS: 1}
	params, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	genesis := chain.Genesis{ChainID: "playground-test", Params: params.Scaled(4)}
	n := &network{miners: []string{"miner-1", "miner-2", "miner-3"}}
	miner, app := settings.Default[role.Miner](), settings.Default[role.Application]()
	miner.Width, miner.Layers, miner.Duty = 16, 1, settings.Span{}
	miner.MinIntervalS, miner.MinStakeTAO = 0.01, leastTAO
	app.SessionS, app.PaceS, app.TopK, app.TimeoutS = 0, 0.02, 32, 5
	if change != nil {
		change(&app, &miner)
	}
	nodes := []live.Node{}
	for i, name := range append(n.miners, "app") {
		node := live.Node{Name: name, Hotkey: wallet.Known(name)}
		stake := float64(10 - i)
		var agent role.Agent
		if name == "app" {
			stake = stakeTAO
			agent, err = maker.Application(name, &app)
			node.Admission = app.Admission()
		} else {
			agent, err = maker.Miner(name, &miner, i, 3, 0)
			node.Admission, node.Listen = miner.Admission(), "127.0.0.1:0"
		}
		if err != nil {
			t.Fatal(err)
		}
		node.Agent = agent.Fresh()
		nodes = append(nodes, node)
		genesis.Neurons = append(genesis.Neurons, chain.GenesisNeuron{
			Hotkey: wallet.Public(node.Hotkey), Coldkey: wallet.Public(wallet.Known("cold")), StakeRao: role.Rao(stake),
		})
	}
	agent, err := maker.Application("rival", &app)
	if err != nil {
		t.Fatal(err)
	}
	nodes = append(nodes, live.Node{Name: "rival", Hotkey: wallet.Known("rival"), Agent: agent.Fresh(), Admission: app.Admission()})
	genesis.Stakes = append(genesis.Stakes, chain.GenesisStake{
		Hotkey: wallet.Public(wallet.Known("rival")), Coldkey: wallet.Public(wallet.Known("cold")), StakeRao: role.Rao(1),
	})
	state, err := chain.New(genesis)
	if err != nil {
		t.Fatal(err)
	}
	n.app = Operated{Ledger: solo{state}, Node: nodes[3]}
	n.rival = Operated{Ledger: solo{state}, Node: nodes[4]}
	n.run(t, nodes)
	return n
}

// run lets the world live.
func (n *network) run(t *testing.T, nodes []live.Node) {
	t.Helper()
	addresses := map[host.PeerID]netip.AddrPort{}
	var mu sync.Mutex
	world, err := live.New(live.Config{
		Ledger: n.app.Ledger, Genesis: time.Now(), Seed: 1, Nodes: nodes, Workers: 2,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Address: func(_ chain.View, peer host.PeerID) (netip.AddrPort, bool) {
			mu.Lock()
			defer mu.Unlock()
			a, known := addresses[peer]
			return a, known
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	for _, node := range nodes {
		if at := world.Addr(node.Name); at != nil {
			addresses[wallet.Public(node.Hotkey)] = at.(*net.TCPAddr).AddrPort()
		}
	}
	mu.Unlock()
	n.app.World, n.rival.World = world, world
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- world.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// serve serves the page of the network's application and returns its address.
func (n *network) serve(t *testing.T) (address string) {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(n.app, Limits{}, nil).Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}
