package scenarios_test

import (
	"context"
	"slices"
	"testing"

	"taolab/model/base"
	"taolab/scenarios"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// recording is a recorder that keeps what the agents record.
type recording struct {
	queries      []trace.Query
	training     []trace.Train
	applications []trace.Application
}

func (r *recording) Record(row trace.Row) {
	switch row := row.(type) {
	case trace.Query:
		r.queries = append(r.queries, row)
	case trace.Train:
		r.training = append(r.training, row)
	case trace.Application:
		r.applications = append(r.applications, row)
	}
}

// hour is the tiny network after an hour, and what its agents recorded.
func hour(t *testing.T, change func(*scenarios.Network)) (*virtual.World, *scenarios.Network, *recording) {
	t.Helper()
	file, err := scenarios.Load("testdata/tiny.toml", []string{"time.hours=1"})
	check(t, err)
	material, err := file.Prepare(context.Background(), base.Cache{}, 1, nil)
	check(t, err)
	r := new(recording)
	network, err := file.Build(material, scenarios.Options{Workers: 1, Recorder: r})
	check(t, err)
	change(network)
	world, err := virtual.New(network.Config)
	check(t, err)
	check(t, world.Run(context.Background()))
	return world, network, r
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node is the index of the named node; neurons have their uids in the same order.
func node(t *testing.T, n *scenarios.Network, name string) int {
	t.Helper()
	i := slices.IndexFunc(n.Config.Nodes, func(node virtual.Node) bool { return node.Name == name })
	if i < 0 {
		t.Fatalf("no node %q", name)
	}
	return i
}

func TestInAnHourANetworkLearnsWhoKnowsNothing(t *testing.T) {
	world, network, r := hour(t, func(*scenarios.Network) {})
	view := world.Chain()
	for _, name := range []string{"validator-1", "validator-2"} {
		if len(view.Weights(chain.UID(node(t, network, name)))) == 0 {
			t.Errorf("%s has set no weights", name)
		}
	}
	noise := max(view.Neuron(chain.UID(node(t, network, "noise-1"))).Incentive,
		view.Neuron(chain.UID(node(t, network, "noise-2"))).Incentive)
	first, last := make([]float32, view.N()), make([]float32, view.N())
	for _, row := range r.training {
		if row.Subset != "all" {
			continue
		}
		if first[*row.UID] == 0 {
			first[*row.UID] = row.HeldOutLoss
		}
		last[*row.UID] = row.HeldOutLoss
	}
	for i, n := range network.Nodes {
		switch {
		case n.Behaviour == "random" && first[i] != 0:
			t.Errorf("%s has no model and measured a loss of %g", n.Name, first[i])
		case n.Kind != "miner" || n.Behaviour != "honest":
		case view.Neuron(chain.UID(i)).Incentive <= noise:
			t.Errorf("%s has incentive %d, noise %d", n.Name, view.Neuron(chain.UID(i)).Incentive, noise)
		case !(last[i] < first[i]):
			t.Errorf("%s went from a loss of %g to %g", n.Name, first[i], last[i])
		}
	}
	answered := 0
	for _, row := range r.applications {
		if row.Code == host.Success.String() && *row.Admitted {
			answered++
		}
	}
	if answered == 0 {
		t.Errorf("none of %d questions of the application was answered", len(r.applications))
	}
}

func TestWhoCrashesGoesOnFromTheSavedState(t *testing.T) {
	const at, back = 22 * host.Minute, 26 * host.Minute
	crashing := []string{"validator-2", "honest-6", "app-1"}
	world, network, r := hour(t, func(n *scenarios.Network) {
		n.Config.SaveEvery = 5 * host.Minute
		for _, name := range crashing {
			n.Config.Faults = append(n.Config.Faults, virtual.Fault{Kind: "crash", From: at, To: back, Target: virtual.Target{Node: name}})
		}
	})
	validator, miner := node(t, network, "validator-2"), node(t, network, "honest-6")
	if set := world.Chain().Neuron(chain.UID(validator)).LastUpdate; set < 200 {
		t.Errorf("the validator set its last weights at block %d, it is back since block 130", set)
	}
	var before, after []trace.Train
	for _, row := range r.training {
		switch {
		case int(*row.UID) != miner || row.Subset != "all":
		case row.TimeNs < int64(at):
			before = append(before, row)
		default:
			after = append(after, row)
		}
	}
	if len(before) == 0 || len(after) < 2 {
		t.Fatalf("the miner measured itself %d times before its crash and %d times after", len(before), len(after))
	}
	old, restored, last := before[len(before)-1], after[0], after[len(after)-1]
	if restored.TimeNs < int64(back) || restored.Steps < old.Steps || last.Steps <= restored.Steps ||
		last.HeldOutLoss >= before[0].HeldOutLoss {
		t.Errorf("the miner measured\n%+v at last before its crash,\n%+v when it was back,\n%+v at last", old, restored, last)
	}
	sessions, late := uint32(0), uint32(0)
	for _, row := range r.applications {
		if sessions = max(sessions, row.Session); row.TimeNs > int64(back) {
			late++
		}
	}
	if late == 0 || sessions == 0 {
		t.Errorf("the application has begun %d sessions and recorded %d answers after its crash", sessions+1, late)
	}
}
