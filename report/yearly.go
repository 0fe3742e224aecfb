package report

import (
	"math"
	"slices"

	"taolab/sim/trace"
)

// yearMoney is what the recorded epochs of a year paid, and how stake grew by it.
type yearMoney struct {
	miners, validators, others float64 // rao
	nominators                 float64 // part of what validators got
	growth                     float64 // logarithm of what a validator's stake became that took nothing out
}

// yearlyMoney splits the run's money by whole years.
type yearlyMoney struct {
	of    []yearMoney
	year  int // of the epoch whose rows are read; -1: in no whole year
	seen  bool
	epoch uint32
	gap   float64 // epochs that this one stands for
	paid  float64 // to validators in it
	stake float64 // of validators before it
	named bool    // some nominator got something
	ends  []ledgerPoint
	last  ledgerPoint
}

// ledgerPoint is what the ledger's account says at a time.
type ledgerPoint struct{ ns, owner, unallocated float64 }

// begin starts an epoch at a time.
func (y *yearlyMoney) begin(ends []float64, epoch uint32, ns float64) {
	y.close()
	if len(y.of) == 0 {
		y.of = make([]yearMoney, max(len(ends)-1, 0))
	}
	y.gap = 1
	if y.seen {
		y.gap = float64(epoch - y.epoch)
	}
	i, _ := slices.BinarySearch(ends, ns) // an epoch at the very end of a year pays for it
	y.year = i - 1
	if y.year >= len(y.of) {
		y.year = -1
	}
	y.seen, y.epoch = true, epoch
}

// close adds the growth of the epoch that was read.
func (y *yearlyMoney) close() {
	if y.year >= 0 && y.year < len(y.of) && y.stake > 0 {
		y.of[y.year].growth += y.gap * math.Log1p(y.paid/y.stake)
	}
	y.paid, y.stake = 0, 0
}

// add takes what an epoch paid to a seat of an actor.
func (y *yearlyMoney) add(e trace.Epoch, a actor) {
	if y.year < 0 || y.year >= len(y.of) {
		return
	}
	paid, year := float64(e.EmissionRao), &y.of[y.year]
	switch {
	case a.miner != nil:
		year.miners += paid
	case a.validator != nil:
		year.validators += paid
		if e.NominatorsRao != nil {
			year.nominators += float64(*e.NominatorsRao)
			y.named = true
		}
		y.paid += paid
		y.stake += float64(e.StakeRao - min(e.EmissionRao, e.StakeRao))
	default:
		year.others += paid
	}
}

// account takes the ledger at a time: a straight line from each row to the next.
func (y *yearlyMoney) account(ends []float64, ns float64, t trace.Totals) {
	next := ledgerPoint{ns, float64(t.OwnerRao), float64(t.UnallocatedRao)}
	for len(y.ends) < len(ends) && ends[len(y.ends)] <= ns {
		part := over(ends[len(y.ends)]-y.last.ns, ns-y.last.ns)
		if !finite(part) {
			part = 1
		}
		mix := func(a, b float64) float64 { return a + part*(b-a) }
		y.ends = append(y.ends, ledgerPoint{ends[len(y.ends)], mix(y.last.owner, next.owner), mix(y.last.unallocated, next.unallocated)})
	}
	y.last = next
}

// split fills in who was paid in the whole years of the supply's course, and what stake yielded.
func (y *yearlyMoney) split(years []YearSummary) {
	y.close()
	for i := range min(len(years), len(y.of)) {
		s, m := &years[i], &y.of[i]
		minted := s.EmissionTAO * raoPerTAO
		if m.growth > 0 {
			yield := math.Expm1(m.growth)
			s.Yield = number(yield)
			if s.Inflation > 0 {
				s.RealYield = number((1+yield)/(1+s.Inflation) - 1)
			}
		}
		paid := m.miners + m.validators + m.others
		if i+1 >= len(y.ends) || minted <= 0 || paid <= 0 {
			continue
		}
		owner := (y.ends[i+1].owner - y.ends[i].owner) / minted
		rest := 1 - owner - (y.ends[i+1].unallocated-y.ends[i].unallocated)/minted
		s.Miners, s.Validators, s.Owner = number(rest*m.miners/paid), number(rest*m.validators/paid), number(owner)
		if y.named {
			s.Nominators = number(rest * m.nominators / paid)
		}
	}
}
