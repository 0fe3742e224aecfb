package agents

import (
	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Learning is how an owner decides what its node learns, and for how much of its time.
type Learning struct {
	Subsets []string       // that the mix is of
	Start   []float64      // the mix at first
	From    []uint64       // height from which a subset may be learned; MaxUint64: never
	By      MixPolicy      // what the mix follows
	Rule    decide.MixRule // Rate 0: the mix stays
	Try     float64        // by what share the mix is moved to see whether that pays
	Boost   float64        // of a bandit: what the subset that it plays gets of the whole
	Periods uint64         // of a bandit: decisions that it expects to take
	Adapts  bool           // the duty follows what it brings
}

// MixPolicy is what a learning mix follows.
type MixPolicy uint8

// The policies.
const (
	ByIncome   MixPolicy = iota // its own income, as it changes when the mix is moved a little
	ByPay                       // what validators say that they pay
	ByGradient                  // what it is asked for, times what training there brings
	ByBandit                    // its own income, as it changes when one subset is boosted
)

// lessons is what an owner learned about learning.
type lessons struct {
	mix    []float64
	probe  decide.Probe
	effort decide.Effort
	climbs climbing
	plays  playing
}

// begin starts from the settings.
func (l *lessons) begin(c *Learning, duty float64) {
	if c == nil {
		return
	}
	l.mix = append([]float64(nil), c.Start...)
	l.effort.Quarters = uint8(float64(duty*4) + 0.5)
}

// chooseLearning moves mix and duty.
func (o *Owner) chooseLearning(env host.Env, s *sight) {
	c, l := o.config.Learning, &o.learns
	if c.Adapts {
		before := l.effort.Share()
		full, none := o.config.Costs.RaoPerHour(s.price, 1), o.config.Costs.RaoPerHour(s.price, 0)
		energy := float64((full - none) / 4 * s.epochHours)
		l.effort.Next(o.income.Value, energy, o.config.Smoothing)
		o.record(env, s, trace.Decision{
			Kind: "duty", Choice: direction(before, l.effort.Share()), IncomeRao: trace.Some(o.income.Value), CostRao: trace.Some(energy),
			Price: trace.Some(s.price), Share: trace.Some(l.effort.Share()), Signal: trace.Some(l.effort.Slope.Value),
		})
	}
	switch {
	case c.Rule.Rate == 0:
	case c.By == ByPay:
		o.askPay(env, s)
	case c.By == ByGradient:
		o.climb(env, s)
	case c.By == ByBandit:
		o.play(env, s)
	default:
		o.probeMix(env, s)
	}
	o.tell(env.Now())
}

// probeMix tries the mix to one side, or to the other and moves it.
func (o *Owner) probeMix(env host.Env, s *sight) {
	c, l := o.config.Learning, &o.learns
	l.welcome(c, s.view.Height(), func(int) bool { return true })
	if known := decide.Known(l.mix); len(known) > 1 {
		mix := l.probe.Next(c.Rule, decide.Among(l.mix, known), s.incentive, c.Try, env.Rand("decide/mix"))
		decide.Back(l.mix, known, mix)
		for i, share := range mix {
			o.record(env, s, trace.Decision{
				Kind: "mix", Choice: side(l.probe.Side), Subset: trace.Some(c.Subsets[known[i]]), Share: trace.Some(share),
				Signal: trace.Some(s.incentive),
			})
		}
	}
}

func direction(before, after float64) string {
	switch {
	case after > before:
		return "more"
	case after < before:
		return "less"
	}
	return "same"
}

func side(n uint8) string {
	if n == 1 {
		return "there"
	}
	return "back"
}

func (l *lessons) append(b []byte, config *Learning) []byte {
	b = state.AppendF64s(b, l.mix)
	b = state.AppendF64s(b, l.probe.Direction)
	b = state.AppendF64s(b, l.probe.Base)
	b = state.AppendF64(b, l.probe.First)
	b = append(b, l.probe.Side, l.effort.Quarters)
	b = state.AppendF64(b, l.effort.Before)
	b = state.AppendBool(state.AppendBool(b, l.effort.Up), l.effort.Begun)
	b = appendAverage(b, l.effort.Slope)
	switch {
	case config == nil:
	case config.By == ByGradient:
		b = l.climbs.append(b)
	case config.By == ByBandit:
		b = l.plays.append(b)
	}
	return b
}

func (l *lessons) restore(c *state.Cursor, config *Learning) {
	l.mix, l.probe.Direction, l.probe.Base = c.F64s("mix"), c.F64s("direction"), c.F64s("mix between tries")
	l.probe.First, l.probe.Side = c.F64("first income"), c.U8("side")
	l.effort.Quarters, l.effort.Before = c.U8("duty"), c.F64("income before")
	l.effort.Up, l.effort.Begun = c.Bool("duty rises"), c.Bool("duty moved")
	l.effort.Slope = readAverage(c)
	shares, known := 0, len(decide.Known(l.mix))
	if config != nil {
		shares = len(config.Start)
	}
	if base, signs := len(l.probe.Base), len(l.probe.Direction); len(l.mix) != shares || l.probe.Side > 0 && (base != known || signs != known) || l.effort.Quarters > 4 {
		c.Fail("a mix of %d shares about one of %d along %d, duty of %d quarters; expected %d shares, %d about both, 4 at most",
			len(l.mix), base, signs, l.effort.Quarters, shares, known)
	}
	switch {
	case config == nil:
	case config.By == ByGradient:
		l.climbs.restore(c, shares)
	case config.By == ByBandit:
		l.plays.restore(c, known)
	}
}
