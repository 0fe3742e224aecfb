package scenarios

import (
	"fmt"
	"strings"

	"taolab/agents/score"
	"taolab/model/base"
)

// validatorInForce lists the rules by which a group of validators asks and scores.
func (f *File) validatorInForce(name string, g *ValidatorGroup) []Setting {
	era, err := g.Era()
	if err != nil {
		panic("scenarios: a release that was validated is unknown: " + err.Error())
	}
	list := []Setting{
		{name + ": release", g.Release, averaging(era)},
		{name + ": powers", fmt.Sprintf("%g, synergy %g", era.Power, era.SynergyPower), fmt.Sprintf("alpha %g", g.Alpha)},
		{name + ": batch", g.Batch, batchNote(g)},
		{name + ": questions", fmt.Sprintf("%.1f per uid within immunity", f.questionsInImmunity(g)),
			fmt.Sprintf("of each member's scoring lane: %d of %d peers in each step of %g s, %d targets",
				g.Scored(f.targets(g), f.Time.BlockS), g.Peers, g.StepS, f.targets(g))},
		{name + ": inflation", inflation(era, g), "of base scores, by few rows; see inflation by rows"},
	}
	return append(list, f.routerInForce(name, g))
}

func averaging(era score.Era) string {
	if era.MeanLoss {
		return "the loss is averaged over a uid's answers before the power"
	}
	return "the power of each batch's loss is averaged"
}

func batchNote(g *ValidatorGroup) string {
	if g.Batch == "subset" {
		return "all rows of one subset: the miner best at one common subset is paid most, and the ranking is reversed; " +
			"with a PubMed-only miner the Spearman of loss with incentive was +0.65"
	}
	return "each row's subset is drawn by weight"
}

// targets is the number of uids that a validator of the group asks in turn, including newcomers.
func (sc *Scenario) targets(g *ValidatorGroup) int {
	n := 0
	for _, m := range sc.Miners {
		n += m.Count * m.Identities()
	}
	if g.Targets == "everyone" {
		for _, v := range sc.Validators {
			n += v.Count
		}
		n-- // no validator asks itself
	}
	return n
}

// questionsInImmunity is the number of times that one validator of the group scores a uid while the uid is
// immune.
func (f *File) questionsInImmunity(g *ValidatorGroup) float64 {
	p, err := f.Params()
	if err != nil {
		return 0
	}
	immuneS := float64(float64(min(p.ImmunityBlocks, f.BlockCount())) * f.Time.BlockS)
	return float64(float64(immuneS/g.StepS)*float64(g.Scored(f.targets(g), f.Time.BlockS))) / float64(max(f.targets(g), 1))
}

// The least numbers that make a ranking reliable.
const (
	leastQuestions = 10 // of one validator to a uid within immunity
	leastRows      = 16 // of a batch whose losses are not averaged before the power
)

// measuredInflation shows how few rows inflate the base score, measured on mixed rows at a power of 0.5:
// the mean score of a generalist, and the least and largest of specialists, as multiples of the mean
// loss's.
var measuredInflation = []struct {
	rows                       int
	generalist, least, largest string
}{
	{1, "105", "thousands", "thousands"}, {4, "29", "540", "540"}, {8, "10", "12", "62"}, {16, "3.3", "3", "3"},
	{32, "1.7", "1.5", "1.5"},
}

// inflationTable formats the whole measurement.
var inflationTable = func() string {
	var lines []string
	for _, m := range measuredInflation {
		lines = append(lines, fmt.Sprintf("%d: %s and %s", m.rows, m.generalist, span(m.least, m.largest)))
	}
	return "generalists and specialists, " + strings.Join(lines, ", ")
}()

// span formats a range.
func span(low, high string) string {
	if low == high {
		return low
	}
	return low + " to " + high
}

// inflation formats the table's line for a group's number of rows, or the two lines around it.
func inflation(era score.Era, g *ValidatorGroup) string {
	if era.MeanLoss {
		return "none"
	}
	below, above := -1, -1
	for i, m := range measuredInflation {
		if m.rows <= g.Rows {
			below = i
		}
		if m.rows >= g.Rows && above < 0 {
			above = i
		}
	}
	if above < 0 {
		return fmt.Sprintf("below %s times", measuredInflation[below].generalist)
	}
	many, few := measuredInflation[above], measuredInflation[below]
	return fmt.Sprintf("%s times for generalists, %s for specialists", span(many.generalist, few.generalist),
		span(many.least, few.largest))
}

// routerInForce describes a validator's routing model and its cost.
func (f *File) routerInForce(name string, g *ValidatorGroup) Setting {
	shape := g.RouterShape(f.Corpus.Vocab)
	cost := fmt.Sprintf("%.2g MFLOP in each step", float64(f.routerFLOP(g))/1e6)
	s := Setting{name + ": router", base.ShapeName(shape), "one score a batch for each uid, from random weights; " + cost}
	if g.Routing != "gated" {
		return s
	}
	s.Note = "a score for each row and uid, from random weights; " + cost
	if g.RouterBase {
		steps := float64(float64(f.Base.Steps) * float64(shape.TrainFLOP(f.Base.Rows, shape.Context)))
		s.Note = fmt.Sprintf("a score for each row and uid; begins at a base model of its shape, %d parameters, %d steps, %.2g GFLOP once; %s",
			shape.Params(), f.Base.Steps, steps/1e9, cost)
	}
	if !g.RouterLabels {
		s.Note += "; no second task, no table by subset"
	}
	return s
}

// Warnings lists the settings that make a run's rankings unreliable.
func (f *File) Warnings() []string {
	var list []string
	for i, g := range f.Validators {
		if !g.Acts().Asks {
			continue
		}
		era, err := g.Era()
		if err != nil {
			continue // reported when the scenario was read
		}
		key := fmt.Sprintf("validators[%d] (%s)", i, g.Name)
		if !era.MeanLoss && g.Rows < leastRows {
			list = append(list, fmt.Sprintf("%s: at %d rows a mean base score overstates that of the "+
				"mean loss %s; set rows to at least %d, or release = \"3.6.0\"",
				key, g.Rows, inflation(era, &g), leastRows))
		}
		if n := f.questionsInImmunity(&g); n < leastQuestions {
			list = append(list, fmt.Sprintf("%s: a uid is scored %.1f times within immunity; expected at least %d: lengthen chain.immunity_blocks, "+
				"shorten step_s, or raise the number of peers that are scored", key, n, leastQuestions))
		}
		list = append(list, f.late(key, &f.Validators[i])...)
	}
	return append(list, f.swings()...)
}
