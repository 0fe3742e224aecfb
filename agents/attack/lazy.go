package attack

import (
	"cmp"
	"fmt"
	"slices"

	"taolab/agents"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

var lazy = Behaviour{
	Kind: Validator, Name: "lazy", Doc: "asks nobody: it copies weights that the ledger shows, or favours a fixed handful",
}

// Copies is the source of a lazy validator's weights.
type Copies uint8

// The sources.
const (
	Richest   Copies = iota // the row of the validator with the highest stake
	Consensus               // the stake-weighted median of all public rows but its own
)

// maxLag bounds the rows that a lazy validator remembers.
const maxLag = 64

// LazyConfig holds the settings of a lazy validator.
type LazyConfig struct {
	EpochBlocks uint64 // blocks between its weight transactions
	LeadBlocks  uint64 // if not 0, it follows the ledger's epochs instead: blocks from its weights to each end
	Copies      Copies
	LagEpochs   int         // epochs of its own between reading weights and setting them
	Favour      []chain.Key // hotkeys that share its weight equally; empty: it copies
}

// Validate returns an error if the config is unusable.
func (c LazyConfig) Validate() error {
	switch {
	case c.EpochBlocks == 0:
		return fmt.Errorf("lazy validator: an epoch of 0 blocks, expected at least 1")
	case c.Copies > Consensus:
		return fmt.Errorf("lazy validator: source %d is unknown; use Richest or Consensus", c.Copies)
	case c.LagEpochs < 0 || c.LagEpochs > maxLag:
		return fmt.Errorf("lazy validator: a lag of %d epochs, expected 0 to %d", c.LagEpochs, maxLag)
	}
	return nil
}

// row holds weights that it has read. An empty row means that there was nothing to copy.
type row struct {
	uids   []uint16
	values []uint32
}

// Lazy is a validator that asks nobody: it copies weights from the ledger, or favours a few fixed hotkeys.
// Under commit-reveal it commits and reveals the weights that it saw. A refused transaction waits for the
// next epoch.
type Lazy struct {
	config  LazyConfig
	timer   host.TimerID
	seen    []row // oldest first, at most LagEpochs+1
	commits agents.Commits
}

// NewLazy returns a lazy validator. It panics when the config is not valid.
func NewLazy(c LazyConfig) *Lazy {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Lazy{config: c}
}

// Handle implements host.Agent.
func (l *Lazy) Handle(env host.Env, event host.Event) {
	l.commits.Handle(env, event)
	agents.Refuse(env, event)
	switch e := event.(type) {
	case host.Start:
		l.await(env)
	case host.Block:
		if e.ID == l.timer {
			l.setWeights(env)
			l.await(env)
		}
	}
}

func (l *Lazy) await(env host.Env) {
	view := env.Chain()
	if l.config.LeadBlocks == 0 {
		l.timer = env.AtBlock(view.Height()+l.config.EpochBlocks, 0)
		return
	}
	lead := l.config.LeadBlocks + 1 // the transaction goes into the block after the one that wakes it
	if next, ever := view.EpochAfter(view.Height() + lead); ever {
		l.timer = env.AtBlock(next-lead, 0)
	}
}

// setWeights reads the public weights and sets those that it read LagEpochs ago.
func (l *Lazy) setWeights(env host.Env) {
	self, view := env.Self(), env.Chain()
	if !self.HasUID {
		return
	}
	l.seen = append(l.seen, l.read(view, self.UID))
	if len(l.seen) <= l.config.LagEpochs {
		return
	}
	old := l.seen[0]
	l.seen = slices.Delete(l.seen, 0, 1)
	switch {
	case len(old.uids) == 0:
	case view.Params().CommitReveal:
		l.commits.Commit(env, old.uids, narrowed(old.values))
	default:
		env.Submit(host.Hotkey, chain.SetWeights{
			Version: view.Params().WeightsVersion, UIDs: old.uids, Values: old.values,
		})
	}
}

// narrowed converts weights to a commit's type: scaled so that the largest fits and none becomes zero.
func narrowed(values []uint32) []uint16 {
	largest := uint64(max(slices.Max(values), 65535))
	narrow := make([]uint16, len(values))
	for i, v := range values {
		if v > 0 {
			narrow[i] = uint16(max(uint64(v)*65535/largest, 1))
		}
	}
	return narrow
}

// read is the row that it would set without a lag, itself excluded.
func (l *Lazy) read(view chain.View, self chain.UID) (r row) {
	add := func(uid chain.UID, weight uint32) {
		if uid != self {
			r.uids, r.values = append(r.uids, uint16(uid)), append(r.values, weight)
		}
	}
	switch {
	case len(l.config.Favour) > 0:
		for _, hotkey := range l.config.Favour {
			if uid, seated := view.UIDOf(hotkey); seated {
				add(uid, 65535)
			}
		}
	case l.config.Copies == Consensus:
		for uid, weight := range median(view, self) {
			if weight > 0 {
				add(chain.UID(uid), weight)
			}
		}
	default:
		for _, e := range richestRow(view, self) {
			add(e.UID, e.Weight)
		}
	}
	return r
}

// richestRow is the row of the validator with the highest stake, ties go to the lowest uid; nil where only
// self has set weights.
func richestRow(view chain.View, self chain.UID) []chain.WeightEntry {
	var row []chain.WeightEntry
	var stakeRao uint64
	for i := range view.N() {
		uid := chain.UID(i)
		if uid == self || !agents.Validates(view, uid) {
			continue
		}
		if s := view.Neuron(uid).StakeRao; row == nil || s > stakeRao {
			row, stakeRao = view.Weights(uid), s
		}
	}
	return row
}

// vote is a validator's weight on a uid, in 2^-32 of its row.
type vote struct{ parts, stakeRao uint64 }

// median is for each uid the highest weight that validators with kappa of the stake support, scaled so
// that the largest is 65535; nil where only self has set weights.
func median(view chain.View, self chain.UID) []uint32 {
	votes := make([][]vote, view.N())
	var stakeRao uint64
	for i := range view.N() {
		uid := chain.UID(i)
		if uid == self || !agents.Validates(view, uid) {
			continue
		}
		entries, sum := view.Weights(uid), uint64(0)
		for _, e := range entries {
			sum += uint64(e.Weight)
		}
		own := view.Neuron(uid).StakeRao
		stakeRao += own
		for _, e := range entries {
			if sum > 0 {
				votes[e.UID] = append(votes[e.UID], vote{uint64(e.Weight) << 32 / sum, own})
			}
		}
	}
	parts, most := make([]uint64, len(votes)), uint64(0)
	for uid := range votes {
		parts[uid] = highest(votes[uid], stakeRao, view.Params().Kappa)
		most = max(most, parts[uid])
	}
	if most == 0 {
		return nil
	}
	weights := make([]uint32, len(parts))
	for uid, p := range parts {
		weights[uid] = uint32(p * 65535 / most)
	}
	return weights
}

// highest is the largest vote that has kappa of the stake at it or above; 0 if all votes together have
// less. Kappa is in 1/65535.
func highest(votes []vote, stakeRao uint64, kappa uint16) uint64 {
	// Kappa of the stake, without overflow: stakes are at most the supply, 2^55.
	enough := stakeRao/65535*uint64(kappa) + stakeRao%65535*uint64(kappa)/65535
	slices.SortFunc(votes, func(a, b vote) int { return cmp.Compare(b.parts, a.parts) })
	behind := uint64(0)
	for _, v := range votes {
		behind += v.stakeRao
		if behind >= enough {
			return v.parts
		}
	}
	return 0
}

// AppendState implements host.Agent.
func (l *Lazy) AppendState(b []byte) []byte {
	b = state.AppendU64(state.Begin(b, "lazy validator"), uint64(l.timer))
	b = state.AppendU32(b, uint32(len(l.seen)))
	for _, r := range l.seen {
		b = state.AppendU16s(b, r.uids)
		for _, v := range r.values {
			b = state.AppendU32(b, v)
		}
	}
	return l.commits.AppendState(b)
}

// RestoreState implements host.Agent. After an error the lazy validator is as it was.
func (l *Lazy) RestoreState(b []byte) error {
	c := state.Open("lazy validator", b)
	r := Lazy{config: l.config, timer: host.TimerID(c.U64("timer"))}
	n := c.Count("rows", 4)
	if n > l.config.LagEpochs+1 {
		c.Fail("%d rows, expected at most %d", n, l.config.LagEpochs+1)
	}
	for range n {
		seen := row{uids: c.U16s("uids")}
		for range seen.uids {
			seen.values = append(seen.values, c.U32("weight"))
		}
		r.seen = append(r.seen, seen)
	}
	r.commits.Restore(c)
	if err := c.End(); err != nil {
		return err
	}
	if err := r.commits.Check(); err != nil {
		return fmt.Errorf("agents: state of a lazy validator: %w", err)
	}
	*l = r
	return nil
}
