package mind

import (
	"fmt"
	"math"

	"taolab/agents/state"
	"taolab/model/num"
	"taolab/sim/host"
)

// StudentConfig holds the settings of a mind that learns without a model.
type StudentConfig struct {
	Quality QualityConfig // at first
	Floor   float64       // loss that training approaches
	HalfH   float64       // hours of training on a subset that halve the distance to the floor
	ForgetH float64       // half-life in hours of what was learned; 0: nothing is forgotten
	Duty    float64       // share of its time that it trains at first
	Mix     []float64     // of its training at first, by subset
}

// Validate returns an error if the config is unusable.
func (c StudentConfig) Validate() error {
	if !(c.HalfH > 0) || !(c.ForgetH >= 0) || !(c.Floor >= 0) || !(c.Duty >= 0 && c.Duty <= 1) || len(c.Mix) != len(c.Quality.Losses) {
		return fmt.Errorf("learning quality: floor %g, halved in %g h, forgotten in %g h, duty %g, a mix of %d of %d subsets; expected no "+
			"negative number, more than 0 h, a duty up to 1 and a share for each", c.Floor, c.HalfH, c.ForgetH, c.Duty, len(c.Mix), len(c.Quality.Losses))
	}
	return c.Quality.Validate()
}

// Student is a Quality that improves on the subsets that it trains on, and forgets the others.
type Student struct {
	Quality
	config StudentConfig
	at     host.Time // up to which it has learned
	hours  []float64 // of training on each subset, less the forgotten ones
	duty   float64
	mix    []float64 // until at
	next   []float64 // from at on
}

// NewStudent returns a student. It panics when the config is not valid.
func NewStudent(c StudentConfig) *Student {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Student{
		Quality: NewQuality(c.Quality), config: c, duty: c.Duty, mix: shares(c.Mix), next: shares(c.Mix), hours: make([]float64, len(c.Mix)),
	}
}

// shares normalises weights to sum to 1.
func shares(weights []float64) []float64 {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	list := make([]float64, len(weights))
	for i, w := range weights {
		if sum > 0 {
			list[i] = w / sum
		}
	}
	return list
}

// SetMix implements Learner.
func (s *Student) SetMix(weights []float64) { s.next = shares(weights) }

// SetDuty implements Diligent.
func (s *Student) SetDuty(now host.Time, share float64) {
	if share != s.duty {
		s.learn(now)
		s.duty = share
	}
}

// Answer implements Server.
func (s *Student) Answer(env host.Env, question Question) (host.Job, []byte) {
	s.learn(env.Now())
	losses := make([]float64, len(s.hours))
	for i, hours := range s.hours {
		start := s.config.Quality.Losses[i]
		losses[i] = s.config.Floor + float64((start-s.config.Floor)*num.Pow(2, -hours/s.config.HalfH))
	}
	known := Quality{s.config.Quality}
	known.config.Losses = losses
	return known.Answer(env, question)
}

// learn accounts for the training up to now, and then adopts a mix that was set meanwhile.
func (s *Student) learn(now host.Time) {
	if now > s.at {
		hours := float64(now-s.at) / float64(host.Hour)
		kept, trained := 1.0, hours
		if s.config.ForgetH > 0 {
			kept = num.Pow(2, -hours/s.config.ForgetH)
			trained = float64((1-kept)*s.config.ForgetH) / math.Ln2
		}
		for i := range s.hours {
			s.hours[i] = float64(s.hours[i]*kept) + float64(float64(trained*s.duty)*s.mix[i])
		}
		s.at = now
	}
	s.mix = s.next
}

// slopes are by subset how much its loss falls for the next hour of training there.
func (s *Student) slopes(now host.Time) []float64 {
	s.learn(now)
	slopes := make([]float64, len(s.hours))
	for i, hours := range s.hours {
		left := float64((s.config.Quality.Losses[i] - s.config.Floor) * num.Pow(2, -hours/s.config.HalfH))
		slopes[i] = float64(left*math.Ln2) / s.config.HalfH
	}
	return slopes
}

// AppendState implements Server.
func (s *Student) AppendState(b []byte) []byte {
	b = state.AppendF64s(state.AppendU64(b, uint64(s.at)), s.hours)
	b = state.AppendF64s(state.AppendF64s(b, s.mix), s.next)
	return state.AppendF64(b, s.duty)
}

// Fresh implements Server.
func (s *Student) Fresh() Server { return NewStudent(s.config) }

// Restore implements Server.
func (s *Student) Restore(c *state.Cursor) {
	s.at = host.Time(c.U64("time of learning"))
	s.hours, s.mix, s.next = c.F64s("hours"), c.F64s("mix"), c.F64s("next mix")
	s.duty = c.F64("duty")
	if n := len(s.config.Mix); len(s.hours) != n || len(s.mix) != n || len(s.next) != n || !(s.duty >= 0 && s.duty <= 1) {
		c.Fail("%d hours, mixes of %d and %d, duty %g; expected %d of each, and 0 to 1", len(s.hours), len(s.mix), len(s.next), s.duty, n)
	}
}
