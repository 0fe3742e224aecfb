package conformance

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"

	"taolab/sim/chain"
	"taolab/sim/chain/emission"
)

// MetagraphFormat is the format of a network's state as others see it, from which a ledger can go on.
const MetagraphFormat = "taolab-metagraph/1"

// Filled is something that a metagraph does not say, and what stands in its place.
type Filled struct {
	Field string
	Count int    // of how many
	Value string // for people
}

// metagraph is what is read of a document.
type metagraph struct {
	*document
	g       chain.Genesis
	filled  []Filled
	missing map[string]int // by field of a neuron
}

// ReadMetagraph reads a network's state and makes the genesis that goes on from it. It says what was not
// there and had to be filled.
func ReadMetagraph(data []byte) (chain.Genesis, []Filled, error) {
	d, root, format, err := open(data, MetagraphFormat, recordedFormat, snapshotFormat)
	if err != nil {
		return chain.Genesis{}, nil, err
	}
	m := &metagraph{document: d, missing: map[string]int{}}
	m.g.ChainID = "imported"
	switch format {
	case recordedFormat:
		m.readRecorded(root)
		return m.g, m.filled, d.err
	case snapshotFormat:
		m.readSnapshot(root)
		return m.g, m.filled, d.err
	}
	m.optional(root, "chain_id", &m.g.ChainID)
	m.g.Height = d.unsigned(root.need("block"), 1<<40)
	m.readParams(root)
	m.readNeurons(root)
	m.optional(root, "nominations", &m.g.Stakes)
	m.optional(root, "delegates", &m.g.Delegates)
	m.optional(root, "balances", &m.g.Balances)
	m.optional(root, "operators", &m.g.Operators)
	m.optional(root, "owner", &m.g.Owner)
	m.optional(root, "governor", &m.g.Governor)
	m.optional(root, "council", &m.g.Council)
	m.optional(root, "threshold", &m.g.Threshold)
	m.optional(root, "burn_price_rao", &m.g.BurnPriceRao)
	m.readMoney(root)
	root.end()
	return m.g, m.filled, d.err
}

// optional reads a member that may be missing, and reports whether it is there.
func (m *metagraph) optional(o *object, name string, v any) bool {
	at, ok := o.maybe(name)
	if ok {
		m.readPlain(at, reflect.ValueOf(v).Elem())
	}
	return ok
}

func (m *metagraph) fill(field string, count int, format string, args ...any) {
	if count > 0 {
		m.filled = append(m.filled, Filled{field, count, fmt.Sprintf(format, args...)})
	}
}

func (m *metagraph) readParams(root *object) {
	at := root.need("era")
	p, err := chain.Era(m.text(at))
	if err != nil {
		m.fail(at, "%v", err)
		return
	}
	if at, ok := root.maybe("uids"); ok {
		p = p.Scaled(int(m.unsigned(at, 1<<16)))
	}
	m.g.Params = p
	if at, ok := root.maybe("params"); ok {
		m.overlay(at, reflect.ValueOf(&m.g.Params).Elem(), false)
		if err := m.g.Params.Validate(); err != nil {
			m.fail(at, "%v", err)
		}
	}
}

func (m *metagraph) readNeurons(root *object) {
	at := root.need("neurons")
	elements := m.elements(at, int(m.g.Params.MaxUIDs))
	for _, e := range elements {
		m.readNeuron(m.object(e))
	}
	m.fillNeurons()
}

// fillNeurons gives permits where they are missing, and notes what was.
func (m *metagraph) fillNeurons() {
	if m.missing["permit"] > 0 {
		m.permit()
	}
	p, n := &m.g.Params, m.missing
	m.fill("neurons.coldkey", n["coldkey"], "a placeholder for each, for which nobody can sign")
	m.fill("neurons.registered_at", n["registered_at"], "block %d, no longer immune", m.oldEnough())
	m.fill("neurons.last_update", n["last_update"], "block %d", m.g.Height)
	m.fill("neurons.permit", n["permit"], "the largest %d stakes", p.MaxValidators)
	m.fill("neurons.active", n["active"], "true")
	m.fill("neurons.weights", n["weights"], "none")
	m.fill("neurons.bonds", n["bonds"], "none: the first epoch makes them of the weights")
}

func (m *metagraph) readNeuron(o *object) {
	var n chain.GenesisNeuron
	r := chain.GenesisRecord{RegisteredAt: m.oldEnough(), LastUpdate: m.g.Height, Active: true}
	m.readPlain(o.need("hotkey"), reflect.ValueOf(&n.Hotkey).Elem())
	m.readPlain(o.need("stake_rao"), reflect.ValueOf(&n.StakeRao).Elem())
	n.Coldkey = Placeholder(n.Hotkey)
	for _, f := range []struct {
		name string
		to   any
	}{
		{"coldkey", &n.Coldkey}, {"registered_at", &r.RegisteredAt}, {"last_update", &r.LastUpdate},
		{"permit", &r.Permit}, {"active", &r.Active}, {"weights", &r.Weights}, {"bonds", &r.Bonds},
	} {
		if !m.optional(o, f.name, f.to) {
			m.missing[f.name]++
		}
	}
	m.optional(o, "axon", &r.Axon)
	m.optional(o, "ip", &r.IP)
	m.optional(o, "port", &r.Port)
	o.end()
	m.g.Neurons, m.g.Records = append(m.g.Neurons, n), append(m.g.Records, r)
}

// Placeholder is the coldkey that stands for that of a hotkey of which none is known. Nobody can sign for it.
func Placeholder(hotkey chain.Key) chain.Key {
	return sha256.Sum256(append([]byte("taolab placeholder\x00"), hotkey[:]...))
}

// oldEnough is a block of registration that does not protect from pruning.
func (m *metagraph) oldEnough() uint64 {
	return m.g.Height - min(m.g.Params.ImmunityBlocks+1, m.g.Height)
}

// permit gives a permit to the largest stakes, of equal ones to the higher uids, as an epoch does.
func (m *metagraph) permit() {
	var uids []int
	for i, n := range m.g.Neurons {
		if n.StakeRao > 0 {
			uids = append(uids, i)
		}
	}
	slices.SortFunc(uids, func(a, b int) int {
		return cmp.Or(cmp.Compare(m.g.Neurons[b].StakeRao, m.g.Neurons[a].StakeRao), b-a)
	})
	for _, i := range uids[:min(len(uids), int(m.g.Params.MaxValidators))] {
		m.g.Records[i].Permit = true
	}
}

// readMoney reads when the last epoch was, what waits since, and how much was issued.
func (m *metagraph) readMoney(root *object) {
	g, p := &m.g, &m.g.Params
	if m.err != nil {
		return
	}
	if !m.optional(root, "last_epoch", &g.LastEpoch) && p.TempoBlocks > 0 {
		wait := chain.BlocksToEpoch(p.EpochDue, p.TempoBlocks, g.Height-g.Height%p.TempoBlocks, g.Height)
		period := p.TempoBlocks
		if p.EpochDue == chain.DueByHeight {
			period++
		}
		g.LastEpoch = g.Height - min((period-wait%period)%period, g.Height)
		m.fill("last_epoch", 1, "block %d, by the length of an epoch", g.LastEpoch)
	}
	if !m.optional(root, "epochs", &g.Epochs) && g.LastEpoch > 0 {
		g.Epochs = max(g.LastEpoch/max(p.TempoBlocks, 1), 1)
		m.fill("epochs", 1, "%d, by the length of an epoch", g.Epochs)
	}
	here := g.MoneyRao()
	if here > p.CapRao {
		m.fail(0, "more money is here than the supply of %d rao", p.CapRao)
		return
	}
	issued, at := here, none
	if i, ok := root.maybe("issuance_rao"); ok {
		at, issued = i, m.unsigned(i, p.CapRao)
	} else {
		m.fill("issuance_rao", 1, "%d, the money that is here", here)
	}
	if !m.optional(root, "pending_rao", &g.PendingRao) {
		curve := emission.Curve{
			Rule: p.Emission, FlatRao: p.EmissionFlatRao, RewardRao: p.RewardRao, CapRao: p.CapRao,
			HalvingBlocks: p.HalvingBlocks,
		}
		reward, _ := curve.Next(g.Height, issued)
		blocks := g.Height - min(g.LastEpoch, g.Height)
		if reward > 0 && blocks > p.CapRao/reward {
			m.fail(0, "%d blocks since the last epoch are worth more than the supply: say last_epoch or pending_rao", blocks)
			return
		}
		g.PendingRao = reward * blocks
		m.fill("pending_rao", 1, "%d, the reward of %d blocks", g.PendingRao, blocks)
	}
	if g.PendingRao > p.CapRao-here {
		m.fail(0, "%d rao wait and %d are here: more than the supply of %d", g.PendingRao, here, p.CapRao)
		return
	}
	if at == none {
		return
	}
	if here += g.PendingRao; issued < here {
		m.fail(at, "%d rao were issued, and %d are here", issued, here)
		return
	}
	g.IssuanceOffsetRao = issued - here
}
