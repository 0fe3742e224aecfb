package consensus

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"taolab/sim/chain/fixed"
)

// exactTwin is an epoch of the Yuma family to the bit, in the order of its steps and with none of
// the ways in which the rules are fast: rows are lists that are searched, columns are walked, every
// quotient is a division.
type exactTwin struct {
	in      *Input
	name    Name
	january bool // the rule of January 2025
	owner   int  // or -1
	n       int

	active                                        []bool
	stake, taking, consensus, incentive, dividend []fixed.I32F32
	trust, unclipped, ranks                       []fixed.I32F32
	permits                                       []bool
	weights, clipped, bonds                       []exactRow
}

type exactEntry struct {
	uid   int
	value fixed.I32F32
}

type exactRow []exactEntry

// at is the value of an entry and 0 of an absent one.
func (r exactRow) at(uid int) fixed.I32F32 {
	for _, e := range r {
		if e.uid == uid {
			return e.value
		}
	}
	return 0
}

// divided is the row or column divided by a number, if that is not 0.
func divided(v []fixed.I32F32, by fixed.I32F32) []fixed.I32F32 {
	out := slices.Clone(v)
	for i := range out {
		if by != 0 {
			out[i] = out[i].SafeDiv(by)
		}
	}
	return out
}

func newExactTwin(name Name, in *Input) *exactTwin {
	t := &exactTwin{in: in, name: name, january: name == Yuma2Liquid, owner: -1, n: in.N()}
	if in.HasOwner && !t.january {
		t.owner = int(in.Owner)
	}
	t.takeStake()
	t.takeWeights()
	t.vote()
	t.clip()
	switch alpha := t.liquidPairs(); {
	case name == Yuma3 && alpha != nil:
		t.movePairsBy(alpha)
	case name == Yuma3:
		t.movePairs()
	default:
		t.moveColumns()
	}
	return t
}

func (t *exactTwin) zeros() []fixed.I32F32 { return make([]fixed.I32F32, t.n) }

func (t *exactTwin) takeStake() {
	in := t.in
	raw := make([]uint64, t.n)
	sum := new(big.Int)
	for i, s := range in.StakesRao {
		if s >= in.StakeThresholdRao || i == t.owner || t.january {
			raw[i] = s
			sum.Add(sum, new(big.Int).SetUint64(s))
		}
	}
	t.stake, t.taking = t.zeros(), t.zeros()
	t.active, t.permits = make([]bool, t.n), make([]bool, t.n)
	order := make([]int, t.n)
	for i, s := range raw {
		if sum.Sign() > 0 {
			share := new(big.Int).Lsh(new(big.Int).SetUint64(s), 32)
			t.stake[i] = fixed.I32F32(share.Quo(share, sum).Int64())
		}
		t.active[i] = in.Block <= in.LastUpdate[i] || in.Block-in.LastUpdate[i] <= in.ActivityCutoffBlocks
		if t.active[i] && t.permitted(i) {
			t.taking[i] = t.stake[i]
		}
		t.permits[i] = t.stake[i] != 0 || t.january
		order[i] = i
	}
	t.taking = divided(t.taking, fixed.Sum(t.taking))
	sort.SliceStable(order, func(a, b int) bool { return t.stake[order[a]] < t.stake[order[b]] })
	for k, i := range order {
		if k < t.n-in.MaxValidators {
			t.permits[i] = false
		}
	}
	if t.owner >= 0 {
		t.permits[t.owner] = true
	}
}

func (t *exactTwin) permitted(uid int) bool { return t.in.Permits[uid] || uid == t.owner }

func (t *exactTwin) takeWeights() {
	in := t.in
	t.weights = make([]exactRow, t.n)
	for i, row := range in.Weights {
		var sum fixed.I32F32
		for _, w := range row {
			j := int(w.UID)
			outdated := in.LastUpdate[i] <= in.RegisteredAt[j]
			masked := !t.january && in.Commits != nil && in.Commits[i] < in.RegisteredAt[j]
			if !t.permitted(i) || j == i && i != t.owner || outdated || masked {
				continue
			}
			v := fixed.FromInt(int64(w.Weight))
			t.weights[i] = append(t.weights[i], exactEntry{j, v})
			sum += v
		}
		for k, e := range t.weights[i] {
			t.weights[i][k].value = e.value.SafeDiv(sum)
		}
	}
}

func (t *exactTwin) vote() {
	t.consensus = t.zeros()
	voting := divided(t.taking, fixed.Sum(t.taking))
	minority := fixed.Sum(voting) - fixed.FromU16(t.in.Kappa)
	for j := range t.n {
		var scores []fixed.I32F32
		for i, s := range voting {
			if s > 0 {
				scores = append(scores, t.weights[i].at(j))
			}
		}
		slices.Sort(scores)
		for _, score := range scores {
			t.consensus[j] = score
			var upTo fixed.I32F32
			for i, s := range voting {
				if t.weights[i].at(j) <= score {
					upTo += s
				}
			}
			if upTo > minority {
				break
			}
		}
	}
}

func (t *exactTwin) clip() {
	t.clipped = make([]exactRow, t.n)
	t.ranks, t.unclipped, t.trust = t.zeros(), t.zeros(), t.zeros()
	for i, row := range t.weights {
		for _, e := range row {
			c := t.consensus[e.uid]
			t.unclipped[e.uid] += t.taking[i].Mul(e.value)
			if e.value > c && c == 0 {
				continue
			}
			e.value = min(e.value, c)
			t.clipped[i] = append(t.clipped[i], e)
			t.trust[i] += e.value
			t.ranks[e.uid] += t.taking[i].Mul(e.value)
		}
	}
	t.incentive = divided(t.ranks, fixed.Sum(t.ranks))
}

// weightsForBonds are the weights after the bonds penalty.
func (t *exactTwin) weightsForBonds() []exactRow {
	penalty := fixed.FromU16(t.in.BondsPenalty)
	if penalty == fixed.One || t.january {
		return t.clipped
	}
	if penalty == 0 {
		return t.weights
	}
	out := make([]exactRow, t.n)
	for i := range out {
		for j := range t.n {
			w, c := t.weights[i].at(j), t.clipped[i].at(j)
			if x := w.Add(penalty.Mul(c.Sub(w))); x > 0 {
				out[i] = append(out[i], exactEntry{j, x})
			}
		}
	}
	return out
}

// held are the stored bonds that are not masked, as the integers that are stored.
func (t *exactTwin) held() []exactRow {
	out := make([]exactRow, t.n)
	for i, row := range t.in.Bonds {
		for _, b := range row {
			last := t.in.LastEpochBlock + 1
			if t.in.LastEpochBlock == 0 {
				last = t.in.Block - min(t.in.Block, t.in.TempoBlocks)
			}
			if t.january {
				last = t.in.LastUpdate[i]
			}
			if last > t.in.RegisteredAt[b.UID] {
				out[i] = append(out[i], exactEntry{int(b.UID), fixed.I32F32(b.Bond)})
			}
		}
	}
	return out
}

// byColumns applies f to every column of a matrix of rows and leaves their order.
func (t *exactTwin) byColumns(rows []exactRow, f func([]fixed.I32F32) []fixed.I32F32) []exactRow {
	out := make([]exactRow, t.n)
	for i, row := range rows {
		out[i] = slices.Clone(row)
	}
	for j := range t.n {
		column := t.zeros()
		for i, row := range rows {
			column[i] = row.at(j)
		}
		column = f(column)
		for i, row := range out {
			for k, e := range row {
				if e.uid == j {
					row[k].value = column[i]
				}
			}
		}
	}
	return out
}

func normalize(v []fixed.I32F32) []fixed.I32F32 { return divided(v, fixed.Sum(v)) }

// average is the moving average of two matrices by the rate of each column, without what is 0.
func (t *exactTwin) average(new, old []exactRow, alpha []fixed.I32F32) []exactRow {
	out := make([]exactRow, t.n)
	for i := range out {
		for j, a := range alpha {
			if v := a.Mul(new[i].at(j)) + fixed.One.Sub(a).Mul(old[i].at(j)); v > 0 {
				out[i] = append(out[i], exactEntry{j, v})
			}
		}
	}
	return out
}

func (t *exactTwin) plainAlphas() []fixed.I32F32 {
	out := t.zeros()
	for j := range out {
		out[j] = fixed.Complement(t.in.BondsMovingAveragePPM)
	}
	return out
}

func (t *exactTwin) moveColumns() {
	old := t.held()
	for _, row := range old {
		for k, e := range row {
			row[k].value = fixed.FromInt(int64(e.value))
		}
	}
	old = t.byColumns(old, normalize)
	gains := make([]exactRow, t.n)
	for i, row := range t.weightsForBonds() {
		for _, e := range row {
			gains[i] = append(gains[i], exactEntry{e.uid, e.value.Mul(t.taking[i])})
		}
	}
	alpha := t.plainAlphas()
	if t.january && t.in.LiquidAlpha {
		alpha = t.liquidColumns(alpha)
	}
	t.bonds = t.byColumns(t.average(t.byColumns(gains, normalize), old, alpha), normalize)
	t.dividend = t.zeros()
	for i, row := range t.bonds {
		for _, e := range row {
			t.dividend[i] += t.incentive[e.uid].Mul(e.value)
		}
	}
	t.dividend = normalize(t.dividend)
	t.bonds = t.byColumns(t.bonds, func(v []fixed.I32F32) []fixed.I32F32 {
		return divided(v, slices.Max(v))
	})
}

// liquidColumns is the first liquid alpha.
func (t *exactTwin) liquidColumns(plain []fixed.I32F32) []fixed.I32F32 {
	sorted := slices.Sorted(slices.Values(t.consensus))
	quartile := func(quarters int) fixed.I32F32 {
		at := quarters * (t.n - 1)
		if at%4 == 0 {
			return sorted[at/4]
		}
		step := sorted[at/4+1] - sorted[at/4]
		return sorted[at/4] + step.Mul(fixed.I32F32(at%4)<<30)
	}
	q75, q25 := quartile(3), quartile(1)
	if q75 <= q25 && q75 == 0 {
		return plain
	}
	low, high := fixed.FromU16(t.in.AlphaLow), fixed.FromU16(t.in.AlphaHigh)
	var a, b fixed.I32F32
	if q75 > q25 && low != 0 && high != 0 {
		lnHigh := fixed.Ln(fixed.One.SafeDiv(high) - fixed.One)
		lnLow := fixed.Ln(fixed.One.SafeDiv(low) - fixed.One)
		a = lnHigh.Sub(lnLow).SafeDiv(q25 - q75)
		b = lnLow.Add(a.Mul(q25))
	}
	alpha := t.zeros()
	for j, c := range t.consensus {
		open := []fixed.I32F32{b.Sub(a.Mul(c))} // has a twin of its own
		fixed.OpenLogistics(open)
		alpha[j] = open[0].Clamp(low, high)
	}
	return alpha
}

// oldPairs are the bonds of yuma3 as numbers.
func (t *exactTwin) oldPairs() []exactRow {
	old := t.held()
	for _, row := range old {
		for k, e := range row {
			row[k].value = fixed.FromU16(uint16(e.value))
		}
	}
	return old
}

func (t *exactTwin) movePairs() {
	t.bonds = t.average(t.weightsForBonds(), t.oldPairs(), t.plainAlphas())
	t.payPairs()
}

// liquidPairs is the second liquid alpha, of every pair; nil where it is off or nothing is agreed on.
// It walks rows as the original does.
func (t *exactTwin) liquidPairs() [][]fixed.I32F32 {
	if !t.in.LiquidAlpha || slices.Max(t.consensus) == 0 {
		return nil
	}
	low, high := fixed.FromU16(t.in.AlphaLow), fixed.FromU16(t.in.AlphaHigh)
	rho := fixed.FromInt(int64(t.in.AlphaSteepness)).SafeDiv(fixed.FromInt(-100))
	weights, old := t.weightsForBonds(), t.oldPairs()
	out := make([][]fixed.I32F32, t.n)
	for i := range out {
		w, b := 0, 0
		for j, c := range t.consensus {
			walk := func(row exactRow, k *int) fixed.I32F32 {
				for *k < len(row) && row[*k].uid < j {
					*k++
				}
				if *k < len(row) && row[*k].uid == j {
					return row[*k].value
				}
				return 0
			}
			weight, bond := walk(weights[i], &w), walk(old[i], &b)
			distance := bond.Sub(weight).Clamp(0, fixed.One)
			if weight >= bond {
				distance = weight.Sub(c).Clamp(0, fixed.One)
			}
			sigmoid := fixed.One.SafeDiv(fixed.One.Add(fixed.Exp(rho.Mul(distance.Sub(fixed.Half)))))
			out[i] = append(out[i], low.Add(sigmoid.Mul(high.Sub(low))).Clamp(low, high))
		}
	}
	return out
}

func (t *exactTwin) movePairsBy(alpha [][]fixed.I32F32) {
	old := t.oldPairs()
	t.bonds = make([]exactRow, t.n)
	for i, row := range t.weightsForBonds() {
		for _, e := range row {
			a := alpha[i][e.uid]
			v := min(fixed.One, fixed.One.Sub(a).Mul(old[i].at(e.uid)).Add(a.Mul(e.value)))
			if v > 0 {
				t.bonds[i] = append(t.bonds[i], exactEntry{e.uid, v})
			}
		}
	}
	t.payPairs()
}

func (t *exactTwin) payPairs() {
	t.dividend = t.zeros()
	for i, row := range t.byColumns(t.bonds, normalize) {
		for _, e := range row {
			t.dividend[i] += t.incentive[e.uid].Mul(e.value)
		}
		t.dividend[i] = t.dividend[i].Mul(t.taking[i])
	}
	t.dividend = normalize(t.dividend)
}

// output is what the rule should return for an emission.
func (t *exactTwin) output(emission uint64) *Output {
	out := &Output{Active: t.active, Permits: t.permits}
	quantized := func(v []fixed.I32F32) (stored []uint16) {
		for _, x := range v {
			stored = append(stored, x.U16())
		}
		return stored
	}
	out.Consensus, out.Incentive = quantized(t.consensus), quantized(t.incentive)
	out.Dividends, out.ValidatorTrust = quantized(t.dividend), quantized(t.trust)
	out.StakeWeight = quantized(t.stake)
	both := t.zeros()
	for i := range both {
		server, validator := t.shares(i)
		both[i] = server.numerator.Add(validator.numerator).SafeDiv(server.sum)
		out.ServerEmissionRao = append(out.ServerEmissionRao, server.of(emission))
		out.ValidatorEmissionRao = append(out.ValidatorEmissionRao, validator.of(emission))
		out.EmissionRao = append(out.EmissionRao, both[i].Of(emission))
	}
	if share := t.in.ServerShare; share != 0 && fixed.Sum(t.incentive) > 0 && fixed.Sum(t.dividend) > 0 {
		part := fixed.FromU16(share)
		servers := part.Of(emission)
		for i := range both {
			server := exactShare{t.incentive[i], fixed.Sum(t.incentive)}
			validator := exactShare{t.dividend[i], fixed.Sum(t.dividend)}
			out.ServerEmissionRao[i] = server.of(servers)
			out.ValidatorEmissionRao[i] = validator.of(emission - servers)
			out.EmissionRao[i] = out.ServerEmissionRao[i] + out.ValidatorEmissionRao[i]
			both[i] = server.value().Mul(part) + validator.value().Mul(fixed.One-part)
		}
	}
	out.PruningScore = make([]uint16, t.n)
	fixed.Upscale(out.PruningScore, both)
	if t.january {
		out.Rank = out.Incentive
		for j, r := range t.ranks {
			out.Trust = append(out.Trust, r.SafeDiv(t.unclipped[j]).U16())
		}
	}
	out.Bonds = make([][]BondEntry, t.n)
	for i, row := range t.bonds {
		switch {
		case t.permits[i]:
			for _, e := range row {
				out.Bonds[i] = append(out.Bonds[i], BondEntry{UID(e.uid), uint64(e.value.U16())})
			}
		case t.january && !t.in.Permits[i]:
			out.Bonds[i] = t.in.Bonds[i]
		}
	}
	return out
}

type exactShare struct{ numerator, sum fixed.I32F32 }

func (s exactShare) value() fixed.I32F32     { return s.numerator.SafeDiv(s.sum) }
func (s exactShare) of(amount uint64) uint64 { return s.value().Of(amount) }

// shares are the parts of the emission by incentive and dividends, or else by stake.
func (t *exactTwin) shares(uid int) (server, validator exactShare) {
	sum := fixed.Sum(t.incentive) + fixed.Sum(t.dividend)
	switch {
	case sum != 0:
		return exactShare{t.incentive[uid], sum}, exactShare{t.dividend[uid], sum}
	case fixed.Sum(t.taking) != 0:
		return exactShare{0, fixed.One}, exactShare{t.taking[uid], fixed.One}
	}
	return exactShare{0, fixed.One}, exactShare{t.stake[uid], fixed.One}
}

// wildInput is anything that a ledger could hand over: extremes, ties, zeros, rows in any order,
// blocks that lie in the future of each other.
func wildInput(d *dice) *Input {
	pick := func(v ...uint64) uint64 { return v[d.below(len(v))] }
	n := 1 + d.below(20)
	in := &Input{Block: pick(0, 1, 500, 1000, 1<<63), LastEpochBlock: pick(0, 0, 640, 999, 1<<40)}
	in.Params = Params{
		TempoBlocks:           pick(0, 1, 360, 65534),
		Kappa:                 uint16(pick(0, 1, 32767, 32767, 32768, 40000, 65535)),
		BondsPenalty:          uint16(pick(0, 1, 32768, 65534, 65535, 65535)),
		BondsMovingAveragePPM: uint32(pick(0, 1, 900_000, 900_000, 1_000_000, 5_000_000)),
		ActivityCutoffBlocks:  pick(0, 1, 400, 5000, 1<<64-1),
		StakeThresholdRao:     pick(0, 0, 1, 1000, 1<<50),
		MaxValidators:         d.below(n + 3),
		LiquidAlpha:           d.below(2) == 0,
		AlphaLow:              uint16(pick(0, 1638, 6553, 45875, 65535)),
		AlphaHigh:             uint16(pick(0, 1638, 19660, 58982, 65535)),
		AlphaSteepness:        int16(pick(1000, 1000, 0, 1, 5000, 32767, 1<<16-1000, 1<<15)),
		ServerShare:           uint16(pick(0, 0, 0, 1, 32768, 65535)),
		HasOwner:              d.below(3) == 0,
		Owner:                 UID(d.below(n)),
	}
	if d.below(3) == 0 {
		in.Commits = make([]uint64, n)
	}
	stakes := [][]uint64{{0}, {7}, {0, 1, 2}, {1e9, 1e12, 5e14, 0}, {1 << 57, 1 << 57, 1, 0}}[d.below(5)]
	weights := [][]uint64{{0}, {65535}, {0, 1, 65535}, {1, 2, 3}, {65535, 30000, 20000, 100, 0}}[d.below(5)]
	dense := d.below(4)
	sorted := d.below(2) == 0
	for i := range n {
		stake := pick(stakes...)
		if stake > 1e6 && d.below(2) == 0 {
			stake -= uint64(d.below(1e6))
		}
		in.StakesRao = append(in.StakesRao, stake)
		in.LastUpdate = append(in.LastUpdate, pick(0, 1, 499, 600, 900, 1000, 1001))
		in.RegisteredAt = append(in.RegisteredAt, pick(0, 0, 0, 1, 499, 640, 641, 900, 1000))
		in.Permits = append(in.Permits, d.below(4) > 0)
		if in.Commits != nil {
			in.Commits[i] = pick(NoCommit, NoCommit, 0, 499, 640, 999)
		}
		uids := make([]UID, n)
		for j := range uids {
			k := d.below(j + 1)
			uids[j], uids[k] = uids[k], UID(j)
		}
		if sorted {
			slices.Sort(uids)
		}
		var row []WeightEntry
		var bonds []BondEntry
		for _, j := range uids {
			if d.below(4) <= dense {
				row = append(row, WeightEntry{j, uint32(pick(weights...))})
			}
			if d.below(4) <= dense {
				bonds = append(bonds, BondEntry{j, pick(0, 1, 100, 32768, 65535, uint64(d.below(65536)))})
			}
		}
		in.Weights = append(in.Weights, row)
		in.Bonds = append(in.Bonds, bonds)
	}
	return in
}

var yumaRules = []Name{Yuma2, Yuma2Liquid, Yuma3}

// FuzzEpochToTheBit compares the rules with their exact twin on anything that a ledger could hand
// over. The workspace is shared, so that nothing may leak from one network into the next.
func FuzzEpochToTheBit(f *testing.F) {
	for seed := range uint64(1500) {
		f.Add(seed, uint8(seed%3))
	}
	var ws Workspace
	f.Fuzz(func(t *testing.T, seed uint64, rule uint8) {
		name := yumaRules[int(rule)%len(yumaRules)]
		d := dice(seed)
		in := wildInput(&d)
		if d.below(2) == 0 {
			in = randomInput(&d)
		}
		compareToTheBit(t, fmt.Sprintf("%s, seed %d", name, seed), &ws, name, in)
	})
}

// FuzzBondsOverEpochs lets bonds and permits be carried from epoch to epoch, while weights change,
// neurons are replaced and the rule itself is switched, which reads the same numbers otherwise.
func FuzzBondsOverEpochs(f *testing.F) {
	for seed := range uint64(150) {
		f.Add(seed)
	}
	var ws Workspace
	f.Fuzz(func(t *testing.T, seed uint64) {
		d := dice(seed)
		in := randomInput(&d)
		name := yumaRules[d.below(len(yumaRules))]
		for epoch := range 6 {
			if d.below(4) == 0 {
				name = yumaRules[d.below(len(yumaRules))]
				in.LiquidAlpha = d.below(2) == 0
			}
			compareToTheBit(t, fmt.Sprintf("%s, seed %d, epoch %d", name, seed, epoch), &ws, name, in)
			out := newExactTwin(name, in).output(0)
			copy(in.Permits, out.Permits)
			copy(in.Bonds, out.Bonds)
			in.LastEpochBlock = in.Block
			in.Block += uint64(1 + d.below(400))
			for i := range in.Weights {
				switch d.below(8) {
				case 0, 1, 2:
					in.LastUpdate[i] = in.Block - 1
					for k := range in.Weights[i] {
						in.Weights[i][k].Weight = uint32(d.below(65536) * d.below(3) / 2 % 65536)
					}
				case 3:
					in.Weights[i] = in.Weights[i][:len(in.Weights[i])/2]
				case 4:
					in.RegisteredAt[i], in.LastUpdate[i] = in.Block-1, in.Block-1
					in.Permits[i], in.Weights[i], in.Bonds[i] = false, nil, nil
				}
			}
		}
	})
}

// compareToTheBit runs an epoch on ws and compares it with its exact twin.
func compareToTheBit(t *testing.T, what string, ws *Workspace, name Name, in *Input) {
	t.Helper()
	rule, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	const emission = 123_456_789_012
	before := fmt.Sprintf("%+v", in)
	got := *rule.Epoch(ws, in, emission)
	if after := fmt.Sprintf("%+v", in); after != before {
		t.Errorf("%s: the input changed from %s to %s", what, before, after)
	}
	want := newExactTwin(name, in).output(emission)
	got.Bonds = slices.Clone(got.Bonds)
	for i := range got.Bonds {
		if len(got.Bonds[i]) == 0 {
			got.Bonds[i] = nil
		}
		if len(want.Bonds[i]) == 0 {
			want.Bonds[i] = nil
		}
	}
	if len(got.Rank) == 0 {
		got.Rank, got.Trust = nil, nil
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	var paid uint64
	for _, rao := range got.EmissionRao {
		paid += rao
	}
	if paid > emission {
		t.Errorf("%s: %d rao paid of %d", what, paid, emission)
	}
}
