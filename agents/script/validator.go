package script

import (
	"fmt"

	"taolab/agents"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/host"
)

// Config holds the settings of a scripted validator.
type Config struct {
	Script      Script
	LeadBlocks  uint64 // blocks from the one that includes its weights to the epoch in which they count
	FirstEpoch  uint64 // in which its weights count
	LastEpoch   uint64 // after which it sets none
	EveryEpochs uint64 // period between two of those epochs
}

// Validate returns an error if the config is unusable.
func (c Config) Validate() error {
	switch {
	case c.Script == nil:
		return fmt.Errorf("scripted validator: no script")
	case c.EveryEpochs == 0:
		return fmt.Errorf("scripted validator: weights every 0 epochs, expected at least 1")
	}
	return nil
}

// due reports whether weights are to be set for an epoch.
func (c *Config) due(epoch uint64) bool {
	return epoch >= c.FirstEpoch && epoch <= c.LastEpoch && (epoch-c.FirstEpoch)%c.EveryEpochs == 0
}

// Validator sets the weights of its script, in time for each epoch, and asks nobody. A refused
// transaction waits for the next epoch. Under commit-reveal it commits and reveals.
type Validator struct {
	config  Config
	timer   host.TimerID
	commits agents.Commits
}

// New returns a scripted validator. It panics when the config is not valid.
func New(c Config) *Validator {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Validator{config: c}
}

// Handle implements host.Agent.
func (v *Validator) Handle(env host.Env, event host.Event) {
	v.commits.Handle(env, event)
	agents.Refuse(env, event)
	switch e := event.(type) {
	case host.Start:
		v.await(env)
	case host.Block:
		if e.ID != v.timer {
			return
		}
		if epoch := env.Chain().Epochs(); v.config.due(epoch) {
			v.setWeights(env, epoch)
		}
		v.await(env)
	}
}

// await sets the timer for the next epoch that can still be met.
func (v *Validator) await(env host.Env) {
	view := env.Chain()
	lead := v.config.LeadBlocks + 1 // the transaction goes into the block after the one that wakes it
	next, ok := view.EpochAfter(view.Height() + lead)
	if ok {
		v.timer = env.AtBlock(next-lead, 0)
	}
}

func (v *Validator) setWeights(env host.Env, epoch uint64) {
	self, view := env.Self(), env.Chain()
	row := v.config.Script.Row(epoch)
	if !self.HasUID || row == nil {
		return
	}
	uids, values := seated(view, row)
	params := view.Params()
	if params.CommitReveal {
		v.commits.Commit(env, uids, narrow(scaled(values, 65535)))
		return
	}
	limit := int64(65535)
	if params.Rule == consensus.Nakamoto {
		limit = 1<<32 - 1
	}
	env.Submit(host.Hotkey, chain.SetWeights{
		Version: params.WeightsVersion, UIDs: uids, Values: wide(scaled(values, limit)),
	})
}

// seated are the entries whose hotkey holds a uid.
func seated(view chain.View, row []Entry) (uids []uint16, values []int64) {
	uids, values = make([]uint16, 0, len(row)), make([]int64, 0, len(row))
	for _, entry := range row {
		if uid, ok := view.UIDOf(entry.Hotkey); ok && entry.Value >= 0 {
			uids, values = append(uids, uint16(uid)), append(values, entry.Value)
		}
	}
	return uids, values
}

// scaled scales weights down in proportion, rounding to nearest, if one exceeds the limit.
func scaled(values []int64, limit int64) []int64 {
	largest := limit
	for _, x := range values {
		largest = max(largest, x)
	}
	if largest == limit {
		return values
	}
	for i, x := range values {
		values[i] = share(x, limit, largest)
	}
	return values
}

// share is x*limit/largest, rounded to nearest.
func share(x, limit, largest int64) int64 {
	for largest >= 1<<31 { // the last bits of such numbers are below half a unit of the result
		x, largest = x>>1, largest>>1
	}
	return (x*limit + largest/2) / largest
}

func narrow(values []int64) []uint16 {
	list := make([]uint16, len(values))
	for i, x := range values {
		list[i] = uint16(x)
	}
	return list
}

func wide(values []int64) []uint32 {
	list := make([]uint32, len(values))
	for i, x := range values {
		list[i] = uint32(x)
	}
	return list
}

// AppendState implements host.Agent.
func (v *Validator) AppendState(b []byte) []byte {
	return v.commits.AppendState(state.AppendU64(state.Begin(b, "scripted validator"), uint64(v.timer)))
}

// RestoreState implements host.Agent. After an error the validator is as it was.
func (v *Validator) RestoreState(b []byte) error {
	c := state.Open("scripted validator", b)
	r := Validator{config: v.config, timer: host.TimerID(c.U64("timer"))}
	r.commits.Restore(c)
	if err := c.End(); err != nil {
		return err
	}
	if err := r.commits.Check(); err != nil {
		return fmt.Errorf("agents: state of a scripted validator: %w", err)
	}
	*v = r
	return nil
}
