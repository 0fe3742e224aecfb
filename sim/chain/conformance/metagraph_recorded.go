package conformance

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"taolab/sim/chain"
)

// Formats of recorded networks. They have no keys or parameters: keys are placeholders, and parameters those of the era
// of the block. One has cases of its epochs, of which nothing counts here; the other has stakes and sums of money only.
const (
	recordedFormat = "metagraph-sn15/1"
	recordedEra    = "2025-01"
	snapshotFormat = "nakamoto-snapshot/1"
	snapshotEra    = "nakamoto-2022-10"
)

// readRecorded reads the network of a recorded file.
func (m *metagraph) readRecorded(root *object) {
	root.notes("source", "tolerance", "missing", "netuid", "block", "n", "runs", "count")
	initial := m.object(root.need("common_initial"))
	root.end()
	m.g.Height = m.unsigned(initial.need("block"), 1<<40)
	stakes := m.numbers(initial, "stakes", maxNeurons)
	m.recordedParams(recordedEra, len(stakes))
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
		m.recordedNeuron(uid, stake, chain.GenesisRecord{
			RegisteredAt: registered[uid], LastUpdate: updated[uid], Permit: permits[uid], Active: true,
		})
	}
	m.readRows(initial, "weights", func(r *chain.GenesisRecord) any { return &r.Weights })
	m.readRows(initial, "bonds", func(r *chain.GenesisRecord) any { return &r.Bonds })
	initial.end()
	if !slices.Contains(permits, true) { // an epoch has yet to give them
		m.missing["permit"] = len(stakes)
	}
	m.fillNeurons()
	m.readMoney(root)
}

// readSnapshot reads stakes by uid, and the free money of all accounts, which one placeholder gets.
func (m *metagraph) readSnapshot(root *object) {
	root.notes("source", "tolerance", "uids", "coldkeys_with_stake", "total_stake_rao", "free_balance_accounts", "total_rao",
		"coldkey_stake_top20_rao", "check", "count")
	m.g.Height = m.unsigned(root.need("block"), 1<<40)
	stakes := m.numbers(root, "stake_rao_by_uid", maxNeurons)
	free := m.unsigned(root.need("total_free_balance_rao"), 1<<63)
	root.end()
	if m.err != nil {
		return
	}
	m.recordedParams(snapshotEra, len(stakes))
	for uid, stake := range stakes {
		m.recordedNeuron(uid, stake, chain.GenesisRecord{RegisteredAt: m.oldEnough(), LastUpdate: m.g.Height, Active: true})
	}
	for _, name := range []string{"registered_at", "last_update", "permit", "weights", "bonds"} {
		m.missing[name] = len(stakes)
	}
	if free > 0 {
		m.g.Balances = []chain.Balance{{Coldkey: sha256.Sum256([]byte("taolab recorded money")), FreeRao: free}}
		m.fill("balances", 1, "a placeholder that has the free money of all accounts")
	}
	m.fillNeurons()
	m.readMoney(root)
}

// recordedParams are those of the era of the block, for so many uids.
func (m *metagraph) recordedParams(era string, uids int) {
	p, err := chain.Era(era)
	if err != nil {
		panic(err) // Eras names it
	}
	m.g.Params = p.Scaled(uids)
	m.fill("era", 1, "%s, that of the block", era)
	m.fill("neurons.hotkey", uids, "a placeholder for each, for which nobody can sign")
	m.missing["coldkey"], m.missing["active"] = uids, uids
}

// recordedNeuron adds a neuron with placeholders for its keys.
func (m *metagraph) recordedNeuron(uid int, stakeRao uint64, r chain.GenesisRecord) {
	hotkey := chain.Key(sha256.Sum256(fmt.Appendf(nil, "taolab recorded hotkey\x00%d", uid)))
	m.g.Neurons = append(m.g.Neurons, chain.GenesisNeuron{Hotkey: hotkey, Coldkey: Placeholder(hotkey), StakeRao: stakeRao})
	m.g.Records = append(m.g.Records, r)
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
