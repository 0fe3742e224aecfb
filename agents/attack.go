package agents

import (
	"taolab/sim/chain"
	"taolab/sim/host"
)

// LazyConfig is a lazy validator before its first event.
type LazyConfig struct {
	EpochBlocks uint64      // blocks between its weight transactions
	Favour      []chain.UID // fixed handful that shares its weight; empty: copies a row
}

// Lazy is a validator that asks nobody: it copies the weights of the validator with the highest
// stake, or favours a fixed handful.
type Lazy struct {
	config LazyConfig
}

// NewLazy returns a lazy validator. Its config must be valid.
func NewLazy(c LazyConfig) *Lazy { return &Lazy{config: c} }

// Validate says what a lazy validator cannot work with.
func (c LazyConfig) Validate() error { return nil }

// Handle implements host.Agent.
func (l *Lazy) Handle(env host.Env, e host.Event) {}

// AppendState implements host.Agent.
func (l *Lazy) AppendState(b []byte) []byte { return b }

// RestoreState implements host.Agent.
func (l *Lazy) RestoreState(b []byte) error { return nil }
