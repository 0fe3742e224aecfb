package agents

import (
	"fmt"
	"testing"

	"taolab/agents/score"
	"taolab/model/num"
	"taolab/sim/host"
)

// stated is a job whose result is known.
type stated []byte

func (s stated) Work() int64              { return 7 }
func (s stated) Run(*host.Scratch) []byte { return s }

// someTerms are of three questions of the scoring lane and one of the service lane, with losses; the second
// answer cannot be decoded.
func someTerms() (terms, [][]float64) {
	era, _ := score.EraNamed(score.DefaultEra)
	t := terms{powers: era.Powers(1), questions: []question{
		{1, score.ScoringLane, 3}, {2, score.ScoringLane, 3}, {5, score.ScoringLane, 3}, {4, score.ServiceLane, 2},
	}}
	return t, [][]float64{{2, 4, 3}, nil, {4, 2, 3.5}, {3, 1}}
}

func TestAnAppraisalComesBackFromItsBytes(t *testing.T) {
	terms, losses := someTerms()
	want := terms.appraise(losses)
	if len(want.credits) != 2 || want.credits[1].UID != 5 || want.targets[1] != nil || len(want.targets[3]) != 2 {
		t.Fatalf("%+v: want credits of uids 1 and 5, and targets of all but the second answer", want)
	}
	b := want.append(beginAppraisal())
	if got, want := fmt.Sprintf("%+v", appraised(b, 4)), fmt.Sprintf("%+v", want); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for cut := range b {
		if got := appraised(b[:cut], 4); len(got.credits) > 0 || len(got.losses) != 4 || got.losses[0] != nil {
			t.Fatalf("%d of %d bytes: %+v, want nothing of four answers", cut, len(b), got)
		}
	}
}

func TestTheWorkOfAnAppraisalGrowsWithRowsAndPairs(t *testing.T) {
	terms, _ := someTerms()
	reading := stated(nil)
	work := appraiseAnswers{reading, terms}.Work()
	fewer := terms
	fewer.questions = terms.questions[1:]
	// The first of three in the scoring lane: two functions a row, four for its scores, and in each of two
	// pairs one a row and two for the score.
	if got, want := work-(appraiseAnswers{reading, fewer}).Work(), int64(functionFLOP*(2*3+4+2*(3+2))); got != want {
		t.Errorf("one question less saves %d FLOP, want %d", got, want)
	}
	if rest := work - terms.work(); rest != 7 {
		t.Errorf("%d FLOP apart from the appraisal, want those of the reading, 7", rest)
	}
}

func TestARowsTargetIsItsOwnWhereAGateIsAskedForEach(t *testing.T) {
	terms, _ := someTerms()
	losses := []float64{2, 4, 3}
	each := terms.targets(losses)
	terms.whole = true
	all := terms.targets(losses)
	want := float32(num.Exp(-(3 - score.Irreducible)))
	for i := range losses {
		if all[i] != want || (each[i] == want) != (losses[i] == 3) {
			t.Errorf("row %d: target %v by row and %v by batch, want %v for the batch", i, each[i], all[i], want)
		}
	}
}
