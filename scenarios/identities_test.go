package scenarios

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/model/base"
	"taolab/report"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// incentiveOf is the share of a group's uids in all incentive of an epoch, each uid's in the order of the ledger.
func (r *economyRun) incentiveOf(epoch int, group string) (share float64, uids []float64) {
	all := 0.0
	for _, row := range r.epochs[epoch] {
		all += float64(row.Incentive)
		if r.nodes[*row.Node].Group == group {
			uids = append(uids, float64(row.Incentive))
			share += float64(row.Incentive)
		}
	}
	return share / all, uids
}

// One model behind k uids is paid k times: the shares of attacks.md, M1.
func TestASybilIsPaidForEachUid(t *testing.T) {
	for _, c := range []struct {
		uids int
		want float64
	}{{1, .0731}, {4, .2503}, {16, .6345}} {
		r := runEconomy(t, "sybil", nil, fmt.Sprintf("miners[0].uids=%d", c.uids), fmt.Sprintf("miners[1].count=%d", 56-c.uids))
		share, uids := r.incentiveOf(len(r.epochs)-1, "sybil")
		if len(uids) != c.uids || math.Abs(share-c.want) > 4e-4 {
			t.Errorf("%d uids: rows name the node of %d, which are paid %.4f of all; expected %.4f", c.uids, len(uids), share, c.want)
		}
	}
}

// Of n equal uids that share 180 TAO an epoch the k-th adds 180*(n-k)/(n*(n-1)), and its loss takes as much.
func TestAnOwnerHoldsAsManyUidsAsPay(t *testing.T) {
	world, network, seen := lived(t, "testdata/economy/uids.toml", false)
	var got []trace.Decision
	for _, d := range seen.of("uid", "") {
		if d.Choice != "unprofitable" {
			got = append(got, d)
		}
	}
	if len(got) != 3 || got[0].Choice != "enter" || got[1].Choice != "enter" || got[2].Choice != "leave" {
		t.Fatalf("the owner chose %+v, expected to take a second and a third uid and to give one up", got)
	}
	for i, want := range []float64{180. * 10 / (12 * 11) * 1e9, 180. * 10 / (13 * 12) * 1e9, 180. * 10 / (13 * 12) * 1e9} {
		if math.Abs(*got[i].IncomeRao/want-1) > .01 { // the tail earns a little
			t.Errorf("decision %d is about %.4g rao, expected %.4g", i, *got[i].IncomeRao, want)
		}
	}
	if *got[2].CostRao <= *got[2].IncomeRao || *got[1].CostRao >= *got[1].IncomeRao || got[2].UID == nil || got[0].UID != nil {
		t.Errorf("taken and given up at the wrong side of the cost, or of no uid: %+v", got)
	}
	view, paid, n := world.Chain(), 0, 0
	for id := range host.Identity(6) {
		key := virtual.PublicKey(1, virtual.Named(network.Nodes[0].Name, id), host.Hotkey)
		if uid, seated := view.UIDOf(key); seated {
			if n++; view.Neuron(uid).Incentive > 0 {
				paid++
			}
			if own := view.OwnStakeOf(key); own > 150e9 { // it earned thousands
				t.Errorf("%d rao lie on the hotkey of uid %d, which the owner sells", own, uid)
			}
		}
	}
	if paid != 2 || n != 3 {
		t.Errorf("%d uids of %d are paid at the end, expected 2 of 3: the one that was given up no longer answers", paid, n)
	}
	manifest := &report.Manifest{Nodes: network.Nodes}
	Finish(manifest, world)
	if n := manifest.Nodes[0]; len(n.Hotkeys) != 5 || len(n.UIDs) != 2 {
		t.Errorf("the manifest names the hotkeys %v and the uids %v, expected 5 and 2", n.Hotkeys, n.UIDs)
	}
}

func TestTheStakeOfAMinerIsSplitAmongItsUids(t *testing.T) {
	file, err := Load("testdata/economy/sybil.toml", []string{"miners[0].uids=3", "miners[0].stake_tao=10"})
	if err != nil {
		t.Fatal(err)
	}
	network, err := file.Build(&Material{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var stakes []uint64
	for _, n := range network.Config.Genesis.Neurons[:3] {
		stakes = append(stakes, n.StakeRao)
	}
	if want := []uint64{3_333_333_333, 3_333_333_333, 3_333_333_334}; !slices.Equal(stakes, want) {
		t.Errorf("stakes of %v rao, expected %v", stakes, want)
	}
}

// Validators give the newest of equal uids no weight: its owner waits until it is no longer immune.
func TestAUidOnTrialDoesNotDriveItsOwnerOut(t *testing.T) {
	_, _, seen := lived(t, "testdata/economy/uids.toml", false, "chain.immunity_blocks=2500", "miners[2].joins_h=12", "validators[0].peers=11", "miners[0].decide.patience=1", "time.hours=13")
	if len(seen.of("uid", "enter")) == 0 || len(seen.of("seat", "leave")) > 0 {
		t.Errorf("%d uids were taken, and the owner left %d times", len(seen.of("uid", "enter")), len(seen.of("seat", "leave")))
	}
}

// Miners with models behind three uids each, and newcomers that register two, leave the same run however it is cut.
func TestARunOfMinersWithSeveralUidsGoesOnFromASnapshot(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	goesOn(t, cache, "miners[0].count=2", "miners[0].uids=3", "chain.burn_tao=0.1", "miners[1].joins_h=0.1", "miners[1].uids=2",
		"miners[1].stake_tao=5", "chain.max_uids=12", "chain.min_allowed_weights=2", "chain.max_weight=1", "chain.immunity_blocks=40")
}

// With models too: of six uids with equal models, all are paid alike, be they of one model or of many.
func TestUidsOfOneModelArePaidLikeThoseOfMany(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	share := func(uids int) float64 {
		r := &economyRun{rows: map[trace.Table]int{}}
		config := configTiny(t, cache, Options{Workers: 2, Recorder: r}, "miners[0].count=1", "miners[0].name=sybil",
			fmt.Sprintf("miners[0].uids=%d", uids), "miners[1].behaviour=honest", fmt.Sprintf("miners[1].count=%d", 6-uids),
			"miners[1].width=8", "miners[1].layers=1", "miners[1].duty=0", "miners[0].duty=0", "miners[1].hardware_mflops=10", "time.hours=2", "validators[0].alpha=0.3", "validators[0].peers=6",
			"chain.min_allowed_weights=2", "chain.max_weight=1")
		world, err := virtual.New(config)
		if err == nil {
			err = world.Run(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		part, _ := r.incentiveOf(len(r.epochs)-1, "sybil")
		return part
	}
	if one, three := share(1), share(3); math.Abs(one-1./6) > 1e-4 || math.Abs(three-1./2) > 1e-4 {
		t.Errorf("one model is paid %.4f of all with one uid of six and %.4f with three; expected a sixth and a half", one, three)
	}
}
