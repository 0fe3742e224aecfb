package agents

import (
	"taolab/model/pile"
	"taolab/sim/host"
)

// Combine is how an application makes one prediction of several answers.
type Combine uint8

// The combinations.
const (
	Best Combine = iota // the answer of the miner with the highest incentive that gave one
	Mean                // the mean of all answers' distributions
)

// ApplicationConfig is an application before its first event.
type ApplicationConfig struct {
	Index     uint32    // its node, in the order of run.json
	Mix       *pile.Mix // text its prompts come from (pile.Score)
	Vocab     int       // of the standard tokenizer
	Cols      int       // tokens of a prompt, sent with each request
	Tokens    int       // continuation tokens per session
	TopK      int       // tokens asked per position, at most Vocab/8
	Peers     int       // miners asked per token, best incentive first
	Combine   Combine
	Forced    bool      // the text goes on with the true token, not with the predicted one
	EveryNs   host.Time // mean time between sessions; arrivals are a Poisson process
	Sessions  int       // sessions open at once; arrivals beyond that are not begun. 0: 1
	TimeoutNs host.Time // of one request; 0: 12 s
}

// Application is a user of the network: it holds stake on a hotkey and asks miners to continue
// its prompts, token by token.
type Application struct {
	config ApplicationConfig
}

// NewApplication returns an application. Its config must be valid.
func NewApplication(c ApplicationConfig) *Application { return &Application{config: c} }

// Validate says what an application cannot work with.
func (c ApplicationConfig) Validate() error { return nil }

// Handle implements host.Agent.
func (a *Application) Handle(env host.Env, e host.Event) {}

// AppendState implements host.Agent.
func (a *Application) AppendState(b []byte) []byte { return b }

// RestoreState implements host.Agent.
func (a *Application) RestoreState(b []byte) error { return nil }
