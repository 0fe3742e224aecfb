package registration

import (
	"encoding/binary"
	"math/big"
	"slices"
	"testing"
)

func from[T any](v []T) (int, func(int) T) { return len(v), func(i int) T { return v[i] } }

func TestPruningByEmissionAtItsEdges(t *testing.T) {
	for _, c := range []struct {
		name  string
		all   []Candidate
		least int
		want  int // -1: nobody
	}{
		{"nobody to choose from", nil, 0, -1},
		{"the lowest emission goes", []Candidate{{3, 1, false}, {2, 1, false}, {4, 1, false}}, 2, 1},
		{"ties go to the earlier", []Candidate{{2, 9, false}, {2, 8, false}, {2, 9, false}}, 2, 1},
		{"of those the lower uid", []Candidate{{2, 8, false}, {2, 8, false}}, 1, 0},
		{"one block younger than the immunity is immune", []Candidate{{0, 91, false}, {5, 90, false}}, 0, 1},
		{"as many as must stay are not more", []Candidate{{0, 1, false}, {7, 95, false}}, 1, 1},
		{"without immune ones nobody then", []Candidate{{0, 1, false}, {7, 2, false}}, 2, -1},
		{"the exempt stays", []Candidate{{0, 1, true}, {7, 2, false}}, 0, 1},
		{"and does not count as one of the others", []Candidate{{0, 1, true}, {7, 2, false}}, 1, -1},
		{"nor goes as immune", []Candidate{{0, 99, true}}, 0, -1},
	} {
		n, at := from(c.all)
		got, _, ok := PruneByEmission(n, at, 100, 10, c.least)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestPruningByScoreAtItsEdges(t *testing.T) {
	for _, c := range []struct {
		name string
		all  []Candidate
		want int
	}{
		{"nobody to choose from", nil, -1},
		{"an immune one stays while another may go", []Candidate{{0, 99, false}, {65535, 1, false}}, 1},
		{"all immune: the lowest score", []Candidate{{1, 99, false}, {0, 99, false}}, 1},
		{"all immune: ties go to the earlier", []Candidate{{0, 99, false}, {0, 98, false}}, 1},
		{"exactly the immunity is over", []Candidate{{0, 91, false}, {9, 90, false}}, 1},
		{"the owner is nobody special", []Candidate{{0, 1, true}, {9, 1, false}}, 0},
	} {
		n, at := from(c.all)
		got, ok := PruneByScore(n, at, 100, 10)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestPruningByScoreOf2023TakesTheLastOfEquals(t *testing.T) {
	for _, c := range []struct {
		name string
		all  []Candidate
		want int
	}{
		{"nobody to choose from", nil, -1},
		{"in a tie the last uid, whenever it came", []Candidate{{0, 3, false}, {0, 1, false}, {0, 2, false}, {1, 1, false}}, 2},
		{"an immune one stays while another may go", []Candidate{{0, 99, false}, {65534, 1, false}}, 1},
		{"all immune: in a tie the first", []Candidate{{3, 98, false}, {1, 99, false}, {1, 97, false}}, 1},
		{"exactly the immunity is over", []Candidate{{0, 91, false}, {9, 90, false}}, 1},
		{"a slot just taken is not, though nobody else is old enough", []Candidate{{65535, 1, false}, {9, 99, false}}, 1},
		{"all taken: uid 0", []Candidate{{65535, 99, false}, {65535, 1, false}}, 0},
		{"the owner is nobody special", []Candidate{{9, 1, false}, {0, 1, true}}, 1},
	} {
		n, at := from(c.all)
		got, ok := PruneByScoreLast(n, at, 100, 10)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestPruningByStakeOrIncentiveAtItsEdges(t *testing.T) {
	for _, c := range []struct {
		name string
		all  []Holding
		want int
	}{
		{"nobody to choose from", nil, -1},
		{"stake protects", []Holding{{10, 0, 1}, {9, 0, 1}}, 1},
		{"or incentive does", []Holding{{0, all / 2, 1}, {9, 0, 1}}, 1},
		{"ties go to the first", []Holding{{9, 0, 5}, {9, 0, 1}}, 0},
		{"an immune one stays while another may go", []Holding{{0, 0, 91}, {100, all, 90}}, 1},
		{"of the immune the oldest, rich as it may be", []Holding{{0, 0, 95}, {90, all, 93}}, 1},
		{"the richest of a block is next to the poorest of the next", []Holding{{0, 0, 94}, {0, all, 93}}, 0},
		{"genesis protects nobody, being block 0", []Holding{{0, 0, 0}, {0, 0, 90}}, 0},
	} {
		n, at := from(c.all)
		got, ok := PruneByStakeOrIncentive(n, at, 100, 100, 10)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// candidates reads three bytes for each: few values, so that there are ties.
func candidates(b []byte) (all []Candidate) {
	for ; len(b) >= 3 && len(all) < 64; b = b[3:] {
		score := uint64(b[0] % 5)
		if score == 4 {
			score = 65535
		}
		all = append(all, Candidate{score, uint64(b[1]), b[2]%8 == 0})
	}
	return all
}

// FuzzPruningEqualsItsTwin compares with the first of a stable sort.
func FuzzPruningEqualsItsTwin(f *testing.F) {
	f.Add([]byte("\x00\x01\x01\x00\x01\x02\x01\x63\x00\x02\x60\x01"), uint64(10), 1)
	f.Fuzz(func(t *testing.T, b []byte, immunity uint64, least int) {
		const block = 256
		list := candidates(b)
		n, at := from(list)
		order := func(keep func(Candidate) bool) (uids []int) {
			for i, c := range list {
				if keep(c) {
					uids = append(uids, i)
				}
			}
			slices.SortStableFunc(uids, func(i, j int) int {
				a, b := list[i], list[j]
				if a.Score != b.Score {
					return int(a.Score) - int(b.Score)
				}
				return int(a.RegisteredAt) - int(b.RegisteredAt)
			})
			return uids
		}
		young := func(c Candidate) bool { return c.RegisteredAt+immunity > block || immunity > block }
		immune := order(func(c Candidate) bool { return young(c) && !c.Exempt })
		others := order(func(c Candidate) bool { return !young(c) && !c.Exempt })
		want := append(others, immune...)
		if len(others) <= least {
			want = immune
		}
		got, count, ok := PruneByEmission(n, at, block, immunity, least)
		if ok != (len(want) > 0) || ok && got != want[0] || count != len(others) {
			t.Errorf("by emission, immunity %d, least %d, %v: %d %v, want first of %v", immunity, least, list,
				got, ok, want)
		}
		want = append(order(func(c Candidate) bool { return !young(c) }), order(young)...)
		got, ok = PruneByScore(n, at, block, immunity)
		if ok != (len(want) > 0) || ok && got != want[0] {
			t.Errorf("by score, immunity %d, %v: %d %v, want first of %v", immunity, list, got, ok, want)
		}
		got, ok = PruneByScoreLast(n, at, block, immunity)
		if want := lastByScore(list, young); ok != (n > 0) || got != want {
			t.Errorf("by score of 2023, immunity %d, %v: %d, want %d", immunity, list, got, want)
		}
	})
}

// lastByScore counts up the scores, of which there are few, until somebody has the one looked for.
func lastByScore(list []Candidate, young func(Candidate) bool) int {
	for _, immune := range []bool{false, true} {
		for score := range uint64(4) { // as candidates draws them
			first, last := -1, 0
			for i, c := range list {
				if c.Score == score && young(c) == immune {
					last = i
					if first < 0 {
						first = i
					}
				}
			}
			switch {
			case first >= 0 && immune:
				return first
			case first >= 0:
				return last
			}
		}
	}
	return 0
}

// FuzzPruningOf2022EqualsItsTwin compares with scores as whole numbers of any size.
func FuzzPruningOf2022EqualsItsTwin(f *testing.F) {
	f.Add(append(binary.LittleEndian.AppendUint64([]byte{16, 7: 0}, all), 5), uint64(16), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, total, immunity uint64) {
		const block = 256
		var list []Holding
		for ; len(b) >= 17 && len(list) < 64; b = b[17:] {
			list = append(list, Holding{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]),
				uint64(b[16])})
		}
		one := new(big.Int).Lsh(number(1), 63)
		part := func(a, b uint64) *big.Int {
			if b == 0 {
				return new(big.Int)
			}
			v := new(big.Int).Mul(number(min(a, b)), one)
			return v.Div(v, number(b))
		}
		want, lowest := -1, new(big.Int)
		for i, h := range list {
			score := part(h.StakeRao, total)
			if p := part(h.Incentive, all); p.Cmp(score) > 0 {
				score = p
			}
			if block-h.RegisteredAt < immunity {
				score.Add(score, new(big.Int).Mul(number(h.RegisteredAt), one))
			}
			if want < 0 || score.Cmp(lowest) < 0 {
				want, lowest = i, score
			}
		}
		n, at := from(list)
		got, ok := PruneByStakeOrIncentive(n, at, total, block, immunity)
		if got != want || ok != (want >= 0) {
			t.Errorf("total %d, immunity %d, %v: %d, want %d", total, immunity, list, got, want)
		}
	})
}
