package mind

import (
	"fmt"

	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// Reflective is a Server that knows what it is asked and what training would bring it.
type Reflective interface {
	// Asked is how many rows it has answered, by subset.
	Asked() []float64
	// Slopes are by subset how much its held-out loss falls for each unit of training there, which is the same
	// for all subsets; false while it cannot know.
	Slopes(now host.Time) ([]float64, bool)
}

// WatchedConfig says how a mind watches itself.
type WatchedConfig struct {
	Subsets     int
	Rows        func(Question) []uint16 // the subset of each row of a question
	VisitTokens float64                 // that a training visit reads; unused by a mind that knows its slopes
}

// Validate returns an error if the config is unusable.
func (c WatchedConfig) Validate() error {
	if c.Subsets < 1 || c.Rows == nil {
		return fmt.Errorf("watched mind: %d subsets, and rows that are told apart: %t; expected at least 1, and true", c.Subsets, c.Rows != nil)
	}
	return nil
}

// Watched is a mind that counts what it is asked, and how its measured losses fall with what it trains.
type Watched struct {
	Server
	config  WatchedConfig
	mix     []float64 // that its owner told it
	asked   []float64 // rows, by subset
	trained []float64 // tokens, by subset
	at      []float64 // trained at the last measurement
	loss    []float64 // of the last measurement; shorter while subsets lack one
	slope   []float64
	known   bool // a measurement came after training
}

// NewWatched returns a mind that watches another. It panics when the config is not valid.
func NewWatched(inner Server, c WatchedConfig) *Watched {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	zeros := func() []float64 { return make([]float64, c.Subsets) }
	return &Watched{Server: inner, config: c, mix: zeros(), asked: zeros(), trained: zeros(), at: zeros(), slope: zeros()}
}

// StatedRows are the subsets of the rows of a question in a network without text, which states them.
func StatedRows(q Question) []uint16 { return q.(wire.StatedRequest).Subsets }

// Answer implements Server.
func (w *Watched) Answer(env host.Env, q Question) (host.Job, []byte) {
	for _, subset := range w.config.Rows(q) {
		w.asked[subset]++
	}
	return w.Server.Answer(env, q)
}

// Trained implements Server. The visit is taken to be of the newest mix, though it may have begun under the one before.
func (w *Watched) Trained(result []byte) {
	for subset, share := range w.mix {
		w.trained[subset] += float64(share * w.config.VisitTokens)
	}
	w.Server.Trained(result)
}

// Measured implements Server.
func (w *Watched) Measured(env host.Env, result []byte) {
	for subset, loss := range wire.DecodeFloats(result) {
		if subset == len(w.loss) {
			w.loss = append(w.loss, float64(loss))
		}
		if more := w.trained[subset] - w.at[subset]; more > 0 {
			w.slope[subset], w.known = (w.loss[subset]-float64(loss))/more, true
		}
		w.loss[subset], w.at[subset] = float64(loss), w.trained[subset]
	}
	w.Server.Measured(env, result)
}

// Asked implements Reflective.
func (w *Watched) Asked() []float64 { return w.asked }

// Slopes implements Reflective: those that the mind knows, else those between its last two measurements.
func (w *Watched) Slopes(now host.Time) ([]float64, bool) {
	if student, learns := w.Server.(*Student); learns {
		return student.slopes(now), true
	}
	return w.slope, w.known
}

// SetMix implements Learner.
func (w *Watched) SetMix(weights []float64) {
	w.mix = shares(weights)
	if l, learns := w.Server.(Learner); learns {
		l.SetMix(weights)
	}
}

// SetDuty implements Diligent.
func (w *Watched) SetDuty(now host.Time, share float64) {
	if d, learns := w.Server.(Diligent); learns {
		d.SetDuty(now, share)
	}
}

// AppendState implements Server.
func (w *Watched) AppendState(b []byte) []byte {
	b = w.Server.AppendState(b)
	for _, list := range [][]float64{w.asked, w.trained, w.at, w.loss, w.slope} {
		b = state.AppendF64s(b, list)
	}
	return state.AppendBool(b, w.known)
}

// Fresh implements Server.
func (w *Watched) Fresh() Server { return NewWatched(w.Server.Fresh(), w.config) }

// Restore implements Server.
func (w *Watched) Restore(c *state.Cursor) {
	w.Server.Restore(c)
	w.asked, w.trained, w.at = c.F64s("rows asked"), c.F64s("tokens trained"), c.F64s("tokens trained at the last measurement")
	w.loss, w.slope = c.F64s("measured losses"), c.F64s("slopes")
	w.known = c.Bool("slopes known")
	if n := w.config.Subsets; len(w.asked) != n || len(w.trained) != n || len(w.at) != n || len(w.slope) != n || len(w.loss) > n {
		c.Fail("counts of %d, %d, %d and %d subsets and losses of %d; expected %d each, and at most so many losses",
			len(w.asked), len(w.trained), len(w.at), len(w.slope), len(w.loss), n)
	}
}
