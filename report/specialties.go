package report

import (
	"math"

	"taolab/sim/trace"
)

// SubsetLoss is the held-out loss of the miners on one subset, in nats/token.
type SubsetLoss struct {
	Subset string  `json:"subset"`
	First  float64 `json:"first"` // mean of the miners' first measurements of it
	Last   float64 `json:"last"`  // mean of their last
	Best   float64 `json:"best"`  // least of their last
}

// MixSummary is what owners made of the learning mixes of their miners.
type MixSummary struct {
	Miners  int     `json:"miners"`
	Largest float64 `json:"largest"` // mean over miners of the largest share in the last mix
	Topics  int     `json:"topics"`  // subsets that have the largest share of at least one miner
}

// learnedMix are the shares of a miner's last mix.
type learnedMix []struct {
	subset string
	share  float64
}

// addMixDecision takes the shares of learning mixes.
func (f *findings) addMixDecision(d trace.Decision) {
	if d.Subset == nil || d.Share == nil || f.seat[d.Node].miner == nil {
		return
	}
	m := f.seat[d.Node].miner
	f.mixCourse.reach(f.span.bin(d.Block), f.largestShares)
	f.apartCourse.reach(f.span.bin(d.Block), f.meanLargest)
	f.subset(*d.Subset)
	for i := range m.mix {
		if m.mix[i].subset == *d.Subset {
			m.mix[i].share = *d.Share
			return
		}
	}
	m.mix = append(m.mix, struct {
		subset string
		share  float64
	}{*d.Subset, *d.Share})
}

// mixes sums the last mixes up; nil where nobody decided on any.
func (f *findings) mixes() *MixSummary {
	var s MixSummary
	topics := make(map[string]bool)
	for _, m := range f.miners {
		if len(m.mix) == 0 {
			continue
		}
		largest := m.mix[0]
		for _, one := range m.mix {
			if one.share > largest.share {
				largest = one
			}
		}
		s.Miners++
		s.Largest += largest.share
		topics[largest.subset] = true
	}
	if s.Miners == 0 {
		return nil
	}
	s.Largest, s.Topics = s.Largest/float64(s.Miners), len(topics)
	return &s
}

// subsetLosses are those on each subset that a miner was measured on, in order of appearance.
func (f *findings) subsetLosses() []SubsetLoss {
	var list []SubsetLoss
	for i, name := range f.subsets {
		one, n := SubsetLoss{Subset: name, Best: math.Inf(1)}, 0.0
		for _, m := range f.miners {
			if i < len(m.held) && !math.IsNaN(m.held[i]) {
				n++
				one.First, one.Last, one.Best = one.First+m.heldFirst[i], one.Last+m.held[i], min(one.Best, m.held[i])
			}
		}
		if n > 0 {
			one.First, one.Last = one.First/n, one.Last/n
			list = append(list, one)
		}
	}
	return list
}

func (s *Summary) subsetMetrics(m *metrics) {
	best := 0.0
	for _, l := range s.SubsetLosses {
		m.add("loss.subset.{subset}.first", l.First, l.Subset)
		m.add("loss.subset.{subset}.last", l.Last, l.Subset)
		m.add("loss.subset.{subset}.best", l.Best, l.Subset)
		if l.First > 0 {
			m.add("loss.subset.{subset}.ratio", l.Last/l.First, l.Subset)
		}
		best += l.Best / float64(len(s.SubsetLosses))
	}
	if len(s.SubsetLosses) > 0 {
		m.add("loss.best", best)
	}
	if s.Mixes != nil {
		m.add("mix.largest.mean", s.Mixes.Largest)
		m.add("mix.topics", float64(s.Mixes.Topics))
	}
}
