package conformance

import (
	"slices"
	"strings"

	"taolab/sim/chain/consensus"
)

// operation is one operation of a case. Its fields are read from o.
type operation struct {
	name string
	do   func(n *network, o *object)
}

// common are the operations that cases of every chain have.
var common = []operation{
	{"advance", func(n *network, o *object) {
		at := o.need("blocks")
		blocks := n.unsigned(at, maxAmount)
		if blocks > maxAmount-n.in.Block {
			n.fail(at, "block %d + %d is beyond %d", n.in.Block, blocks, uint64(maxAmount))
			return
		}
		n.in.Block += blocks
	}},
	{"set_params", func(n *network, o *object) { n.params.read(n.object(o.need("params"))) }},
	{"set_weights", setWeights},
	{"add_stake", func(n *network, o *object) {
		uid, at := n.uid(o.need("uid")), o.need("amount")
		amount := n.amount(at)
		if n.err == nil {
			n.in.StakesRao[uid] += amount // both below 2^63
			n.checkStakes(at)
		}
	}},
}

// yumaOnly are the operations of the Yuma chains, besides common ones and epoch.
var yumaOnly = []operation{
	{"set_weights_many", setWeightsMany},
	{"set_self_weight_many", setSelfWeightMany},
	{"append_neuron", func(n *network, o *object) { n.addNeuron(o.at, n.amount(o.need("stake"))) }},
	{"replace_neuron", func(n *network, o *object) {
		uid, stake := n.uid(o.need("uid")), n.amount(o.need("stake"))
		if n.err == nil {
			n.replaceNeuron(o.at, uid, stake)
		}
	}},
	{"reset_bonds", func(n *network, o *object) {
		uid := n.uid(o.need("uid"))
		n.spend(o.at, n.visits())
		for i, row := range n.in.Bonds {
			n.in.Bonds[i] = slices.DeleteFunc(slices.Clone(row),
				func(b consensus.BondEntry) bool { return b.UID == uid })
		}
	}},
	{"commit_weights", func(n *network, o *object) {
		uid, block := n.uid(o.need("uid")), n.in.Block
		if at, ok := o.maybe("block"); ok {
			block = n.block(at)
		}
		if n.err == nil { // the earliest counts
			n.commits[uid] = min(n.commits[uid], block)
		}
	}},
}

// nakamotoOnly are the operations of the Nakamoto chain, besides common ones and step.
var nakamotoOnly = []operation{
	{"mark_pruned", func(n *network, o *object) {
		uid := n.uid(o.need("uid"))
		if n.err == nil {
			n.pruned[uid] = true
		}
	}},
}

// apply applies one of operations, or the one that runs the rule.
func (n *network) apply(at int, operations []operation, runs operation) {
	o := n.object(at)
	name := n.text(o.need("op"))
	defer o.end()
	if n.err != nil {
		return
	}
	for _, set := range [][]operation{operations, common, {runs}} {
		for _, op := range set {
			if op.name == name {
				op.do(n, o)
				return
			}
		}
	}
	if f, ok := strings.CutPrefix(name, "put_"); ok {
		n.put(o, f)
		return
	}
	n.fail(o.need("op"), "unknown operation %q", name)
}

// put overwrites a part of the state. The value is the only member besides op, uid and note; with a
// uid it is that neuron's, without it is everybody's, as in the initial state.
func (n *network) put(o *object, what string) {
	valueAt := none
	uidAt, one := o.maybe("uid")
	for i, used := range o.used {
		if !used && !o.isNote(i) {
			if valueAt != none {
				n.fail(o.values[i]-1, "unknown field: put_%s takes one value", what)
			}
			o.used[i], valueAt = true, o.values[i]
		}
	}
	if valueAt == none {
		n.fail(o.at, "no value: want a field %q", what)
		return
	}
	var uid consensus.UID
	if one {
		uid = n.uid(uidAt)
	}
	if n.err != nil {
		return
	}
	numbers := func(to []uint64) {
		if one {
			to[uid] = n.amount(valueAt)
			return
		}
		copy(to, n.perUID(valueAt, n.amount))
	}
	switch what {
	case "block":
		n.in.Block = n.block(valueAt)
	case "stake", "stakes":
		numbers(n.in.StakesRao)
		n.checkStakes(valueAt)
	case "last_update":
		numbers(n.in.LastUpdate)
	case "registered_at":
		numbers(n.in.RegisteredAt)
	case "permit", "permits", "validator_permit", "validator_permits":
		if one {
			n.in.Permits[uid] = n.bit(valueAt)
			return
		}
		n.loadPermits(valueAt)
	case "weights":
		if one {
			n.in.Weights[uid] = n.weightRow(valueAt)
			return
		}
		n.loadWeights(valueAt)
	case "bonds":
		if one {
			n.in.Bonds[uid] = n.bondRow(valueAt)
			return
		}
		n.loadBonds(valueAt)
	default:
		n.fail(o.need("op"), "unknown operation %q: put_ what?", "put_"+what)
	}
}

func (n *network) loadPermits(at int) {
	for i, v := range n.perUID(at, func(at int) uint64 { return fromBit(n.bit(at)) }) {
		n.in.Permits[i] = v == 1
	}
}

// loadWeights reads everybody's rows; a missing one is empty.
func (n *network) loadWeights(at int) {
	clear(n.in.Weights)
	n.rows(at, func(uid, row int) { n.in.Weights[uid] = n.weightRow(row) })
}

func (n *network) loadBonds(at int) {
	clear(n.in.Bonds)
	n.rows(at, func(uid, row int) { n.in.Bonds[uid] = n.bondRow(row) })
}

func setWeights(n *network, o *object) {
	uid := n.uid(o.need("uid"))
	uidsAt, storedAt := o.need("uids"), o.need("stored")
	uids := list(n.document, uidsAt, n.size(), n.uid)
	read := func(at int) uint64 { return n.unsigned(at, n.weights) }
	stored := list(n.document, storedAt, n.size(), read)
	if len(stored) != len(uids) {
		n.fail(storedAt, "%d values for %d uids", len(stored), len(uids))
	}
	n.distinct(uidsAt, uids)
	if at, ok := o.maybe("values"); ok {
		values := list(n.document, at, n.size(), read)
		if len(values) != len(uids) {
			n.fail(at, "%d values for %d uids", len(values), len(uids))
		}
		if n.err == nil {
			n.numbers(storedAt, func(k int) place { return inRow("stored", int(uid), k) },
				n.stored(values), read)
		}
	}
	if n.err == nil {
		n.setWeights(uid, weightEntries(uids, stored))
	}
}

func setWeightsMany(n *network, o *object) {
	targetsAt, storedAt := o.need("targets"), o.need("stored_each")
	uids := list(n.document, o.need("uids"), n.size(), n.uid)
	targets := list(n.document, targetsAt, n.size(), n.uid)
	n.distinct(targetsAt, targets)
	stored := n.unsigned(storedAt, n.weights)
	if at, ok := o.maybe("values_each"); ok && n.err == nil && len(targets) > 0 {
		value := n.unsigned(at, n.weights)
		same(n.comparison, storedAt, field("stored_each"), stored,
			n.stored(slices.Repeat([]uint64{value}, len(targets)))[0])
	}
	if n.err != nil {
		return
	}
	row := weightEntries(targets, slices.Repeat([]uint64{stored}, len(targets)))
	for _, uid := range uids {
		n.setWeights(uid, row)
	}
	n.checkSize(o.at)
}

func setSelfWeightMany(n *network, o *object) {
	value := n.unsigned(o.need("value"), n.weights)
	for _, uid := range list(n.document, o.need("uids"), n.size(), n.uid) {
		if n.err == nil {
			n.setWeights(uid, weightEntries([]consensus.UID{uid}, []uint64{value}))
		}
	}
}

func fromBit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
