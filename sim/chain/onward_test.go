package chain

import (
	"slices"
	"testing"
)

// A genesis that goes on from a state has the money, the stakes and the neurons of it, and its next epochs pay
// the same.
func TestALedgerThatGoesOnFromAStatePaysAsTheStateDoes(t *testing.T) {
	for _, era := range []string{"finney-2023", "2026"} {
		params, err := Era(era)
		if err != nil {
			t.Fatal(err)
		}
		params = params.Scaled(6)
		params.TempoBlocks, params.MinAllowedWeights, params.MaxWeight, params.WeightsRateLimitBlocks = 10, 1, 65535, 0
		params.MaxValidators, params.StakeThresholdRao, params.ActivityCutoffBlocks, params.ActivityCutoffMilli = 2, 0, 1000, 0
		g := Genesis{ChainID: "onward", Params: params, Height: 5, Balances: []Balance{{Coldkey: Key{99}, FreeRao: 5e9}}}
		for i := range byte(6) {
			g.Neurons = append(g.Neurons, GenesisNeuron{Hotkey: Key{1, i}, Coldkey: Key{2, i}, StakeRao: uint64(100-10*int(i)) * 1e9})
			r := GenesisRecord{Permit: i < 2, Active: true, RegisteredAt: 1, LastUpdate: 4}
			if i < 2 {
				r.Weights = []WeightEntry{{UID: 3, Weight: 65535}, {UID: 4, Weight: 20000 * uint32(i+1)}}
			}
			g.Records = append(g.Records, r)
		}
		was, err := New(g)
		if err != nil {
			t.Fatal(err)
		}
		was.Advance(35)
		is, err := New(was.Onward())
		if err != nil {
			t.Fatal(err)
		}
		if a, b := was.Totals(), is.Totals(); a.Issuance != b.Issuance || a.Staked != b.Staked || a.Free != b.Free || a.Pending != b.Pending {
			t.Errorf("%s: money %+v, was %+v", era, b, a)
		}
		for uid := range UID(6) {
			if !slices.Equal(was.View().Bonds(uid), is.View().Bonds(uid)) || !slices.Equal(was.View().Weights(uid), is.View().Weights(uid)) {
				t.Errorf("%s: uid %d has other weights or bonds", era, uid)
			}
		}
		if len(was.View().Bonds(0)) == 0 {
			t.Errorf("%s: nobody has a bond, so that nothing is shown", era)
		}
		was.Advance(25)
		is.Advance(25)
		paid := uint64(0)
		for uid := range UID(6) {
			a, b := was.View().Neuron(uid), is.View().Neuron(uid)
			paid += a.EmissionRao
			if a.StakeRao != b.StakeRao || a.EmissionRao != b.EmissionRao || a.Incentive != b.Incentive {
				t.Errorf("%s: uid %d has %d rao and earns %d, was %d and %d", era, uid, b.StakeRao, b.EmissionRao, a.StakeRao, a.EmissionRao)
			}
		}
		if paid == 0 {
			t.Errorf("%s: nobody is paid, so that nothing is shown", era)
		}
	}
}

// A hotkey without a neuron keeps its owner where its owner's stake is gone.
func TestAHotkeyKeepsItsOwnerInALedgerThatGoesOn(t *testing.T) {
	delegate, empty, network := hots[5].key, hots[6].key, hots[7].key
	w := stage(t, 2, func(g *Genesis) {
		for _, k := range []Key{delegate, empty, network} {
			g.Stakes = append(g.Stakes, GenesisStake{Hotkey: k, Coldkey: colds[1].key, StakeRao: 7})
		}
		g.Stakes = append(g.Stakes, GenesisStake{Hotkey: delegate, Coldkey: colds[2].key, StakeRao: 5e9})
		g.Delegates = []GenesisDelegate{{Hotkey: delegate}, {Hotkey: empty}}
		g.Owner = network
	})
	for _, k := range []Key{delegate, empty, network} {
		w.do(colds[1], RemoveStake{k, 7})
	}
	is, err := New(w.s.Onward())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []Key{delegate, empty, network} {
		if owner := is.accounts.get(k).owner; owner != colds[1].key {
			t.Errorf("%s belongs to %s", k, owner)
		}
	}
	if v := is.View(); v.NominationOf(delegate, colds[2].key) != 5e9 || v.StakeOf(delegate) != 5e9 {
		t.Errorf("the nomination is %d rao of %d", v.NominationOf(delegate, colds[2].key), v.StakeOf(delegate))
	}
}
