package agents

import (
	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// climbing is the memory of an owner that follows the questions its node gets.
type climbing struct {
	asked []float64        // rows up to the last decision, by subset; none before the first
	worth []decide.Average // of training on each: rows asked since, times the slope of the loss
}

// climb moves the mix toward the subsets where training lowers the loss of what is asked most. It sees no
// pay: where all miners serve what they are asked, pay follows the questions.
func (o *Owner) climb(env host.Env, s *sight) {
	c, l, k := o.config.Learning, &o.learns, &o.learns.climbs
	if o.worker == nil || o.worker.Reflects() == nil {
		return
	}
	reflects := o.worker.Reflects()
	asked, before := reflects.Asked(), k.asked
	slopes, known := reflects.Slopes(env.Now())
	k.asked = append([]float64(nil), asked...)
	if len(before) == 0 {
		k.worth = make([]decide.Average, len(asked))
	}
	if len(before) == 0 || !known {
		return
	}
	l.welcome(c, s.view.Height(), func(subset int) bool { return asked[subset] > before[subset] })
	for subset, rows := range asked {
		k.worth[subset].Take(float64((rows-before[subset])*max(slopes[subset], 0)), o.config.Smoothing)
	}
	places := decide.Known(l.mix)
	mix, worth, mean := decide.Among(l.mix, places), make([]float64, len(places)), 0.0
	for i, subset := range places {
		worth[i] = k.worth[subset].Value
		mean += float64(mix[i] * worth[i])
	}
	c.Rule.Toward(mix, worth)
	decide.Back(l.mix, places, mix)
	for i, subset := range places {
		row := trace.Decision{Kind: "mix", Choice: "climb", Subset: trace.Some(c.Subsets[subset]), Share: trace.Some(mix[i])}
		if mean > 0 {
			row.Signal = trace.Some(worth[i] / mean)
		}
		o.record(env, s, row)
	}
}

func (k *climbing) append(b []byte) []byte {
	b = state.AppendF64s(b, k.asked)
	b = state.AppendU32(b, uint32(len(k.worth)))
	for _, a := range k.worth {
		b = appendAverage(b, a)
	}
	return b
}

func (k *climbing) restore(c *state.Cursor, subsets int) {
	k.asked = c.F64s("rows asked")
	for n := c.Count("worth of subsets", 9); n > 0; n-- {
		k.worth = append(k.worth, readAverage(c))
	}
	if n := len(k.asked); n != len(k.worth) || n != 0 && n != subsets {
		c.Fail("rows asked of %d subsets and the worth of %d; expected %d each, or none", n, len(k.worth), subsets)
	}
}
