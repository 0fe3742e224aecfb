package decide

import (
	"math"

	"taolab/model/num"
)

// MixRule is how a learning mix moves.
type MixRule struct {
	Rate  float64 // of the exponent
	Floor float64 // least share of a subset
}

// Toward moves a mix toward what pays: a share grows by how much the subset's income per token trained there
// exceeds the mean, in units of that mean. Dividing by the mean keeps the loop's gain at Rate; both the
// exponent's bound and the floor by clipping matter for that.
func (r MixRule) Toward(mix, income []float64) {
	mean := 0.0
	for s, share := range mix {
		mean += float64(share * income[s])
	}
	if mean <= 0 {
		return // nothing pays: there is nothing to follow
	}
	for s := range mix {
		step := float64(r.Rate * (float64(income[s]/mean) - 1))
		mix[s] = float64(mix[s] * num.Exp(min(max(step, -1), 1)))
	}
	r.normalise(mix)
}

// normalise makes shares sum to 1 with none below the floor.
func (r MixRule) normalise(mix []float64) {
	floored := make([]bool, len(mix))
	for { // each turn floors a share more, or is the last
		free, sum := 1.0, 0.0
		for s, share := range mix {
			if floored[s] {
				free -= r.Floor
			} else {
				sum += share
			}
		}
		again := false
		for s := range mix {
			if !floored[s] && float64(mix[s]*free) < float64(r.Floor*sum) {
				mix[s], floored[s], again = r.Floor, true, true
			}
		}
		if again {
			continue
		}
		for s := range mix {
			if !floored[s] {
				mix[s] = float64(mix[s]*free) / sum
			}
		}
		return
	}
}

// Probe learns where its income rises from nothing but that income: it tries its mix a little to one side
// along a random direction for a while, then to the other side, and steps by what the difference says.
type Probe struct {
	Direction []float64 // of the newest try, each 1 or -1; none before the first
	Base      []float64 // the mix that it is about
	First     float64   // income of the first side
	Side      uint8     // 0: none is tried, 1: the first, 2: the second
}

// Next takes the income since the last call and returns the mix for the time until the next: Base times
// 1 + size along the direction, then 1 - size, and so on. Each step moves the logarithm of a share by the
// rule's rate times the relative difference of income over the relative difference of the share.
func (p *Probe) Next(r MixRule, mix []float64, income, size float64, stream *num.Stream) []float64 {
	switch p.Side {
	case 1:
		p.First, p.Side = income, 2
		return r.tried(p.Base, p.Direction, -size)
	case 2:
		if mean := (p.First + income) / 2; mean > 0 {
			slope := float64((p.First-income)/mean) / float64(2*size)
			for s, sign := range p.Direction {
				step := float64(r.Rate * float64(slope*sign))
				p.Base[s] = float64(p.Base[s] * num.Exp(min(max(step, -1), 1)))
			}
			r.normalise(p.Base)
		}
	default:
		p.Base = append([]float64(nil), mix...)
	}
	p.Direction, p.Side = make([]float64, len(mix)), 1
	for s := range p.Direction {
		p.Direction[s] = math.Copysign(1, stream.Float64()-0.5)
	}
	return r.tried(p.Base, p.Direction, size)
}

func (r MixRule) tried(base, direction []float64, size float64) []float64 {
	mix := make([]float64, len(base))
	for s := range mix {
		mix[s] = float64(base[s] * (1 + float64(size*direction[s])))
	}
	r.normalise(mix)
	return mix
}

// Even is a mix of equal shares.
func Even(n int) []float64 {
	mix := make([]float64, n)
	for s := range mix {
		mix[s] = 1 / float64(n)
	}
	return mix
}
