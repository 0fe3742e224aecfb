package agents

import (
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/host"
)

// ValidatorConfig is a validator before its first event.
type ValidatorConfig struct {
	Era     string    // reference release whose rules it follows; "" is "3.4.2"
	Mix     *pile.Mix // text it scores on (pile.Score); its weights are the subsets it cares for
	Subsets []string  // names of the store's subsets, for its records
	Vocab   int       // of the standard tokenizer

	Rows      int       // rows of a batch
	Cols      int       // tokens sent per row; the next 8 stay here as the answer
	TopK      int       // phrases asked per row, at most Vocab/8
	Peers     int       // asked per step
	StepNs    host.Time // from the start of one step to the start of the next, at least
	TimeoutNs host.Time // of one question; 0: 12 s

	Routing Routing
	Targets Targets
	Gate    Gate
	Router  *lm.Router // shared and read-only: the validator clones it. One gate per uid
	SGD     lm.SGD     // of the router

	EpochBlocks   uint64  // E: an epoch ends after E blocks and all targets, or after 2E
	Alpha         float64 // of the zeroing averages; 0: 0.1
	Power         float64 // scaling-law power of the base score; 0: 0.5
	SynergyPower  float64 // of the synergy; 0: 0.5
	BytesPerToken float64 // of the standard tokenizer on the scoring corpus
}

// Validator asks miners, scores their answers, trains its routing model and sets weights.
type Validator struct {
	config ValidatorConfig
}

// NewValidator returns a validator. Its config must be valid.
func NewValidator(c ValidatorConfig) *Validator { return &Validator{config: c} }

// Validate says what a validator cannot work with.
func (c ValidatorConfig) Validate() error { return nil }

// Handle implements host.Agent.
func (v *Validator) Handle(env host.Env, e host.Event) {}

// AppendState implements host.Agent.
func (v *Validator) AppendState(b []byte) []byte { return b }

// RestoreState implements host.Agent.
func (v *Validator) RestoreState(b []byte) error { return nil }
