package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// String is the estimate with its interval, or with the number of things where they are too few for
// one.
func (v Interval) String() string {
	if v.Low == nil || v.High == nil {
		return fmt.Sprintf("%s (n = %d: too few for an interval)", decimal(v.Estimate, 2), v.N)
	}
	return fmt.Sprintf("%s (95 %% interval %s to %s, n = %d)", decimal(v.Estimate, 2), decimal(*v.Low, 2), decimal(*v.High, 2), v.N)
}

// percents is a share with its interval, in percent.
func (v Interval) percents() string {
	if v.Low == nil || v.High == nil {
		return percent(v.Estimate)
	}
	return fmt.Sprintf("%s (95 %% interval %s to %s)", percent(v.Estimate), percent(*v.Low), percent(*v.High))
}

// Verdict states the run's results in sentences, the most important first.
func (s *Summary) Verdict() []string {
	var out []string
	say := func(format string, values ...any) { out = append(out, fmt.Sprintf(format, values...)) }
	s.sayIncentive(say)
	s.sayValidators(say)
	if l := s.Loss; l != nil {
		sentence := fmt.Sprintf("The miners’ median held-out loss went from %s to %s nats per token", decimal(l.FirstMedian, 3),
			decimal(l.Median.Estimate, 3))
		if l.Base > 0 {
			sentence += fmt.Sprintf("; the models that they started from have %s", decimal(l.Base, 3))
		}
		say("%s.", sentence)
	}
	if c := s.Choice; c != nil && c.Specialists != nil && c.Chance != nil {
		say("The gates sent %s of the rows of subsets with specialists to one; a blind choice would give %s.",
			percent(*c.Specialists), percent(*c.Chance))
	}
	if b := s.Bias; b != nil && b.Estimate >= 1.5 {
		say("Scores overstate: a miner’s mean score is %s times the score of its mean loss (median of %d miners); more rows "+
			"in a question, or release 3.6.0, bring that down.", brief(b.Estimate), b.N)
	}
	if c := s.Seats; c != nil && c.Changes > 0 {
		var went []string
		for _, g := range c.Groups {
			if g.Went > 0 {
				went = append(went, fmt.Sprintf("%d of %s", g.Went, g.Group))
			}
		}
		say("Seats changed hands %s; pruned were %s.", times(c.Changes), strings.Join(went, ", "))
	}
	if p := s.Supply; p != nil && p.DifferenceRao == 0 {
		say("All minted money is accounted for, to the rao.")
	}
	return out
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// Judgement reports whether the scenario's expectations are met; it is empty where there are none.
func (s *Summary) Judgement() string {
	met, all := 0, len(s.Expectations)
	for _, v := range s.Expectations {
		if v.Met {
			met++
		}
	}
	switch {
	case all == 0:
		return ""
	case met == all:
		return fmt.Sprintf("All %d expectations of the scenario are met.", all)
	}
	return fmt.Sprintf("%d of %d expectations of the scenario are not met.", all-met, all)
}

func (s *Summary) sayIncentive(say func(string, ...any)) {
	for _, c := range s.Correlations {
		if c.Group != "all" {
			continue
		}
		word := "had little to do with who earned more"
		switch r := c.Spearman; {
		case r.High != nil && *r.High < 0:
			word = "earned more"
		case r.Low != nil && *r.Low > 0:
			word = "earned less"
		}
		say("Over %s, better models %s: Spearman’s correlation of held-out loss with incentive is %s.", s.Window, word, c.Spearman.Interval)
	}
	var ranked []GroupSummary
	for _, g := range s.Groups {
		if g.Incentive != nil {
			ranked = append(ranked, g)
		}
	}
	if len(ranked) < 2 {
		return
	}
	slices.SortStableFunc(ranked, func(a, b GroupSummary) int { return cmp.Compare(b.Incentive.Estimate, a.Incentive.Estimate) })
	best, worst := ranked[0], ranked[len(ranked)-1]
	say("Group %s earned most: %s of the incentive for each member; group %s least: %s.", best.Group, best.Incentive.percents(),
		worst.Group, worst.Incentive.percents())
}

func (s *Summary) sayValidators(say func(string, ...any)) {
	for _, r := range s.Copiers {
		if r.Behaviour == Honest || r.Whole == nil {
			continue
		}
		sentence := fmt.Sprintf("A validator of behaviour %s earned %s of an honest one’s return over the whole run", r.Behaviour, percent(*r.Whole))
		if r.Ratio != nil {
			sentence += fmt.Sprintf(", and %s of its earnings per stake over %s", r.Ratio.percents(), s.Window)
		}
		say("%s.", sentence)
	}
}
