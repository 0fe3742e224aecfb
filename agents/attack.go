package agents

import (
	"fmt"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// LazyConfig is a lazy validator before its first event.
type LazyConfig struct {
	EpochBlocks uint64      // blocks between its weight transactions
	Favour      []chain.Key // hotkeys that share its weight equally; empty: copies a row
}

// Validate says what a lazy validator cannot work with.
func (c LazyConfig) Validate() error {
	if c.EpochBlocks == 0 {
		return fmt.Errorf("lazy validator: an epoch of 0 blocks, expected at least 1")
	}
	return nil
}

// Lazy is a validator that asks nobody: it copies the newest weights of the validator with the
// highest stake, or favours a fixed handful. A refused transaction waits for the next epoch.
type Lazy struct {
	config LazyConfig
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
	switch event.(type) {
	case host.Block:
		l.setWeights(env)
	case host.Incoming:
		refuse(env, event)
		return
	case host.Start:
	default:
		return
	}
	env.AtBlock(env.Chain().Height()+l.config.EpochBlocks, 0)
}

// refuse answers a request that the agent does not serve.
func refuse(env host.Env, event host.Event) {
	if e, ok := event.(host.Incoming); ok {
		env.Reply(e.Call, host.Response{Code: host.NotImplemented})
	}
}

func (l *Lazy) setWeights(env host.Env) {
	self, view := env.Self(), env.Chain()
	if !self.HasUID {
		return
	}
	msg := chain.SetWeights{Version: view.Params().WeightsVersion}
	for _, e := range l.row(view, self.UID) {
		if e.UID != self.UID {
			msg.UIDs, msg.Values = append(msg.UIDs, uint16(e.UID)), append(msg.Values, e.Weight)
		}
	}
	if len(msg.UIDs) > 0 {
		env.Submit(host.Hotkey, msg)
	}
}

func (l *Lazy) row(view chain.View, self chain.UID) []chain.WeightEntry {
	if len(l.config.Favour) == 0 {
		return richestRow(view, self)
	}
	var row []chain.WeightEntry
	for _, hotkey := range l.config.Favour {
		if uid, seated := view.UIDOf(hotkey); seated {
			row = append(row, chain.WeightEntry{UID: uid, Weight: 65535})
		}
	}
	return row
}

// richestRow is the weights of the validator with the highest stake, of equals the lowest uid;
// nil where nobody but self has set any.
func richestRow(view chain.View, self chain.UID) []chain.WeightEntry {
	var row []chain.WeightEntry
	var stakeRao uint64
	for i := range view.N() {
		uid := chain.UID(i)
		if uid == self || !validates(view, uid) {
			continue
		}
		if s := view.Neuron(uid).StakeRao; row == nil || s > stakeRao {
			row, stakeRao = view.Weights(uid), s
		}
	}
	return row
}

// AppendState implements host.Agent. A lazy validator remembers nothing.
func (l *Lazy) AppendState(b []byte) []byte { return state.Begin(b, "lazy validator") }

// RestoreState implements host.Agent.
func (l *Lazy) RestoreState(b []byte) error { return state.Open("lazy validator", b).End() }
