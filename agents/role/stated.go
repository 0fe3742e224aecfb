package role

import (
	"fmt"

	"taolab/agents/attack"
	"taolab/agents/mind"
	"taolab/agents/settings"
)

// Quality holds the settings of a miner's answers in a network without models.
type Quality struct {
	AnswerLoss   settings.Span `toml:"answer_loss" default:"4" unit:"nats/token" min:"0" max:"100" doc:"without models: mean loss of the members' answers per GPT-2-equivalent token; a pair is spread over the members"`
	AnswerLosses []float64     `toml:"answer_losses" unit:"nats/token" doc:"without models: instead, the loss on each subset of corpus.subsets, in that order"`
	AnswerSpread float64       `toml:"answer_spread" default:"0.2" unit:"nats/token" min:"0" max:"100" doc:"without models: standard deviation of a row's loss around it"`
	AnswerFloor  float64       `toml:"answer_floor" default:"2" unit:"nats/token" min:"0" max:"100" doc:"without models: loss that training approaches"`
	AnswerHalfH  float64       `toml:"answer_half_h" unit:"h" min:"0" max:"1e6" doc:"without models: hours of training on a subset that halve the distance of its loss to answer_floor; 0: miners do not learn"`
	ForgetH      float64       `toml:"forget_h" unit:"h" min:"0" max:"1e6" doc:"without models: half-life of what was learned; 0: nothing is forgotten"`
}

// checkQuality reports losses that do not fit the subsets.
func (q *Quality) checkQuality(path string, subsets int, report Report) {
	if len(q.AnswerLosses) > 0 && len(q.AnswerLosses) != subsets {
		report(path+".answer_losses", fmt.Sprintf("%d losses for %d subsets", len(q.AnswerLosses), subsets),
			"one for each of corpus.subsets", "or set answer_loss")
	}
	for _, loss := range q.AnswerLosses {
		if !(loss >= 0 && loss <= 100) {
			report(path+".answer_losses", fmt.Sprintf("%g", loss), "0 to 100", "")
		}
	}
}

// stated makes the minds that member i of n could have in a network without models: one of stated quality,
// and those that guess.
func (m *Maker) stated(g *Miner, i, n int) (attack.Minds, error) {
	losses, guesses := g.AnswerLosses, make([]float64, len(m.Stated.Names))
	for k := range guesses {
		guesses[k] = mind.GuessLoss
	}
	if len(losses) == 0 {
		losses = make([]float64, len(guesses))
		for k := range losses {
			losses[k] = g.AnswerLoss.At(i, n)
		}
	}
	own := mind.QualityConfig{Losses: losses, Spread: g.AnswerSpread, MaxRows: maxQuestionRows}
	guess := mind.QualityConfig{Losses: guesses, MaxRows: maxQuestionRows}
	mindOf := func(c mind.QualityConfig) func() mind.Server {
		return func() mind.Server { return mind.NewQuality(c) }
	}
	honest, err := mindOf(own), own.Validate()
	if g.AnswerHalfH > 0 && g.Acts().Trains {
		_, start, _ := m.learnable(g)
		c := mind.StudentConfig{Quality: own, Floor: g.AnswerFloor, HalfH: g.AnswerHalfH, ForgetH: g.ForgetH, Duty: g.Duty.At(i, n), Mix: start}
		honest, err = func() mind.Server { return mind.NewStudent(c) }, c.Validate()
		if g.Wants.climbs() {
			watched := mind.WatchedConfig{Subsets: len(m.Stated.Names), Rows: mind.StatedRows}
			honest = func() mind.Server { return mind.NewWatched(mind.NewStudent(c), watched) }
		}
	}
	// An untrained model guesses too.
	return attack.Minds{Honest: honest, Untrained: mindOf(guess), Random: mindOf(guess)}, err
}

// wanted returns the subsets of a reader: no name means all.
func (m *Maker) wanted(names []string, shares []float64) mind.Subsets {
	return mind.Subsets{Names: m.Stated.Names, Weights: weightsOf(m.Stated.Names, m.Stated.Weights, names, shares)}
}
