package decide

import (
	"math"

	"taolab/model/num"
)

// Bandit chooses among arms of which it knows only the rewards of those that it played: EXP3, which assumes
// nothing about how rewards come about (Auer, Cesa-Bianchi, Freund, Schapire, SIAM J. Comput. 32, 2002).
type Bandit struct {
	Logs []float64 // logarithms of the arms' weights; the largest is 0
	Arm  int       // played last
}

// Exploration is the share of its plays that a bandit spreads over all arms alike, for so many plays in all.
func Exploration(arms int, plays uint64) float64 {
	k := float64(arms)
	return min(1, math.Sqrt(float64(k*num.Log(k))/float64((math.E-1)*float64(plays))))
}

// Chances are those with which it plays each arm.
func (b *Bandit) Chances(exploration float64) []float64 {
	chances, sum := make([]float64, len(b.Logs)), 0.0
	for a, log := range b.Logs {
		chances[a] = num.Exp(log)
		sum += chances[a]
	}
	for a, weight := range chances {
		chances[a] = float64((1-exploration)*weight)/sum + exploration/float64(len(chances))
	}
	return chances
}

// Play draws the next arm.
func (b *Bandit) Play(exploration float64, stream *num.Stream) int {
	sum := 0.0
	cumulative := b.Chances(exploration)
	for a, chance := range cumulative {
		sum += chance
		cumulative[a] = sum
	}
	b.Arm = stream.Pick(cumulative)
	return b.Arm
}

// Learn takes the reward, 0 to 1, of the arm played last. What is rarely played counts for more when it is.
func (b *Bandit) Learn(exploration, reward float64) {
	arms := float64(len(b.Logs))
	b.Logs[b.Arm] += float64(exploration*reward) / float64(b.Chances(exploration)[b.Arm]*arms)
	most := math.Inf(-1)
	for _, log := range b.Logs {
		most = max(most, log)
	}
	for a := range b.Logs { // weights grow for ever; only their ratios matter
		b.Logs[a] -= most
	}
}

// Rise turns an income into the reward of what was tried last.
type Rise struct {
	Before float64 // income at the last call
	Begun  bool    // there was one
	Size   Average // of the rises and falls so far
}

// Reward is by how much income rose since the last call, from 0 to 1: a half where it stayed, and the bounds
// where it moved by twice the usual size. The first income, and one that never moved, rewards nothing.
func (r *Rise) Reward(income, share float64) (reward float64, known bool) {
	rise := income - r.Before
	if r.Before, known = income, r.Begun; !known {
		r.Begun = true
		return 0, false
	}
	r.Size.Take(math.Abs(rise), share)
	if r.Size.Value == 0 {
		return 0, false
	}
	return min(max(0.5+rise/float64(4*r.Size.Value), 0), 1), true
}

// Boosted is a mix of which one subset gets a share more, and all the less in proportion.
func (r MixRule) Boosted(base []float64, subset int, share float64) []float64 {
	mix := make([]float64, len(base))
	for s := range mix {
		mix[s] = float64(base[s] * (1 - share))
	}
	mix[subset] += share
	r.normalise(mix)
	return mix
}
