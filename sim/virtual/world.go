package virtual

import (
	"context"

	"taolab/sim/chain"
	"taolab/sim/host"
)

// World is a network in virtual time.
type World struct {
	cfg Config
}

// Progress is how far a run has come.
type Progress struct {
	Now    host.Time // virtual time
	Height uint64    // blocks
	Blocks uint64    // blocks of the whole run
	Events uint64    // events processed
	FLOP   int64     // work of delivered jobs
}

// New makes the world at time 0.
func New(cfg Config) (*World, error) { return nil, nil }

// Run lets time pass until the last block. When ctx ends first, it returns ctx's error between two
// events, and may be called again to go on.
func (w *World) Run(ctx context.Context) error { return nil }

// Progress may be called from any goroutine while Run runs.
func (w *World) Progress() Progress { return Progress{} }

// Digest is the hash of all that has happened so far: every processed event and the ledger
// digests.
func (w *World) Digest() chain.Digest { return chain.Digest{} }

// RoundTrip waits for running jobs, keeps their results, and sends every agent's state through
// bytes into a fresh agent. It may be called before, between and after calls of Run.
func (w *World) RoundTrip() error { return nil }

// Chain is the ledger after the newest block.
func (w *World) Chain() chain.View { return chain.View{} }

// Agent is the agent of node i, in the order of the config.
func (w *World) Agent(i int) host.Agent { return nil }
