package score

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"taolab/model/num"
)

// plainMeans remembers every target and computes the means as the comment of Targets defines
// them.
type plainMeans map[[3]int][]float64 // by uid, lane and subset, the newest last

func (p plainMeans) sum(uid, subset int) (sum, rows float64) {
	for lane := range 2 {
		list := p[[3]int{uid, lane, subset}]
		mean := 0.0
		for i, x := range list {
			mean += (x - mean) / math.Min(float64(i+1), 100)
		}
		n := math.Min(float64(len(list)), 100)
		sum, rows = sum+n*mean, rows+n
	}
	return sum, rows
}

func (p plainMeans) target(uid, subset, uids, subsets int) float64 {
	all, rows, own, ownRows := 0.0, 0.0, 0.0, 0.0
	for u := range uids {
		for s := range subsets {
			sum, n := p.sum(u, s)
			all, rows = all+sum, rows+n
			if u == uid {
				own, ownRows = own+sum, ownRows+n
			}
		}
	}
	overall := 0.5
	if rows > 0 {
		overall = all / rows
	}
	mean := (own + 8*overall) / (ownRows + 8)
	sum, n := p.sum(uid, subset)
	return (sum + 4*mean) / (n + 4)
}

func TestTargetsShrinkTowardTheUIDsMeanAndThatTowardAll(t *testing.T) {
	const uids, subsets = 5, 3
	table, twin := NewSubsetMeans(subsets, ServiceLane, 4), plainMeans{}
	s := num.NewStream(1, "targets")
	for turn := range 3000 {
		if turn%500 == 0 {
			for i, got := range table.Targets(uids) {
				want := twin.target(i/subsets, i%subsets, uids, subsets)
				if math.Abs(float64(got)-want) > 1e-5 {
					t.Fatalf("after %d rows uid %d has %v on subset %d, want %v", turn, i/subsets, got, i%subsets, want)
				}
			}
		}
		uid, lane, subset := s.IntN(uids-1), s.IntN(2), s.IntN(subsets) // the last uid is never asked
		target := s.Float64()
		if turn%7 == 0 {
			lane, target = 1, 0
			table.Observe(uint16(uid), ServiceLane, subset, 0)
		} else {
			table.Observe(uint16(uid), Lane(lane), subset, float32(target))
		}
		key := [3]int{uid, lane, subset}
		twin[key] = append(twin[key], target)
	}
}

// A table that gains a subset later equals one that had it from the beginning.
func TestAddedSubsetsLeaveTheMeansWhereTheyWere(t *testing.T) {
	late, early, s := NewSubsetMeans(2, ServiceLane, 4), NewSubsetMeans(5, ServiceLane, 4), num.NewStream(3, "rows")
	for turn := range 600 {
		if turn == 300 {
			late.AddSubsets(3)
		}
		uid, lane, subset, target := uint16(s.IntN(6)), Lane(s.IntN(2)), s.IntN(2+turn/300*3), float32(s.Float64())
		late.Observe(uid, lane, subset, target)
		early.Observe(uid, lane, subset, target)
	}
	a, _ := late.AppendBinary(nil)
	b, _ := early.AppendBinary(nil)
	if !bytes.Equal(a, b) {
		t.Error("the tables differ")
	}
}

func TestAMeanReachesBackAHundredRows(t *testing.T) {
	table := NewSubsetMeans(1, ScoringLane, 4)
	for range 1000 {
		table.Observe(2, ScoringLane, 0, 0.9)
	}
	for range 100 {
		table.Observe(2, ScoringLane, 0, 0.1)
	}
	got, want := table.At(2, ScoringLane, 0), 0.1+0.8*math.Pow(0.99, 100)
	if got.Rows != 1100 || math.Abs(float64(got.Target)-want) > 1e-4 {
		t.Errorf("a hundred rows later: %+v, want 1,100 rows and a mean of %v", got, want)
	}
}

func TestAMeanIsOfItsUIDLaneAndSubset(t *testing.T) {
	table := NewSubsetMeans(2, ServiceLane, 4)
	table.Observe(1, ServiceLane, 1, 0.8)
	table.Observe(1, ServiceLane, 1, 0)
	if got, want := table.At(1, ServiceLane, 1), (SubsetMean{Rows: 2, Target: 0.4}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := table.At(1, ScoringLane, 1); got != (SubsetMean{}) {
		t.Errorf("the other lane holds %+v", got)
	}
	table.Observe(0, ScoringLane, 0, 0.5)
	table.Forget(1)
	if table.At(1, ServiceLane, 1) != (SubsetMean{}) || table.At(0, ScoringLane, 0).Rows != 1 {
		t.Error("forgetting a uid clears it and nobody else")
	}
	table.Forget(9)
}

func TestCountsStopWhereTheirRoomEnds(t *testing.T) {
	table := NewSubsetMeans(1, ScoringLane, 4)
	for range math.MaxUint16 + 10 {
		table.Observe(0, ScoringLane, 0, 0.5)
	}
	if got := table.At(0, ScoringLane, 0); got.Rows != math.MaxUint16 || got.Target != 0.5 {
		t.Errorf("%+v", got)
	}
}

func FuzzSubsetMeansUnmarshal(f *testing.F) {
	table := NewSubsetMeans(2, ServiceLane, 4)
	table.Observe(1, ServiceLane, 1, 0.8)
	b, _ := table.AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{subsetsVersion, 2, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		read := NewSubsetMeans(1, ScoringLane, 4)
		before, _ := read.AppendBinary(nil)
		err := read.UnmarshalBinary(b)
		again, _ := read.AppendBinary(nil)
		if err != nil {
			if !bytes.Equal(again, before) {
				t.Fatal("a refused table changed the means")
			}
			return
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("% x became % x", b, again)
		}
	})
}

func TestTheScoreLosesTheUnansweredShareOfService(t *testing.T) {
	key := [32]byte{1}
	for _, c := range []struct {
		name   string
		served []int // rows of each request of the service lane, negative where it stays unanswered
		want   float64
	}{
		{"never asked", nil, 0},
		{"all answered", []int{4, 9}, 0},
		{"none answered", []int{-4, -9}, 1},
		{"half the rows", []int{5, -5}, 5 / 9.5},
		{"a small one missed", []int{9, -1}, 1 / 9.1},
		{"missed long ago", []int{-5, 5, 5, 5}, 5 * 0.729 / (5 * (1 + 0.9 + 0.81 + 0.729))},
	} {
		a := Averages{Alpha: 0.1}
		a.Answered(key, Credit{UID: 1, Base: 10}, 0, 0)
		for _, rows := range c.served {
			a.Served(1, key, max(rows, -rows), rows > 0)
		}
		e := a.Entry(1)
		if got := e.Unanswered(); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v unanswered, want %v", c.name, got, c.want)
		}
		if got, want := e.Weight(), 1*(1-c.want); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: weighs %v, want %v", c.name, got, want)
		}
	}
}

func TestSynergyNeedsRowsInCommon(t *testing.T) {
	losses := func(first float64) []float64 { return append(slices.Repeat([]float64{3}, 6), first, 5-first) }
	answers := []Answer{{1, losses(1)}, {2, losses(4)}}
	p := Powers{Base: 0.5, Synergy: 0.5, LossScale: 1}
	for _, c := range []struct {
		least int
		has   bool
	}{{0, true}, {8, true}, {9, false}} {
		p.CommonRows = c.least
		for _, credit := range Shapley(answers, p) {
			if has := credit.Synergy > 0 && credit.SynergyLoss > 0; has != c.has || credit.Base == 0 {
				t.Errorf("8 rows of at least %d: %+v", c.least, credit)
			}
		}
	}
}

func TestPowersOfBaseAndSynergyAreTheirOwn(t *testing.T) {
	answers := []Answer{{1, []float64{2, 4}}, {2, []float64{4, 2}}}
	at := func(base, synergy float64) Credit {
		return Shapley(answers, Powers{Base: base, Synergy: synergy, LossScale: 1})[0]
	}
	both, base, synergy := at(0.5, 0.5), at(0.6, 0.5), at(0.5, 0.6)
	if base.Base == both.Base || base.Synergy != both.Synergy || synergy.Base != both.Base || synergy.Synergy == both.Synergy {
		t.Errorf("powers 0.5 and 0.5: %+v; 0.6 and 0.5: %+v; 0.5 and 0.6: %+v", both, base, synergy)
	}
}
