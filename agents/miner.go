package agents

import (
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
)

// Behaviour is what a miner does with its model.
type Behaviour uint8

// The behaviours.
const (
	Honest Behaviour = iota // trains and serves
	Frozen                  // serves its base model as it is and never trains
	Random                  // answers with random tokens and probabilities, without any model
)

// Training is how an honest miner spends its compute unit between requests.
type Training struct {
	Mix       *pile.Mix // text it learns from (pile.Train); a specialist's mix favours some subsets
	Optimizer lm.AdamW
	Rows      int     // windows per step
	Cols      int     // tokens per window, at most the model's context
	Steps     int     // optimiser steps per visit
	Duty      float64 // share of its time spent training, 0 (never) to 1; after a visit of
	// duration d it rests d*(1-Duty)/Duty
}

// MinerConfig is a miner before its first event.
type MinerConfig struct {
	Behaviour Behaviour
	Base      *lm.Model // shared and read-only: an honest miner that trains clones it
	Training  Training  // ignored unless honest
	TopK      int       // most tokens it answers with per position; requests for more are invalid
	MaxRows   int       // largest request it serves
	MaxCols   int       // longest request it serves, at most the model's context
	Waiting   int       // requests that may wait for the compute unit; more are told Backoff

	Evaluation          *Evaluation // shared and read-only; nil: never measures itself
	EvaluateEveryBlocks uint64      // first measurement at its start; 0: that one only
}

// Miner trains a language model between requests and answers TextCausalLMNext and TextCausalLM.
type Miner struct {
	config MinerConfig
}

// NewMiner returns a miner. Its Config must be valid.
func NewMiner(c MinerConfig) *Miner { return &Miner{config: c} }

// Validate says what a miner cannot work with.
func (c MinerConfig) Validate() error { return nil }

// Handle implements host.Agent.
func (m *Miner) Handle(env host.Env, e host.Event) {}

// AppendState implements host.Agent.
func (m *Miner) AppendState(b []byte) []byte { return b }

// RestoreState implements host.Agent.
func (m *Miner) RestoreState(b []byte) error { return nil }
