package report

import (
	"math"
	"strconv"
	"testing"

	"taolab/sim/trace"
)

// Ten epochs a year of 100 TAO each: 18 to the owner, 41 to a miner, 41 to a validator whose stake they leave at
// ten times that before they come.
func TestAYearsMoneyIsSplitAmongMinersValidatorsAndOwner(t *testing.T) {
	for _, every := range []uint32{1, 5} { // of ten epochs of a year, so many stand for one row
		ends := []float64{0, 1000, 2000}
		var y yearlyMoney
		miner, validator := actor{miner: &miner{}}, actor{validator: &validator{}}
		for epoch := every; epoch <= 20; epoch += every {
			ns := float64(epoch) * 100
			y.begin(ends, epoch, ns)
			y.add(trace.Epoch{EmissionRao: 41e9, StakeRao: 41e9}, miner)
			y.add(trace.Epoch{EmissionRao: 41e9, StakeRao: 451e9, NominatorsRao: trace.Some(uint64(10e9))}, validator)
			y.account(ends, ns, trace.Totals{OwnerRao: 18e9 * uint64(epoch)})
		}
		years := []YearSummary{{EmissionTAO: 1000}, {EmissionTAO: 1000, Inflation: 1}}
		y.split(years)
		for i, s := range years {
			want := math.Pow(1.1, 10) - 1
			if i == 0 && every == 5 {
				want = math.Pow(1.1, 6) - 1 // nothing says how many epochs the first row stands for
			}
			if s.Miners == nil || s.Validators == nil || s.Owner == nil || s.Yield == nil {
				t.Fatalf("every %d: year %d has no shares: %+v", every, i, s)
			}
			if s.Nominators == nil || math.Abs(*s.Nominators-0.10) > 1e-12 {
				t.Errorf("every %d: year %d: nominators %v, want .10 of the validators' .41", every, i, s.Nominators)
			}
			if math.Abs(*s.Miners-0.41) > 1e-12 || math.Abs(*s.Validators-0.41) > 1e-12 || math.Abs(*s.Owner-0.18) > 1e-12 || math.Abs(*s.Yield-want) > 1e-9 {
				t.Errorf("every %d: year %d: miners %g, validators %g, owner %g, yield %g; want .41, .41, .18, %g", every, i, *s.Miners, *s.Validators, *s.Owner, *s.Yield, want)
			}
		}
		if years[0].RealYield != nil || years[1].RealYield == nil || math.Abs(*years[1].RealYield-(math.Pow(1.1, 10)/2-1)) > 1e-9 {
			t.Errorf("every %d: real yields %v and %v; want none in a year that begins with nothing, then 1.1^10/2 - 1", every, years[0].RealYield, years[1].RealYield)
		}
	}
}

// Each year is divided without a rest, and those who nominate are told apart from validators.
func TestTheSharesFigureDividesEachYear(t *testing.T) {
	f := &findings{course: *ended("")}
	ends := f.course.ends
	miner, validator := actor{miner: &miner{}}, actor{validator: &validator{}}
	for i := range len(ends) - 1 {
		ns := (ends[i] + ends[i+1]) / 2
		f.yearly.begin(ends, uint32(i), ns)
		f.yearly.add(trace.Epoch{EmissionRao: 3e9, StakeRao: 3e9}, miner)
		f.yearly.add(trace.Epoch{EmissionRao: 2e9, StakeRao: 9e9, NominatorsRao: trace.Some(uint64(15e8))}, validator)
		f.yearly.account(ends, ends[i], trace.Totals{})
	}
	f.yearly.account(ends, ends[len(ends)-1], trace.Totals{})
	fig, err := f.sharesFigure()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"miners": 60, "validators": 10, "nominators": 30}
	if len(fig.data) != 9 || len(fig.legend) != 3 {
		t.Fatalf("%v: expected three parts of three years", fig.data)
	}
	for _, row := range fig.data {
		if share, err := strconv.ParseFloat(row[2], 64); err != nil || math.Abs(share-want[row[1]]) > 1e-9 {
			t.Errorf("%v: expected %v %%", row, want[row[1]])
		}
	}
}
