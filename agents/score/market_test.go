package score

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"taolab/model/num"
)

// someMarket is a market after a few hundred random questions.
func someMarket(uids, subsets int) *Market {
	m, s := new(Market), num.NewStream(1, "market")
	for range 400 {
		uid := uint16(s.IntN(uids))
		if s.IntN(5) == 0 {
			m.Silent(uid)
			continue
		}
		rows := 1 + s.IntN(6)
		losses, of := make([]float64, rows), make([]uint16, rows)
		for row := range rows {
			losses[row], of[row] = 1.7+4*s.Float64(), uint16(s.IntN(subsets))
		}
		m.Answered(uid, losses, of)
	}
	return m
}

var marketPowers = Powers{Base: 0.5, LossScale: 1.2}

func TestEachPotIsPaidInFullToThoseWhoServeIt(t *testing.T) {
	const uids, subsets = 9, 4
	m, demand := someMarket(uids, subsets), []float64{0.4, 0.3, 0.2, 0.1}
	pay := m.Pay(demand, slices.Repeat([]float64{1}, uids), marketPowers)
	for subset, pot := range demand {
		total := 0.0
		for uid := range uids {
			total += pay[uid*subsets+subset]
		}
		if math.Abs(total-pot) > 1e-12 {
			t.Errorf("the pot of subset %d holds %g, and %g were paid", subset, pot, total)
		}
	}
}

// A loss on one subset moves nobody's part of another pot: that is what tells the market from the mixture.
func TestAPotDoesNotDependOnOtherSubsets(t *testing.T) {
	m, demand, served := someMarket(6, 3), []float64{0.5, 0.3, 0.2}, slices.Repeat([]float64{1}, 6)
	before := m.Pay(demand, served, marketPowers)
	m.supplies[2].losses[1].Value *= 0.7
	moved := 0
	for i, after := range m.Pay(demand, served, marketPowers) {
		if after != before[i] && i%3 != 1 {
			t.Errorf("uid %d's part of pot %d went from %g to %g with a loss on subset 1", i/3, i%3, before[i], after)
		}
		if after != before[i] {
			moved++
		}
	}
	if moved != 6 {
		t.Errorf("%d parts of pot 1 moved, want all 6", moved)
	}
}

func TestTheMarketsBytesAreItsState(t *testing.T) {
	m := someMarket(9, 4)
	want, _ := m.AppendBinary(nil)
	var again Market
	if err := again.UnmarshalBinary(want); err != nil {
		t.Fatal(err)
	}
	if got, _ := again.AppendBinary(nil); !bytes.Equal(got, want) {
		t.Fatal("other bytes after a round trip")
	}
	for n := range want {
		if again.UnmarshalBinary(want[:n]) == nil {
			t.Fatalf("%d of %d bytes were taken", n, len(want))
		}
	}
	if again.UnmarshalBinary(append(slices.Clone(want), 0)) == nil {
		t.Error("a byte behind the end was taken")
	}
	nan := slices.Clone(want)
	for i := range 8 {
		nan[marketHeader+i] = 0xff
	}
	if again.UnmarshalBinary(nan) == nil {
		t.Error("an average that is not a number was taken")
	}
	if got, _ := again.AppendBinary(nil); !bytes.Equal(got, want) {
		t.Error("refused bytes changed the market")
	}
}

func FuzzMarketStateNeverPanics(f *testing.F) {
	seed, _ := someMarket(3, 2).AppendBinary(nil)
	f.Add(seed)
	f.Add([]byte{marketVersion, 255, 255, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Market
		if m.UnmarshalBinary(b) != nil {
			return
		}
		if again, _ := m.AppendBinary(nil); !bytes.Equal(again, b) {
			t.Errorf("% x came back as % x", b, again)
		}
	})
}
