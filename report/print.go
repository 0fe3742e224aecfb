package report

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
)

// Line is one line of the summary as a reader sees it.
type Line struct{ Label, Value string }

// Lines is the summary in short, for terminals and pages.
func (s *Summary) Lines() []Line {
	var out []Line
	add := func(label, format string, values ...any) {
		out = append(out, Line{label, fmt.Sprintf(format, values...)})
	}
	add("scenario", "%s, seed %d", s.Name, s.Seed)
	if s.Ending != "" {
		add("ending", "%s, after %d blocks", s.Ending, s.Blocks)
	}
	add("run digest", "%s", s.RunDigest)
	add("nodes", "%d miners, %d validators, %d applications", s.Miners, s.Validators, s.Applications)
	add("simulated", "%s in %d blocks and %d recorded epochs", duration(s.SimulatedSeconds), s.Blocks, s.Epochs)
	add("effort", "%s wall time, %s events, %.3g FLOP", duration(s.WallSeconds), count(s.Events), float64(s.FLOP))
	add("window", "%s: %d recorded epochs, blocks %d to %d", s.Window, s.Window.Epochs, s.Window.FromBlock, s.Window.UntilBlock)
	if l := s.Loss; l != nil {
		add("median held-out loss", "%s over miners, nats/token, from %s at first", l.Median, decimal(l.FirstMedian, 3))
		add("against", "base models %s, bigrams %s", known(l.Base), known(l.Bigram))
	}
	for _, c := range s.Correlations {
		add("Spearman, "+correlationGroup(c.Group), "%s, loss with incentive%s", c.Spearman.Interval, lastly(&c.Spearman, func(v float64) string { return decimal(v, 2) }))
	}
	for _, b := range s.Behaviours {
		ratio := ""
		if b.Ratio != nil && b.Behaviour != Honest {
			ratio = fmt.Sprintf(", %s of the honest median", b.Ratio.percents())
		}
		if b.PeerRatio != nil && b.Behaviour != Honest {
			ratio += fmt.Sprintf(", %s of honest miners with models of the same shape", percent(b.PeerRatio.Estimate))
		}
		add("incentive, "+b.Behaviour, "%.3f %% median of %d miners%s%s", 100*b.Incentive.Estimate, b.Miners, ratio,
			lastly(&b.Incentive, func(v float64) string { return fmt.Sprintf("%.3f %%", 100*v) }))
	}
	for _, r := range s.Copiers {
		if r.Behaviour != Honest && r.Whole != nil && r.Ratio != nil {
			add("earnings, "+r.Behaviour, "%s of honest validators’ per stake over the whole run; %s in the window%s", percent(*r.Whole),
				r.Ratio.percents(), lastly(r.Ratio, percent))
		}
	}
	if p := s.Supply; p != nil {
		add("supply", "%s", p)
	}
	s.trafficLines(add)
	for _, w := range s.Warnings {
		add("warning", "%s", w)
	}
	return out
}

func (s *Summary) trafficLines(add func(label, format string, values ...any)) {
	if q := s.Queries; q != nil {
		latency := ""
		if q.LatencyMedianS != nil {
			latency = fmt.Sprintf(", latency %s s (median), %s s (95 %%)", decimal(*q.LatencyMedianS, 3), decimal(*q.LatencyHighS, 3))
		}
		add("validators’ questions", "%s, %s answered, %s refused, %s without any answer%s", count(uint64(q.Count)),
			percent(q.Success), percent(q.Refused), percent(q.Unanswered), latency)
		if q.Loss != nil && q.WeightedLoss != nil {
			add("loss of answers", "%s nats/token, %s weighted by the gate", decimal(*q.Loss, 3),
				decimal(*q.WeightedLoss, 3))
		}
		add("longest unasked", "%s blocks", count(q.MaxGapBlocks))
	}
	if r := s.Routing; r != nil {
		add("routing loss", "%.4f in the first tenth, %.4f in the last", r.First, r.Last)
	}
	if b := s.Bias; b != nil {
		add("bias of scores", "mean score %s times the score of the mean loss (median of %d miners)", brief(b.Estimate), b.N)
	}
	if c := s.Choice; c != nil && c.Specialists != nil && c.Chance != nil {
		add("gate’s choice", "%s of the rows of subsets with specialists reach one, by chance %s", percent(*c.Specialists), percent(*c.Chance))
	}
	if u := s.Use; u != nil {
		admitted := ""
		if u.Admitted != nil {
			admitted = fmt.Sprintf(", %s admitted", percent(*u.Admitted))
		}
		add("applications’ requests", "%s%s, %s without any answer", count(uint64(u.Requests)), admitted, percent(u.Unanswered))
		if u.StakeLatency != nil {
			add("stake and latency", "Spearman %s", u.StakeLatency)
		}
		if u.StakeAdmission != nil {
			add("stake and admission", "Spearman %s", u.StakeAdmission)
		}
	}
	if c := s.Seats; c != nil && c.Changes > 0 {
		for _, g := range c.Groups {
			add("seats, "+g.Group, "%d came, %d were pruned, %d hold one at the end", g.Came, g.Went, g.Holds)
		}
	}
	for _, f := range s.Faults {
		add("faults, "+f.Kind, "%s", count(uint64(f.Count)))
	}
}

// lastly adds the value at the last epoch only.
func lastly(m *Measure, format func(float64) string) string {
	if m.Last == nil {
		return ""
	}
	return "; at the last epoch " + format(*m.Last)
}

func correlationGroup(group string) string {
	if group == "all" || group == Honest {
		return group
	}
	return Honest + " " + group
}

// String is the identity that all money fulfils.
func (p *SupplySummary) String() string {
	unbonding := "" // only where stake takes its time to leave
	if p.UnbondingRao > 0 {
		unbonding = " + unbonding " + count(p.UnbondingRao)
	}
	return fmt.Sprintf("minted %s = free %s + staked %s%s + pending %s + burned %s + dust %s + unallocated %s rao; "+
		"difference %s rao", count(p.MintedRao), count(p.FreeRao), count(p.StakedRao), unbonding, count(p.PendingRao),
		count(p.BurnedRao), count(p.DustRao), count(p.UnallocatedRao), signed(p.DifferenceRao))
}

// WriteTable prints the summary for a terminal.
func (s *Summary) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range s.Lines() {
		fmt.Fprintf(t, "%s\t%s\n", l.Label, l.Value)
	}
	fmt.Fprintln(t)
	if err := t.Flush(); err != nil {
		return err
	}
	if err := s.WriteGroups(w); err != nil {
		return err
	}
	if len(s.Dividends) > 0 {
		fmt.Fprintf(t, "\nvalidator\tgroup\tbehaviour\tstake (TAO)\tdividends\ttrust\tearned (TAO)\treturn\n")
	}
	for _, d := range s.Dividends {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.3f\t%s\t%.3f\t%.3f\t%s\n", d.Name, d.Group, d.Behaviour, tao(d.StakeRao),
			percent(d.Dividends), d.Trust, tao(d.EarnedRao), percent(d.Return))
	}
	return t.Flush()
}

// WriteGroups prints what the groups of the scenario came to.
func (s *Summary) WriteGroups(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(s.Groups) > 0 {
		fmt.Fprintf(t, "group\tkind\tmembers\tincentive of a member\tshare\tloss\t%s\n", s.Window.paid())
	}
	for _, g := range s.Groups {
		incentive, part, loss := "–", "–", "–"
		if g.Incentive != nil {
			incentive = g.Incentive.percents()
		}
		if g.Share != nil {
			part = percent(*g.Share)
		}
		if g.Loss != nil {
			loss = decimal(g.Loss.Estimate, 3)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%.3f\n", g.Group, g.Kind, g.Members, incentive, part, loss, tao(g.EarnedRao))
	}
	return t.Flush()
}

// percent is a share in percent; one that is not zero never reads as zero.
func percent(share float64) string {
	if 0 < share && share < 0.0005 {
		return "< 0.1 %"
	}
	return decimal(100*share, 1) + " %"
}

// known is a loss, or a dash where it was not measured.
func known(loss float64) string {
	if loss == 0 {
		return "–"
	}
	return decimal(loss, 3)
}

// count prints a whole number with narrow spaces between thousands, at which no line breaks.
func count(v uint64) string { return thousands(strconv.FormatUint(v, 10), "\u202f") }

func signed(v int64) string {
	if v < 0 {
		return "−" + count(uint64(-v))
	}
	return count(uint64(v))
}

// duration prints seconds in the unit that suits them.
func duration(seconds float64) string {
	switch {
	case seconds < 120:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 2*3600:
		return fmt.Sprintf("%.1f min", seconds/60)
	case seconds < 96*3600:
		return fmt.Sprintf("%.1f h", seconds/3600)
	case seconds < 1000*86400:
		return fmt.Sprintf("%.1f d", seconds/86400)
	default:
		return fmt.Sprintf("%.1f years", seconds/86400/365.25)
	}
}
