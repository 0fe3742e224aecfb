package design

import (
	"fmt"
	"strconv"

	"taolab/model/num"
)

// MaxCompared limits the points of a hypercube that is chosen among several: each candidate compares all pairs.
const MaxCompared = 4096

const belowOne = 1 - 0x1p-53 // the greatest coordinate: sums of the last stratum may round up to 1

// LatinHypercube is a design with exactly one point in each of n equal strata of every key.
type LatinHypercube struct {
	Seed uint64
	Keys []string

	// Candidates is the number of hypercubes drawn; the one whose nearest two points are farthest apart is kept (the
	// first among equals). 0 and 1 take the first.
	Candidates int
}

// Points returns n points: coordinate j of point i is (perm_j(i) + u_ij)/n, both drawn from key j's stream.
func (l LatinHypercube) Points(n int) ([][]float64, error) {
	if err := checkSize(l.Keys, n); err != nil {
		return nil, err
	}
	if l.Candidates < 0 || l.Candidates > MaxCompared || l.Candidates > 1 && n > MaxCompared {
		return nil, fmt.Errorf("%d candidates of %d points: choosing among hypercubes takes at most %d of each",
			l.Candidates, n, MaxCompared)
	}
	chosen := l.farthest(n)
	points := rows(n, len(l.Keys))
	for j, key := range l.Keys {
		stream := l.stream(key, chosen)
		for i, rank := range stream.Perm(n) {
			points[i][j] = min((float64(rank)+stream.Float64())/float64(n), belowOne)
		}
	}
	return points, nil
}

// farthest returns the candidate whose nearest two points are farthest apart.
func (l LatinHypercube) farthest(n int) int {
	best, bestApart := 0, -1
	if l.Candidates < 2 {
		return best
	}
	for c := range l.Candidates {
		if apart := leastDistance(l.ranks(n, c), n); apart > bestApart {
			best, bestApart = c, apart
		}
	}
	return best
}

// stream is the random stream of a key's candidate.
func (l LatinHypercube) stream(key string, candidate int) *num.Stream {
	s := num.NewStream(l.Seed, "design/lhs/"+key)
	if candidate > 0 {
		s = s.Sub("candidate/" + strconv.Itoa(candidate))
	}
	return s
}

// ranks returns each key's stratum of every point.
func (l LatinHypercube) ranks(n, candidate int) [][]int {
	columns := make([][]int, len(l.Keys))
	for j, key := range l.Keys {
		columns[j] = l.stream(key, candidate).Perm(n)
	}
	return columns
}

// leastDistance is the square of the least distance between two of n points, measured in strata: exact, unlike a
// distance between coordinates. It is 0 for a single point.
func leastDistance(columns [][]int, n int) int {
	least := -1
	for i := range n {
		for k := range i {
			square := 0
			for _, ranks := range columns {
				d := ranks[i] - ranks[k]
				square += d * d
			}
			if least < 0 || square < least {
				least = square
			}
		}
	}
	return max(least, 0)
}
