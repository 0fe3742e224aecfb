package calibration

import (
	"context"
	"fmt"
	"math"
	"testing"

	"taolab/model/num"
	"taolab/sim/chain"
)

// drawn are stakes of a model: quantiles at random shares.
func drawnStakes(m stakeModel, n int, seed uint64) *Stakes {
	s := &Stakes{Seats: n, HoldOut: 0.2, Draws: 60, Seed: seed}
	stream := num.NewStream(seed, "stakes")
	for range n {
		s.Logs = append(s.Logs, m.quantile(stream.Float64()))
	}
	return s
}

// Of 20 intervals of 95 %, 16 or fewer hold the truth once in four hundred.
func TestKnownStakesLieInTheirIntervals(t *testing.T) {
	const seeds, least = 20, 16
	for _, m := range []stakeModel{
		{centre: 21, spread: 0.6, threshold: 23.5, tail: 0.10, exponent: 0.5},
		{centre: 20, spread: 0.4, threshold: 21.5, tail: 0.25, exponent: 1.2},
	} {
		var spread, exponent int
		for seed := range uint64(seeds) {
			r, err := drawnStakes(m, 1500, seed).Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if r.Spread.Low <= m.spread && m.spread <= r.Spread.High {
				spread++
			}
			if r.Exponent.Low <= m.exponent && m.exponent <= r.Exponent.High {
				exponent++
			}
			if r.Explained < 0.8 {
				t.Errorf("seed %d: %.3f of the stakes held out is explained", seed, r.Explained)
			}
		}
		t.Logf("%+v: spread %d, exponent %d of %d", m, spread, exponent, seeds)
		if spread < least || exponent < least {
			t.Errorf("%+v lies in %d and %d of %d intervals, expected at least %d", m, spread, exponent, seeds, least)
		}
	}
}

func TestQuantilesRiseThroughTheThreshold(t *testing.T) {
	m := stakeModel{centre: 2, spread: 1, threshold: 3, tail: 0.2, exponent: 0.7}
	before := math.Inf(-1)
	for i := range 1000 {
		q := m.quantile((float64(i) + 0.5) / 1000)
		if q < before || (q > m.threshold) != (i >= 800) {
			t.Fatalf("quantile %v at %d of 1000 after %v", q, i, before)
		}
		before = q
	}
}

func TestStakesThatTellNothingAreRefused(t *testing.T) {
	few := &Stakes{Logs: make([]float64, 49)}
	equal := &Stakes{Logs: make([]float64, 50)}
	if few.Check() == nil || equal.Check() == nil {
		t.Error("49 stakes, or 50 equal ones, were taken")
	}
}

func ExampleStakes() {
	g := &chain.Genesis{}
	for i := range 2000 { // half with 1 to 2 TAO, and a tail that falls with the power -1
		tao := 1 + float64(i)/1000
		if i >= 1000 {
			tao = 2 * 1000 / (2000.5 - float64(i))
		}
		g.Neurons = append(g.Neurons, chain.GenesisNeuron{StakeRao: uint64(tao * chain.RaoPerTAO)})
	}
	s := ReadStakes(g)
	s.HoldOut, s.Draws, s.Seed = 0.2, 40, 1
	r, err := s.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d holders, exponent %.1f\n", r.Holders, r.Exponent.Value)
	// Output:
	// 2000 holders, exponent 1.0
}
