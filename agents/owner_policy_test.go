package agents

import (
	"math"
	"slices"
	"testing"

	"taolab/agents/decide"
	"taolab/agents/mind"
	"taolab/agents/state"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// knowing is a node that says what it is asked and how its losses fall.
type knowing struct {
	told
	asked, slopes []float64
	known         bool
}

func (w *knowing) Reflects() mind.Reflective             { return w }
func (w *knowing) Asked() []float64                      { return w.asked }
func (w *knowing) Slopes(host.Time) ([]float64, bool)    { return w.slopes, w.known }
func (w *knowing) Handle(env host.Env, event host.Event) { w.told.Handle(env, event) }
func learningBy(by MixPolicy, start []float64) func(*OwnerConfig) { // of three subsets, the last of which comes later
	return func(c *OwnerConfig) {
		c.Smoothing = 1
		c.Learning = &Learning{
			Subsets: []string{"sea", "law", "math"}, Start: start, From: []uint64{0, 0, 900}, By: by,
			Rule: decide.MixRule{Rate: 0.5, Floor: 0.02}, Boost: 0.5, Periods: 10,
		}
	}
}

func TestAnOwnerWhoClimbsFollowsWhatItIsAskedAndHowItsLossesFall(t *testing.T) {
	mix := new([]float64)
	node := &knowing{told: told{mix: mix}, asked: []float64{10, 10, 0}, slopes: []float64{0.2, 0.1, 9}}
	o, env := moneyed(t, learningBy(ByGradient, []float64{0.5, 0.5, 0}))
	o.on, o.worker = true, node
	decided := func() { s := o.see(env); o.chooseLearning(env, &s) }
	decided()
	node.asked = []float64{20, 40, 0}
	if decided(); len(env.rows) != 0 || !slices.Equal(*mix, []float64{0.5, 0.5, 0}) {
		t.Errorf("mix %v and %d rows before a slope is known", *mix, len(env.rows))
	}
	node.asked, node.known = []float64{30, 80, 0}, true
	decided() // worth 10 rows of 0.2 and 40 of 0.1, mean 3: exponents -1/6 and 1/6
	if want := 1 / (1 + math.Exp(1.0/3)); math.Abs((*mix)[0]-want) > 1e-9 || math.Abs((*mix)[1]-1+want) > 1e-9 {
		t.Errorf("mix %v, want %g of the first subset", *mix, want)
	}
	if row, ok := env.rows[1].(trace.Decision); !ok || row.Choice != "climb" || math.Abs(*row.Signal-4.0/3) > 1e-9 {
		t.Errorf("row %+v, want a climb at 4/3 of the mean", env.rows[1])
	}
	before := slices.Clone(*mix)
	node.slopes, node.asked = []float64{-1, -0.1, 0}, []float64{40, 90, 0}
	if decided(); !slices.Equal(*mix, before) {
		t.Errorf("mix %v where training helps nowhere, it was %v", *mix, before)
	}
	o.config.Smoothing, node.slopes, node.asked = 0.5, []float64{-0.5, 0.1, 0}, []float64{50, 100, 0}
	decided() // the averages were 0 of both, and become 0, for training would harm, and half of 10 rows of 0.1
	if up, want := (*mix)[1]/(*mix)[0], before[1]/before[0]*math.Exp(0.5/before[1]); math.Abs(up/want-1) > 1e-9 {
		t.Errorf("shares are %v, want them at %g: what training harms counts as worth nothing", *mix, want)
	}
	if got := o.learns.climbs.worth[1].Value; math.Abs(got-0.5) > 1e-9 {
		t.Errorf("the average worth is %g, want 0.5", got)
	}
	node.asked = []float64{50, 100, 50}
	if decided(); (*mix)[2] != 0 {
		t.Errorf("mix %v: a subset is learned that is not there yet", *mix)
	}
	o.config.Learning.From[2] = 0
	node.asked = []float64{50, 100, 60}
	if decided(); (*mix)[2] == 0 {
		t.Errorf("mix %v: a subset that it is asked for is not learned", *mix)
	}
}

func TestAnOwnerWhoGamblesBoostsWhatRaisedItsIncome(t *testing.T) {
	mix := new([]float64)
	o, env := moneyed(t, learningBy(ByBandit, []float64{0.5, 0.5, 0}))
	o.on, o.worker = true, told{mix: mix}
	income, boosts := 100.0, [3]int{}
	for range 300 { // each boost of the second subset raises the income, each of the first lowers it
		s := o.see(env)
		s.incentive = income
		o.chooseLearning(env, &s)
		switch {
		case math.Abs((*mix)[0]-0.75) < 1e-9 && math.Abs((*mix)[1]-0.25) < 1e-9:
			boosts[0]++
			income--
		case math.Abs((*mix)[1]-0.75) < 1e-9 && math.Abs((*mix)[0]-0.25) < 1e-9:
			boosts[1]++
			income++
		default:
			t.Fatalf("mix %v, want a half more for one of two", *mix)
		}
	}
	if boosts[1] < 230 { // 14 % of its plays explore the other
		t.Errorf("boosts %v, want 230 of what pays", boosts)
	}
	o.config.Learning.From[2] = 0
	s := o.see(env)
	o.chooseLearning(env, &s)
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
	if p := o.learns.plays; !slices.EqualFunc(p.base, []float64{0.49, 0.49, 0.02}, near) || (*mix)[2] == 0 || !slices.Equal(p.bandit.Logs, []float64{0, 0, 0}) {
		t.Errorf("mix %v, base %v, weights %v: a subset more is another game", *mix, p.base, p.bandit.Logs)
	}
}

// The state of an owner's policy goes through bytes, and bytes that cannot be are refused.
func TestPoliciesOfLearningReadBackAndAreRefusedWhereTheyCannotBe(t *testing.T) {
	average := decide.Average{Value: 3, Known: true}
	fresh := func(by MixPolicy) *lessons {
		l := &lessons{mix: []float64{0.5, 0.25, 0.25}}
		if by == ByGradient {
			l.climbs = climbing{[]float64{1, 2, 3}, []decide.Average{average, {}, average}}
		} else {
			l.plays = playing{[]float64{0.2, 0.3, 0.5}, decide.Bandit{Logs: []float64{0, -1, -2}, Arm: 2}, decide.Rise{Before: 7, Begun: true, Size: average}}
		}
		return l
	}
	for _, c := range []struct {
		by    MixPolicy
		spoil func(*lessons)
	}{
		{ByGradient, nil}, {ByBandit, nil},
		{ByGradient, func(l *lessons) { l.climbs.asked = l.climbs.asked[:2] }},
		{ByGradient, func(l *lessons) { l.climbs.asked, l.climbs.worth = l.climbs.asked[:2], l.climbs.worth[:2] }},
		{ByBandit, func(l *lessons) { l.plays.bandit.Arm = 3 }},
		{ByBandit, func(l *lessons) { l.plays.base = l.plays.base[:2] }},
		{ByBandit, func(l *lessons) { l.plays.bandit.Logs[1] = math.NaN() }},
		{ByBandit, func(l *lessons) { l.plays.bandit.Logs[1] = math.Inf(-1) }},
		{ByBandit, func(l *lessons) { l.plays.base, l.plays.bandit.Logs = l.plays.base[:2], l.plays.bandit.Logs[:2] }},
	} {
		l, config := fresh(c.by), &Learning{Start: make([]float64, 3), By: c.by}
		if c.spoil != nil {
			c.spoil(l)
		}
		bytes := l.append(state.Begin(nil, "lessons"), config)
		read, cursor := new(lessons), state.Open("lessons", bytes)
		read.restore(cursor, config)
		err := cursor.End()
		if (err != nil) != (c.spoil != nil) {
			t.Errorf("policy %d: %v", c.by, err)
		}
		if err == nil && !slices.Equal(read.append(state.Begin(nil, "lessons"), config), bytes) {
			t.Errorf("policy %d: what was read is written otherwise", c.by)
		}
	}
}
