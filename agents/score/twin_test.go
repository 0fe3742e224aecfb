package score

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
	"taolab/model/num"
)

func near(a, b, tolerance float64) bool {
	return a == b || math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}

// plainPhraseLoss is the formula written as a sum over prefix lengths.
func plainPhraseLoss(rows []NextRow, row int, target []uint16, vocab, topk int) PhraseLoss {
	r, longest := rows[row], 0
	z := float64(max(0, vocab-topk)) * float64(r.Floor)
	for _, q := range r.Phrases {
		z += float64(q.Prob)
	}
	for _, other := range rows {
		for _, q := range other.Phrases {
			longest = max(longest, len(q.Tokens))
		}
	}
	mass := func(meets func(q []uint16) bool) float64 {
		total, found := 0.0, false
		for _, q := range r.Phrases {
			if meets(q.Tokens) {
				total, found = total+float64(q.Prob)/z, true
			}
		}
		if !found {
			return float64(r.Floor) / z
		}
		return total
	}
	match := 0.0
	for c := 1; c <= min(longest, len(target)); c++ {
		match += mass(func(q []uint16) bool { return slices.Equal(q, target[:c]) })
	}
	first := mass(func(q []uint16) bool { return q[0] == target[0] })
	loss := func(p float64) float64 { return -math.Log(math.Min(math.Max(p, 0), 1) + 1e-40) }
	return PhraseLoss{loss(first), loss(match)}
}

func TestPhraseLossesFollowTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const vocab = 6 // so small that phrases meet the target often
		token := rapid.Uint16Range(0, vocab-1)
		topk, length := rapid.IntRange(1, 5).Draw(t, "topk"), rapid.IntRange(1, 4).Draw(t, "target length")
		rows := make([]NextRow, rapid.IntRange(1, 3).Draw(t, "rows"))
		for i := range rows {
			rows[i].Floor = rapid.Float32Range(1e-9, 0.1).Draw(t, "floor")
			for range topk {
				rows[i].Phrases = append(rows[i].Phrases, Phrase{
					Prob:   rapid.Float32Range(0, 1).Draw(t, "prob"),
					Tokens: rapid.SliceOfN(token, 1, 5).Draw(t, "phrase"),
				})
			}
		}
		targets := rapid.SliceOfN(token, length*len(rows), length*len(rows)).Draw(t, "targets")
		for i, got := range PhraseLosses(rows, targets, vocab, topk) {
			want := plainPhraseLoss(rows, i, targets[i*length:(i+1)*length], vocab, topk)
			if !near(got.First, want.First, 1e-9) || !near(got.Phrase, want.Phrase, 1e-9) {
				t.Fatalf("row %d: got %+v, want %+v", i, got, want)
			}
		}
	})
}

// plainShapley is the definition, pair by pair, with powers taken directly.
func plainShapley(answers []Answer, p Powers) map[uint16]Credit {
	mean := func(x []float64) (m float64) {
		for _, v := range x {
			m += v / float64(len(x))
		}
		return m
	}
	worth := func(loss, power float64) float64 {
		return math.Pow(8.8e13/math.Pow(math.Max(loss*p.LossScale, 1.69), 1/0.076), power)
	}
	responders := float64(len(answers))
	if p.SynergySum {
		responders = 1
	}
	credits := map[uint16]Credit{}
	for i, a := range answers {
		c := Credit{UID: a.UID, Loss: mean(a.RowLoss), Base: worth(mean(a.RowLoss), p.Base)}
		for j, b := range answers {
			if i == j {
				continue
			}
			both := make([]float64, len(a.RowLoss))
			for row := range both {
				both[row] = -math.Log((math.Exp(-a.RowLoss[row])+math.Exp(-b.RowLoss[row]))/2 + 1e-40)
			}
			expected := math.Min(mean(a.RowLoss), mean(b.RowLoss))
			c.Synergy += math.Max(0, worth(mean(both), p.Synergy)-worth(expected, p.Synergy)) / 2 / responders
			c.SynergyLoss += math.Max(0, expected-mean(both)) / 2 / responders
		}
		credits[a.UID] = c
	}
	return credits
}

func TestShapleyFollowsTheDefinitionInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.IntRange(1, 4).Draw(t, "rows")
		var answers []Answer
		for _, uid := range rapid.SliceOfNDistinct(rapid.Uint16(), 0, 6, rapid.ID).Draw(t, "uids") {
			answers = append(answers, Answer{uid, rapid.SliceOfN(rapid.Float64Range(0, 12), rows, rows).Draw(t, "losses")})
		}
		p := Powers{
			Base: rapid.Float64Range(0.1, 1).Draw(t, "base"), Synergy: rapid.Float64Range(0.1, 1).Draw(t, "synergy"),
			LossScale: rapid.Float64Range(0.3, 3).Draw(t, "scale"), SynergySum: rapid.Bool().Draw(t, "sum"),
		}
		got, want := Shapley(answers, p), plainShapley(answers, p)
		if len(got) != len(want) {
			t.Fatalf("%d credits for %d answers", len(got), len(want))
		}
		for i, c := range got {
			w := want[c.UID]
			if !near(c.Loss, w.Loss, 1e-9) || !near(c.Base, w.Base, 1e-9) ||
				!near(c.Synergy, w.Synergy, 1e-7) || !near(c.SynergyLoss, w.SynergyLoss, 1e-9) {
				t.Fatalf("got %+v, want %+v", c, w)
			}
			if i > 0 && got[i-1].UID >= c.UID {
				t.Fatalf("uid %d follows %d", c.UID, got[i-1].UID)
			}
		}
		slices.Reverse(answers)
		if again := Shapley(answers, p); !slices.Equal(got, again) {
			t.Fatalf("arrival order changed the credits: %v, then %v", got, again)
		}
	})
}

func TestTheNextTokenLossFollowsTheFullDistribution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vocab := rapid.IntRange(2, 9).Draw(t, "vocab")
		ids := rapid.SliceOfNDistinct(rapid.Uint16Range(0, uint16(vocab-1)), 1, vocab-1, rapid.ID).Draw(t, "ids")
		d := Dist{IDs: ids, Probs: rapid.SliceOfN(rapid.Float32Range(0, 1), len(ids), len(ids)).Draw(t, "probs")}
		full, kept := make([]float64, vocab), 0.0
		for _, p := range d.Probs {
			kept += float64(p)
		}
		for i := range full {
			full[i] = math.Min(math.Max(1-kept, 1e-40), 1) / float64(vocab-len(ids))
		}
		for i, id := range ids {
			full[id] = float64(d.Probs[i]) + 1e-40
		}
		for target, p := range full {
			got, want := NextTokenLoss(d, uint16(target), vocab), math.Log(sum(full)+1e-40)-math.Log(p)
			if !near(got, want, 1e-9) {
				t.Fatalf("target %d of %v: got %v, want %v", target, full, got, want)
			}
		}
	})
}

func scores(t *rapid.T) []float64 {
	return rapid.SliceOfN(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(1e-6, 1), rapid.Float64Range(0, 3e5)), 1, 40).
		Draw(t, "scores")
}

func TestNoShareStandsAboveTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, limit := scores(t), rapid.Float64Range(0.02, 1).Draw(t, "limit")
		shares := LimitShares(x, limit)
		if total := sum(shares); !near(total, 1, 1e-12) {
			t.Fatalf("shares sum to %v", total)
		}
		for i := range x {
			for j := range x {
				if x[i] < x[j] && shares[i] > shares[j] {
					t.Fatalf("%v earns more than %v: %v > %v", x[i], x[j], shares[i], shares[j])
				}
			}
		}
		positive := 0 // so few with a score that they cannot share the weight within the limit
		for _, v := range x {
			if v > 0 {
				positive++
			}
		}
		if most := slices.Max(shares); most > limit*(1+1e-12) && float64(positive)*limit > 1.001 {
			t.Fatalf("share %v above the limit %v", most, limit)
		}
	})
}

func TestTheRatioOfSharesStaysBelowItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, ratio := scores(t), rapid.Float64Range(1.5, 100).Draw(t, "ratio")
		shares := LimitRatio(x, ratio)
		if total := sum(shares); !near(total, 1, 1e-12) {
			t.Fatalf("shares sum to %v", total)
		}
		if most, least := slices.Max(shares), slices.Min(shares); most > least*ratio*(1+1e-12) {
			t.Fatalf("%v over %v is more than %v", most, least, ratio)
		}
	})
}

func TestARowForTheLedgerKeepsSharesAndLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := uint16(rapid.IntRange(3000, 65535).Draw(t, "limit"))
		var shares []WeightShare
		for uid, v := range LimitShares(scores(t), float64(limit)/65535) {
			shares = append(shares, WeightShare{uint16(uid), v})
		}
		most := slices.MaxFunc(shares, func(a, b WeightShare) int { return int(math.Copysign(1, a.Share-b.Share)) }).Share
		uids, values := U16(shares, limit)
		total := uint64(0)
		for i, v := range values {
			total += uint64(v)
			if exact := shares[uids[i]].Share / most * 65535; math.Abs(float64(v)-exact) > 1 {
				t.Fatalf("uid %d: %d for %v", uids[i], v, exact)
			}
		}
		if slices.Max(values) != 65535 {
			t.Fatalf("the largest is %d", slices.Max(values))
		}
		if most <= float64(limit)/65535 && 65535*65535 > total*uint64(limit) {
			t.Fatalf("65535 of %d is above %d/65535, though the share %v is not", total, limit, most)
		}
	})
}

func TestWeightsGoToScoredUidsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := WeightInput{
			Era:        rapid.SampledFrom(Eras()).Draw(t, "era"),
			MinAllowed: rapid.IntRange(0, 12).Draw(t, "min"),
			MaxShare:   rapid.Float64Range(0, 1).Draw(t, "limit"),
			Stream:     num.NewStream(1, "weights"),
		}
		scored, responsive := 0, 0
		for uid, x := range scores(t) {
			standing := Standing(rapid.IntRange(0, 2).Draw(t, "standing"))
			in.Candidates = append(in.Candidates, Candidate{uint16(uid), x, standing})
			if x > 0 {
				scored++
			}
			if standing == Responsive {
				responsive++
			}
		}
		got := Weights(in)
		least, most := min(scored, in.MinAllowed), scored
		switch in.Era.Keep {
		case KeepMinimum:
			most = least
		case KeepResponsive:
			most = min(scored, max(in.MinAllowed, responsive))
		}
		if len(got) < least || len(got) > most || (len(got) == 0) != (most == 0) {
			t.Fatalf("%d weights of %d scored, want %d to %d", len(got), scored, least, most)
		}
		for i, w := range got {
			if in.Candidates[w.UID].Score <= 0 || math.IsNaN(w.Share) || i > 0 && got[i-1].UID >= w.UID {
				t.Fatalf("%+v", got)
			}
		}
	})
}

func TestTheLowestQuantileIsInterpolated(t *testing.T) {
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.05, 1.15}, {0.5, 2.5}, {1, 4}} {
		if got := quantile([]float64{4, 2, 1, 3}, c.q); !near(got, c.want, 1e-12) {
			t.Errorf("quantile %v of 1..4: %v, want %v", c.q, got, c.want)
		}
	}
}

func TestASweepVisitsEveryUidOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 60).Draw(t, "n"), rapid.IntRange(1, 25).Draw(t, "k")
		r, s := Rotation{Selection: OnceASweep}, num.NewStream(rapid.Uint64().Draw(t, "seed"), "rotation")
		var met []uint16
		for len(met) == 0 || r.Left() > 0 {
			met = append(met, r.Next(ascending(n), k, s)...)
			if rapid.Bool().Draw(t, "restart") {
				r.restart(t)
			}
		}
		slices.Sort(met)
		for i, uid := range met {
			if int(uid) != i {
				t.Fatalf("%v", met)
			}
		}
		if len(met) != n {
			t.Fatalf("met %d of %d uids", len(met), n)
		}
	})
}

func (r *Rotation) restart(t *rapid.T) {
	b, err := r.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	*r = Rotation{Selection: r.Selection}
	if err := r.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
}

func TestAReplacedHotkeyIsForgotten(t *testing.T) {
	var a Averages
	alice, bob := [32]byte{1}, [32]byte{2}
	a.Answered(alice, Credit{UID: 3, Base: 10}, 0.5, 1e9)
	if a.Refresh(3, alice) {
		t.Error("the same hotkey was forgotten")
	}
	if e := a.Entry(3); e.Score.Value != 1 || e.Score.Updates != 1 || e.Shapley.Value != 10 {
		t.Errorf("after one answer: %+v", e)
	}
	a.Alpha = 0.5
	a.Answered(alice, Credit{UID: 3, Base: 30}, 0.5, 1e9)
	if e := a.Entry(3); e.Score.Value != 15.5 || e.Shapley.Value != 20 {
		t.Errorf("after a second answer that weighs one half: %+v", e)
	}
	a.Silent(3, bob)
	if e := a.Entry(3); e.Hotkey != bob || e.Score != (Average{0, 1}) || e.Shapley != (Average{}) {
		t.Errorf("after another hotkey's silence: %+v", e)
	}
	if !a.Refresh(3, alice) || a.Entry(3) != (Entry{}) {
		t.Errorf("after the hotkey changed: %+v", a.Entry(3))
	}
	if a.Refresh(3, bob) || a.Refresh(99, bob) {
		t.Error("an empty entry was forgotten")
	}
}

func FuzzAveragesUnmarshal(f *testing.F) {
	var a Averages
	a.Answered([32]byte{7}, Credit{UID: 1, Base: 2}, 0.5, 1)
	b, _ := a.AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{averagesVersion, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var a Averages
		if a.UnmarshalBinary(b) != nil {
			if a.Len() != 0 {
				t.Fatal("a refused table changed the averages")
			}
			return
		}
		if again, _ := a.AppendBinary(nil); !bytes.Equal(again, b) {
			t.Fatalf("% x became % x", b, again)
		}
	})
}

func FuzzRotationUnmarshal(f *testing.F) {
	f.Add([]byte{1, 0, 4, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Rotation
		if r.UnmarshalBinary(b) != nil {
			return
		}
		if again, _ := r.AppendBinary(nil); !bytes.Equal(again, b) {
			t.Fatalf("% x became % x", b, again)
		}
		for _, uid := range r.Next(ascending(100), 3, num.NewStream(1, "fuzz")) {
			if uid >= 100 {
				t.Fatalf("uid %d of 100", uid)
			}
		}
	})
}
