package mind

import (
	"fmt"
	"math"

	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// GuessLoss is the loss of a uniform guess: the logarithm of GPT-2's 50,257 tokens, in nats.
const GuessLoss = 10.824905

// QualityConfig holds the settings of a mind of stated quality.
type QualityConfig struct {
	Losses  []float64 // mean loss on each of the run's subsets, nats per GPT-2-equivalent token
	Spread  float64   // standard deviation of a row's loss around it; no loss is below 0
	MaxRows int       // largest request it serves
}

// Validate returns an error if the config is unusable.
func (c QualityConfig) Validate() error {
	if len(c.Losses) == 0 || c.MaxRows < 1 || !(c.Spread >= 0 && c.Spread <= math.MaxFloat32) {
		return fmt.Errorf("stated quality: losses on %d subsets, spread %g, requests of at most %d rows; "+
			"expected at least 1 subset, a finite spread from 0 on, and 1 row", len(c.Losses), c.Spread, c.MaxRows)
	}
	for i, loss := range c.Losses {
		if !(loss >= 0 && loss <= math.MaxFloat32) {
			return fmt.Errorf("stated quality: loss %g on subset %d, expected a finite one from 0 on", loss, i)
		}
	}
	return nil
}

// Quality answers at once with the losses of its settings, without any model.
type Quality struct{ config QualityConfig }

// NewQuality returns a mind of stated quality. It panics when the config is not valid.
func NewQuality(c QualityConfig) Quality {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return Quality{c}
}

// Read implements Server.
func (q Quality) Read(r host.Request) (Question, host.Code) {
	if r.Dir != host.Forward || r.Synapse != host.StatedLoss {
		return nil, host.NotImplemented
	}
	asked, err := wire.DecodeStatedRequest(r.Body, len(q.config.Losses), q.config.MaxRows)
	if err != nil {
		return nil, host.InvalidRequest
	}
	return asked, host.Success
}

// Answer implements Server.
func (q Quality) Answer(env host.Env, question Question) (host.Job, []byte) {
	subsets := question.(wire.StatedRequest).Subsets
	losses := make([]float32, len(subsets))
	for i, subset := range subsets {
		loss := q.config.Losses[subset]
		if q.config.Spread > 0 {
			loss += float64(q.config.Spread * env.Rand("answers").Normal())
		}
		losses[i] = float32(min(max(loss, 0), math.MaxFloat32))
	}
	return nil, wire.EncodeStated(wire.StatedAnswer{Losses: losses})
}

// Train implements Server: it learns nothing.
func (Quality) Train(host.Env) host.Job { return nil }

// Trained implements Server.
func (Quality) Trained([]byte) {}

// Measure implements Server: its quality is stated, not measured.
func (Quality) Measure(host.Env) host.Job { return nil }

// Measured implements Server.
func (Quality) Measured(host.Env, []byte) {}

// AppendState implements Server: it remembers nothing.
func (Quality) AppendState(b []byte) []byte { return b }

// Fresh implements Server.
func (q Quality) Fresh() Server { return q }

// Restore implements Server.
func (Quality) Restore(*state.Cursor) {}
