package agents

import (
	"math"

	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// playing is the memory of an owner whose mix is a bandit's play.
type playing struct {
	base   []float64     // the mix without a boost, of the subsets that have a share; none before the first play
	bandit decide.Bandit // an arm for each of those
	rise   decide.Rise   // of its incentive
}

// play boosts one subset until the next decision, and learns from what the last boost brought.
func (o *Owner) play(env host.Env, s *sight) {
	c, l, p := o.config.Learning, &o.learns, &o.learns.plays
	if len(p.base) > 0 {
		decide.Back(l.mix, decide.Known(l.mix), p.base)
	}
	l.welcome(c, s.view.Height(), func(int) bool { return true })
	places := decide.Known(l.mix)
	if len(places) < 2 {
		return
	}
	if len(places) != len(p.base) { // a subset more is another game
		*p = playing{base: decide.Among(l.mix, places), bandit: decide.Bandit{Logs: make([]float64, len(places))}}
	}
	explores := decide.Exploration(len(places), c.Periods)
	if reward, known := p.rise.Reward(s.incentive, o.config.Smoothing); known {
		p.bandit.Learn(explores, reward)
	}
	arm := p.bandit.Play(explores, env.Rand("decide/mix"))
	mix, chances := c.Rule.Boosted(p.base, arm, c.Boost), p.bandit.Chances(explores)
	decide.Back(l.mix, places, mix)
	for i, subset := range places {
		choice := "rest"
		if i == arm {
			choice = "boost"
		}
		o.record(env, s, trace.Decision{
			Kind: "mix", Choice: choice, Subset: trace.Some(c.Subsets[subset]), Share: trace.Some(mix[i]), Signal: trace.Some(chances[i]),
		})
	}
}

func (p *playing) append(b []byte) []byte {
	b = state.AppendF64s(b, p.base)
	b = state.AppendF64s(b, p.bandit.Logs)
	b = state.AppendU32(b, uint32(p.bandit.Arm))
	b = state.AppendBool(state.AppendF64(b, p.rise.Before), p.rise.Begun)
	return appendAverage(b, p.rise.Size)
}

func (p *playing) restore(c *state.Cursor, known int) {
	p.base, p.bandit.Logs, p.bandit.Arm = c.F64s("mix without a boost"), c.F64s("weights of arms"), int(c.U32("arm"))
	p.rise.Before, p.rise.Begun = c.F64("income before"), c.Bool("income seen")
	p.rise.Size = readAverage(c)
	if n := len(p.base); n != len(p.bandit.Logs) || n != 0 && n != known || p.bandit.Arm >= max(n, 1) {
		c.Fail("a mix of %d, weights of %d arms of which %d was played; expected %d each, or none", n, len(p.bandit.Logs), p.bandit.Arm, known)
		return
	}
	for _, log := range p.bandit.Logs {
		if !(log <= 0) || math.IsInf(log, 0) {
			c.Fail("the logarithm of an arm's weight is %g, expected a finite one up to 0", log)
			return
		}
	}
}
