package agents

import (
	"taolab/agents/state"
	"taolab/sim/host"
)

// Idle is a neuron that holds a seat and refuses all requests: a target for others' weights.
type Idle struct{}

// Handle implements host.Agent.
func (Idle) Handle(env host.Env, event host.Event) { Refuse(env, event) }

// AppendState implements host.Agent.
func (Idle) AppendState(b []byte) []byte { return state.Begin(b, "idle neuron") }

// RestoreState implements host.Agent.
func (Idle) RestoreState(b []byte) error { return state.Open("idle neuron", b).End() }
