package scenarios

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/model/base"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// economyRun is what a test of economics looks at: who earned how much in which epoch.
type economyRun struct {
	nodes  []trace.Node
	epochs [][]trace.Epoch // by number, then uid
	rows   map[trace.Table]int
	world  *virtual.World
}

// Record implements trace.Recorder.
func (r *economyRun) Record(row trace.Row) {
	r.rows[row.Table()]++
	switch row := row.(type) {
	case trace.Node:
		r.nodes = append(r.nodes, row)
	case trace.Epoch:
		for len(r.epochs) <= int(row.Epoch) {
			r.epochs = append(r.epochs, nil)
		}
		r.epochs[row.Epoch] = append(r.epochs[row.Epoch], row)
	}
}

// runEconomy runs a scenario of testdata/economy in a folder without a cache.
func runEconomy(t testing.TB, name string, adjust func(*virtual.Config), sets ...string) *economyRun {
	t.Helper()
	file, err := Load("testdata/economy/"+name+".toml", sets)
	if err != nil {
		t.Fatal(err)
	}
	return runFile(t, file, adjust)
}

func runFile(t testing.TB, file *File, adjust func(*virtual.Config)) *economyRun {
	t.Helper()
	material, err := file.Prepare(context.Background(), base.Cache{Dir: "/nonexistent"}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &economyRun{rows: map[trace.Table]int{}}
	network, err := file.Build(material, Options{Workers: 1, Recorder: r})
	if err != nil {
		t.Fatal(err)
	}
	if adjust != nil {
		adjust(&network.Config)
	}
	if r.world, err = virtual.New(network.Config); err != nil {
		t.Fatal(err)
	}
	if err := r.world.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r
}

// earned is what the nodes of a group got in an epoch, per rao of their stake.
func (r *economyRun) earned(epoch int, group string) (rao, stake float64) {
	for _, row := range r.epochs[epoch] {
		if r.nodes[*row.Node].Group == group {
			rao, stake = rao+float64(row.EmissionRao), stake+float64(row.StakeRao)
		}
	}
	return rao, stake
}

func TestDebugCopy(t *testing.T) {
	r := runEconomy(t, "copy", nil, "chain.rule=yuma3")
	fmt.Println(len(r.epochs), r.rows)
	yield := map[uint32]float64{}
	for e := 21; e <= 80; e++ {
		for _, row := range r.epochs[e] {
			yield[*row.Node] += float64(row.EmissionRao) / float64(row.StakeRao)
		}
	}
	var honest []float64
	for n := uint32(16); n < 24; n++ {
		honest = append(honest, yield[n])
	}
	slices.Sort(honest)
	fmt.Println(yield[24]/((honest[3]+honest[4])/2), math.Pi)
}
