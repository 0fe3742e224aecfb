package conformance

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"taolab/sim/chain"
)

// recordedFormat is the format of a recorded network with cases of its epochs. As a metagraph only the
// network counts, which has no keys, balances or parameters: keys are placeholders, and parameters those of
// the era of its block.
const (
	recordedFormat = "metagraph-sn15/1"
	recordedEra    = "2025-01"
)

// readRecorded reads the network of a recorded file.
func (m *metagraph) readRecorded(root *object) {
	root.notes("source", "tolerance", "missing", "netuid", "block", "n", "runs", "count")
	initial := m.object(root.need("common_initial"))
	root.end()
	p, err := chain.Era(recordedEra)
	if err != nil {
		panic(err) // Eras names it
	}
	m.g.Height = m.unsigned(initial.need("block"), 1<<40)
	stakes := m.numbers(initial, "stakes", maxNeurons)
	p = p.Scaled(len(stakes))
	m.g.Params = p
	registered := m.numbers(initial, "registered_at", len(stakes))
	updated := m.numbers(initial, "last_update", len(stakes))
	permits := list(m.document, initial.need("validator_permit"), len(stakes), m.flag)
	if m.err == nil && (len(registered) != len(stakes) || len(updated) != len(stakes) || len(permits) != len(stakes)) {
		m.fail(initial.at, "%d stakes, %d registered_at, %d last_update, %d validator_permit: want one of each for a uid",
			len(stakes), len(registered), len(updated), len(permits))
	}
	if m.err != nil {
		return
	}
	for uid, stake := range stakes {
		hotkey := chain.Key(sha256.Sum256(fmt.Appendf(nil, "taolab recorded hotkey\x00%d", uid)))
		m.g.Neurons = append(m.g.Neurons, chain.GenesisNeuron{Hotkey: hotkey, Coldkey: Placeholder(hotkey), StakeRao: stake})
		m.g.Records = append(m.g.Records, chain.GenesisRecord{
			RegisteredAt: registered[uid], LastUpdate: updated[uid], Permit: permits[uid], Active: true,
		})
	}
	m.missing["coldkey"], m.missing["active"] = len(stakes), len(stakes)
	m.fill("era", 1, "%s, that of the block", recordedEra)
	m.fill("neurons.hotkey", len(stakes), "a placeholder for each, for which nobody can sign")
	m.readRows(initial, "weights", func(r *chain.GenesisRecord) any { return &r.Weights })
	m.readRows(initial, "bonds", func(r *chain.GenesisRecord) any { return &r.Bonds })
	initial.end()
	if !slices.Contains(permits, true) { // an epoch has yet to give them
		m.missing["permit"] = len(stakes)
	}
	m.fillNeurons()
	m.readMoney(root)
}

func (m *metagraph) numbers(o *object, name string, most int) []uint64 {
	return list(m.document, o.need(name), most, func(at int) uint64 { return m.unsigned(at, 1<<63) })
}

// readRows reads the rows of those uids that have one.
func (m *metagraph) readRows(o *object, name string, of func(*chain.GenesisRecord) any) {
	rows := m.object(o.need(name))
	for i, uid := range rows.names {
		n, err := strconv.ParseUint(uid, 10, 16)
		if err != nil || n >= uint64(len(m.g.Records)) {
			m.fail(rows.values[i], "%q: want a uid below %d", uid, len(m.g.Records))
			return
		}
		m.readPlain(rows.values[i], reflect.ValueOf(of(&m.g.Records[n])).Elem())
	}
	m.missing[name] = len(m.g.Records) - len(rows.names)
}
