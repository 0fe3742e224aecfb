package consensus

import (
	"math"
	"math/big"
	"testing"
)

// bigTwin is a step in dense matrices and integers of unlimited size, in the order of the original,
// plainly written. Shares are in units of 2^-63.
type bigTwin struct {
	rank, trust, consensus, incentive, dividends, emission []*big.Int

	active []bool
	bonds  [][]*big.Int // rao
}

var (
	bigOne     = new(big.Int).Lsh(big.NewInt(1), 63)
	bigMillion = big.NewInt(1_000_000)
	bigU64     = new(big.Int).SetUint64(1<<64 - 1)
)

func big64(x uint64) *big.Int       { return new(big.Int).SetUint64(x) }
func bigAdd(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
func bigSub(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

// bigMul rounds down, bigDiv truncates; a quotient by zero is zero.
func bigMul(a, b *big.Int) *big.Int { return new(big.Int).Rsh(new(big.Int).Mul(a, b), 63) }
func bigDiv(a, b *big.Int) *big.Int {
	if b.Sign() == 0 {
		return new(big.Int)
	}
	return new(big.Int).Quo(new(big.Int).Lsh(a, 63), b)
}
func bigWhole(x *big.Int) *big.Int { return new(big.Int).Lsh(x, 63) }
func bigFloor(x *big.Int) *big.Int { return new(big.Int).Rsh(x, 63) }
func bigSum(v []*big.Int) *big.Int {
	sum := new(big.Int)
	for _, x := range v {
		sum.Add(sum, x)
	}
	return sum
}
func bigZeros(n int) []*big.Int {
	v := make([]*big.Int, n)
	for i := range v {
		v[i] = new(big.Int)
	}
	return v
}
func bigMin(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// bigSigmoid wants an exponent at which the series stays in range or passes it for good.
func bigSigmoid(trust, rho, kappa *big.Int) *big.Int {
	x := new(big.Int).Neg(bigMul(bigSub(trust, kappa), rho))
	size := new(big.Int).Abs(x)
	e := bigAdd(bigOne, size)
	term := size
	for i := int64(2); i <= 62; i++ {
		term = bigMul(term, size)
		if term.BitLen() > 127 || e.BitLen() > 127 {
			e = nil
			break
		}
		term = new(big.Int).Quo(term, big.NewInt(i))
		e = bigAdd(e, term)
	}
	switch {
	case x.Sign() == 0:
		e = bigOne
	case x.Cmp(bigOne) == 0:
		e = new(big.Int).Lsh(big.NewInt(22802600), 40) // 2.718281, as the original has it
	case e == nil && x.Sign() > 0:
		return new(big.Int)
	case e == nil:
		return bigOne
	case x.Sign() < 0:
		e = bigDiv(bigOne, e)
	}
	return bigDiv(bigOne, bigAdd(bigOne, e))
}

func newBigTwin(in *Input, emissionRao uint64) *bigTwin {
	n := in.N()
	t := &bigTwin{rank: bigZeros(n), trust: bigZeros(n), consensus: bigZeros(n), incentive: bigZeros(n),
		dividends: bigZeros(n), emission: bigZeros(n), active: make([]bool, n)}
	stake := bigZeros(n)
	total, activeShare := new(big.Int), new(big.Int)
	for i, s := range in.StakesRao {
		stake[i] = bigWhole(big64(s))
		if t.active[i] = in.Block-in.LastUpdate[i] < in.ActivityCutoffBlocks; t.active[i] {
			total = bigAdd(total, stake[i])
		}
	}
	for i := range stake {
		stake[i] = bigDiv(stake[i], total)
		if t.active[i] {
			activeShare = bigAdd(activeShare, stake[i])
		}
	}
	totals := t.moveBonds(in, stake, big64(emissionRao))
	if ranks := bigSum(t.rank); ranks.Sign() > 0 {
		kappa := bigDiv(bigOne, bigWhole(big64(uint64(in.KappaInverse))))
		for j := range n {
			t.rank[j] = bigDiv(t.rank[j], ranks)
			t.trust[j] = bigDiv(t.trust[j], activeShare)
			t.consensus[j] = bigSigmoid(t.trust[j], bigWhole(big64(uint64(in.Rho))), kappa)
			t.incentive[j] = bigMul(t.rank[j], t.consensus[j])
		}
		sum := bigSum(t.incentive)
		for j := range n {
			t.incentive[j] = bigDiv(t.incentive[j], sum)
		}
	}
	t.pay(in, totals, big64(emissionRao))
	return t
}

// moveBonds counts ranks and trust, moves the bonds and returns the totals of their columns, kept
// up to date by differences as the original does it.
func (t *bigTwin) moveBonds(in *Input, stake []*big.Int, emission *big.Int) []*big.Int {
	n := in.N()
	totals := bigZeros(n)
	for i := range n {
		row := bigZeros(n)
		for _, b := range in.Bonds[i] {
			if in.Pruned == nil || !in.Pruned[b.UID] {
				row[b.UID] = big64(b.Bond)
				totals[b.UID] = bigAdd(totals[b.UID], big64(b.Bond))
			}
		}
		t.bonds = append(t.bonds, row)
	}
	keep := bigDiv(bigWhole(big64(uint64(in.BondsMovingAveragePPM))), bigWhole(bigMillion))
	for i := range n {
		if !t.active[i] || stake[i].Sign() == 0 {
			continue
		}
		for _, w := range in.Weights[i] {
			j := int(w.UID)
			if j == i {
				continue
			}
			weight := bigDiv(bigWhole(big64(uint64(w.Weight))), bigWhole(big64(1<<32-1)))
			rank := bigMul(stake[i], weight)
			t.rank[j] = bigAdd(t.rank[j], rank)
			t.trust[j] = bigAdd(t.trust[j], stake[i])
			old := bigWhole(t.bonds[i][j])
			gain := bigMul(rank, bigWhole(emission))
			moved := bigAdd(bigMul(keep, old), bigMul(bigSub(bigOne, keep), gain))
			t.bonds[i][j] = bigFloor(moved)
			if old.Cmp(moved) >= 0 {
				totals[j] = bigSub(totals[j], bigFloor(bigSub(old, moved)))
			} else {
				totals[j] = bigAdd(totals[j], bigFloor(bigSub(moved, old)))
			}
		}
	}
	for j := range totals {
		totals[j] = bigMin(totals[j], bigU64)
	}
	return totals
}

func (t *bigTwin) pay(in *Input, totals []*big.Int, emission *big.Int) {
	own := bigDiv(bigOne, bigWhole(big64(uint64(in.SelfOwnershipInverse))))
	if in.ServerShare > 0 {
		own = bigDiv(bigWhole(big64(uint64(in.ServerShare))), bigWhole(big64(65535)))
	}
	others := bigSub(bigOne, own)
	for i := range in.N() {
		d := bigMul(t.incentive[i], own)
		if totals[i].Sign() == 0 {
			d = bigAdd(d, bigMul(t.incentive[i], others))
		}
		for j, bond := range t.bonds[i] {
			part := bigMul(others, bigDiv(bigWhole(bond), bigWhole(totals[j])))
			d = bigAdd(d, bigMul(t.incentive[j], part))
		}
		t.dividends[i] = d
	}
	sum := bigSum(t.dividends)
	for i, d := range t.dividends {
		t.dividends[i] = bigDiv(d, sum)
		t.emission[i] = bigFloor(bigMul(bigWhole(emission), t.dividends[i]))
	}
}

// randomSteps is a network of the time, or, if wild, one at the limits of its numbers.
func randomSteps(d *dice, wild bool) *Input {
	n := 1 + d.below(20)
	in := &Input{Block: 10_000}
	in.Params = Params{Rho: uint16(1 + d.below(40)), KappaInverse: uint16(1 + d.below(4)),
		SelfOwnershipInverse: uint16(1 + d.below(4)), BondsMovingAveragePPM: uint32(d.below(1_000_001)),
		ActivityCutoffBlocks: 5000}
	any16 := func() uint16 { return []uint16{0, 1, 2, 65535, uint16(d.below(65536))}[d.below(5)] }
	amount := func(bits int) uint64 { return uint64(d.below(1<<31)) << (bits - 31) >> d.below(bits) }
	if wild {
		in.Rho, in.KappaInverse, in.SelfOwnershipInverse = any16(), any16(), any16()
		in.ServerShare = any16()
		in.BondsMovingAveragePPM = []uint32{0, 1, 500_000, 999_999, 1_000_000}[d.below(5)]
		tame := amount
		amount = func(bits int) uint64 {
			return []uint64{0, 1, 1<<64 - 1, 1 << 63, 21e15, tame(bits)}[d.below(6)]
		}
	}
	for i := range n {
		stake := min(amount(50), 21e15)
		in.StakesRao = append(in.StakesRao, stake)
		in.LastUpdate = append(in.LastUpdate, []uint64{4999, 5000, 5001, 9000, 10_000}[d.below(5)])
		in.RegisteredAt, in.Permits = append(in.RegisteredAt, 0), append(in.Permits, false)
		in.Pruned = append(in.Pruned, d.below(10) == 0)
		var weights []WeightEntry
		var bonds []BondEntry
		for k := range n {
			j := UID((k + i) % n) // in no particular order
			if d.below(2) > 0 {
				weight := []uint32{0, 1<<32 - 1, uint32(2*d.below(1<<31) + 1)}[min(2, d.below(8))]
				weights = append(weights, WeightEntry{j, weight})
			}
			if d.below(2) > 0 {
				bonds = append(bonds, BondEntry{UID(k), max(1, amount(34))})
			}
		}
		in.Weights, in.Bonds = append(in.Weights, weights), append(in.Bonds, bonds)
	}
	return in
}

// FuzzNakamotoStep compares every bit of a step with the twin in unlimited integers.
func FuzzNakamotoStep(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, seed%2 == 0, uint64(100e9))
		f.Add(seed, true, uint64(1<<64-1)>>(seed%64))
	}
	var ws Workspace
	f.Fuzz(func(t *testing.T, seed uint64, wild bool, emission uint64) {
		d := dice(seed)
		in := randomSteps(&d, wild)
		out := nakamoto{}.Epoch(&ws, in, emission)
		want := newBigTwin(in, emission)
		stored := func(x *big.Int) uint64 {
			return bigMin(bigMul(x, bigU64), bigU64).Uint64()
		}
		var stakeWeights uint64
		for i := range in.N() {
			stakeWeights += uint64(out.StakeWeight[i])
			for _, tc := range []struct {
				what      string
				got, want uint64
			}{
				{"rank", out.Wide.Rank[i], stored(want.rank[i])},
				{"trust", out.Wide.Trust[i], stored(want.trust[i])},
				{"consensus", out.Wide.Consensus[i], stored(want.consensus[i])},
				{"incentive", out.Wide.Incentive[i], stored(want.incentive[i])},
				{"dividends", out.Wide.Dividends[i], stored(want.dividends[i])},
				{"emission", out.EmissionRao[i], want.emission[i].Uint64()},
				{"short trust", uint64(out.Trust[i]), stored(want.trust[i]) >> 48},
				{"parts", out.ServerEmissionRao[i] + out.ValidatorEmissionRao[i], out.EmissionRao[i]},
			} {
				if tc.got != tc.want {
					t.Errorf("seed %d: %s of %d: %d, want %d", seed, tc.what, i, tc.got, tc.want)
				}
			}
			if out.Active[i] != want.active[i] {
				t.Errorf("seed %d: %d is active: %v", seed, i, out.Active[i])
			}
			row, last := bigZeros(in.N()), -1
			for _, b := range out.Bonds[i] {
				if int(b.UID) <= last || b.Bond == 0 {
					t.Errorf("seed %d: bonds of %d: %v, want ascending uids and no zero", seed, i, out.Bonds[i])
				}
				row[b.UID], last = big64(b.Bond), int(b.UID)
			}
			for j, b := range row {
				if b.Cmp(want.bonds[i][j]) != 0 {
					t.Errorf("seed %d: bond of %d in %d: %d, want %d", seed, i, j, b, want.bonds[i][j])
				}
			}
		}
		if stakeWeights > 65535 {
			t.Errorf("seed %d: stake weights of %d/65535", seed, stakeWeights)
		}
	})
}

// floatTwin is the rule as one would write it on a board.
func floatTwin(in *Input, emission float64) (trust, consensus, incentive []float64, bonds [][]float64) {
	n := in.N()
	raw, rank := make([]float64, n), make([]float64, n)
	trust, consensus, incentive = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range raw {
		if in.Block-in.LastUpdate[i] < in.ActivityCutoffBlocks {
			raw[i] = float64(in.StakesRao[i])
		}
	}
	stake := normalized(raw)
	keep := float64(in.BondsMovingAveragePPM) / 1e6
	bonds = dense(n)
	for i := range n {
		for _, b := range in.Bonds[i] {
			if !in.Pruned[b.UID] {
				bonds[i][b.UID] = float64(b.Bond)
			}
		}
		for _, w := range in.Weights[i] {
			if j := int(w.UID); j != i && stake[i] > 0 {
				r := float64(stake[i] * float64(w.Weight) / (1<<32 - 1))
				rank[j] += r
				trust[j] += stake[i]
				bonds[i][j] = float64(keep*bonds[i][j]) + float64((1-keep)*float64(r*emission))
			}
		}
	}
	rank = normalized(rank)
	for j := range n {
		distance := trust[j] - 1/float64(in.KappaInverse)
		consensus[j] = 1 / (1 + math.Exp(float64(-float64(in.Rho)*distance)))
		incentive[j] = float64(rank[j] * consensus[j])
	}
	return trust, consensus, normalized(incentive), bonds
}

func TestTheStepIsNearTheRuleInRealNumbers(t *testing.T) {
	var ws Workspace
	compared := 0
	for seed := range uint64(300) {
		d := dice(seed)
		in := randomSteps(&d, false)
		const emission = 100e9
		out := nakamoto{}.Epoch(&ws, in, emission)
		trust, consensus, incentive, bonds := floatTwin(in, emission)
		near := func(what string, i int, got uint64, want float64) {
			// Near its ends the series of the chain is some 1e-8 off.
			if math.Abs(float64(got)/(1<<64)-want) > 1e-7 {
				t.Errorf("seed %d: %s of %d: %g, want %g", seed, what, i, float64(got)/(1<<64), want)
			}
		}
		var sum uint64
		for i := range in.N() {
			sum += out.Wide.Rank[i] >> 32
		}
		if sum == 0 {
			continue
		}
		for i := range in.N() {
			compared++
			near("trust", i, out.Wide.Trust[i], trust[i])
			near("consensus", i, out.Wide.Consensus[i], consensus[i])
			near("incentive", i, out.Wide.Incentive[i], incentive[i])
			for _, b := range out.Bonds[i] {
				if math.Abs(float64(b.Bond)-bonds[i][b.UID]) > 2+bonds[i][b.UID]/1e9 {
					t.Errorf("seed %d: bond of %d in %d: %d, want %g", seed, i, b.UID, b.Bond, bonds[i][b.UID])
				}
			}
		}
	}
	if compared < 1000 {
		t.Errorf("%d neurons were compared", compared)
	}
}
