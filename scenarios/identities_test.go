package scenarios

import (
	"fmt"
	"math"
	"testing"

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
	}{{1, .0731}, {2, .1385}, {4, .2503}, {8, .4198}, {16, .6345}} {
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
		}
	}
	if paid != 2 || n != 3 {
		t.Errorf("%d uids of %d are paid at the end, expected 2 of 3: the one that was given up no longer answers", paid, n)
	}
	if len(network.Nodes[0].Hotkeys) != 5 {
		t.Errorf("the manifest names %d further hotkeys", len(network.Nodes[0].Hotkeys))
	}
}
