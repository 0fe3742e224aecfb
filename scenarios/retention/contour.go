package retention

import (
	"math"
	"slices"
)

// The map: utilities from a half to one, by the cabal's weights on itself.
const (
	points = 51
	// tolerance of a contour: seven halvings of its range of a half.
	tolerance = 0.004
)

// Utilities are the honest utilities of the map.
func Utilities() []float64 { return steps(0.5, 1) }

// Selves are the shares of its weights that a cabal gives itself in the map.
func Selves() []float64 { return steps(0, 1) }

func steps(low, high float64) []float64 {
	out := make([]float64, points)
	for i := range out {
		out[i] = low + float64((high-low)*(float64(i)/(points-1)))
	}
	return out
}

// Map is E_H at every point: by self-weight, then by utility.
func (n *Network) Map() [][]float64 {
	out := make([][]float64, 0, points)
	for _, self := range Selves() {
		row := make([]float64, 0, points)
		for _, utility := range Utilities() {
			row = append(row, n.Retained(utility, self))
		}
		out = append(out, row)
	}
	return out
}

// Contour is the least utility that retains a stake, to 0.004 and never below it, for each self-weight of the cabal;
// NaN where no utility does. Epochs counts the epochs that it took.
func (n *Network) Contour(stake float64) (contour []float64, epochs int) {
	for _, self := range Selves() {
		c := crossing{retained: func(utility float64) float64 { return n.Retained(utility, self) }, stake: stake}
		contour = append(contour, c.find())
		epochs += c.epochs
	}
	return contour, epochs
}

// Needed is the highest point of a contour; NaN where the contour has none.
func Needed(contour []float64) float64 { return slices.Max(contour) }

// crossing looks for the least utility that retains a stake.
type crossing struct {
	retained func(utility float64) float64
	stake    float64
	epochs   int
	seen     []sight
}

type sight struct{ utility, retained float64 }

func (c *crossing) holds(utility float64) bool {
	e := c.retained(utility)
	c.epochs++
	c.seen = append(c.seen, sight{utility, e})
	return e >= c.stake
}

// find bisects the range, since E_H rises with the utility. If its evaluations contradict that, it scans the whole
// range.
func (c *crossing) find() float64 {
	low, high := 0.5, 1.0
	if !c.holds(high) {
		return math.NaN()
	}
	for high-low > tolerance {
		if middle := (low + high) / 2; c.holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	if !c.rises() {
		return c.scan()
	}
	return high
}

// rises reports whether more utility never retained less, apart from rounding.
func (c *crossing) rises() bool {
	slices.SortFunc(c.seen, func(a, b sight) int {
		if a.utility < b.utility {
			return -1
		}
		return 1
	})
	for i := 1; i < len(c.seen); i++ {
		if c.seen[i].retained < c.seen[i-1].retained-1e-6 {
			return false
		}
	}
	return true
}

// scan takes the utility above the last one of a fine grid that does not retain the stake; 1 does.
func (c *crossing) scan() float64 {
	const parts = 128
	at := func(i int) float64 { return 0.5 + float64(0.5*(float64(i)/parts)) }
	for i := parts - 1; i >= 0; i-- {
		if !c.holds(at(i)) {
			return at(i + 1)
		}
	}
	return at(0)
}
