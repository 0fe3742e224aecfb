package decide

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"taolab/model/num"
	"taolab/sim/host"
)

func near(t *testing.T, name string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s is %.9g, want %.9g within %g", name, got, want, within)
	}
}

func ExampleRhythm() {
	r := Rhythm{Every: 5, Offset: 2}
	fmt.Println(r.Due(3), r.Wait(3), r.Wait(4))
	// Output: true 5 4
}

func ExampleSeat() {
	s := Seat{Discount: 0.001, Factor: 1}
	worth, choice := s.Enters(1.5, 0.5, 0.01, 0, 80, 100)
	fmt.Printf("%.0f %s\n", worth, choice)
	// Output: 90 enter
}

func TestASeatIsWorthItsIncomeLessCostWhileItLasts(t *testing.T) {
	near(t, "worth at hazard .01", Seat{Discount: 0.001}.Value(1, 0.01), 90, 1e-9)
	near(t, "worth at hazard .02", Seat{Discount: 0.0005}.Value(1, 0.02), 47.804878, 5e-7)
	trial := Seat{Discount: 1/0.999 - 1}
	for y, want := range map[float64]float64{1: -31.9223, 2: 12.9857, 3: 57.8937} { // order-free: each stands alone
		near(t, fmt.Sprintf("a trial at income %g", y), trial.Trial(12, 0, y, 1, 0.5, 0.01)-20, want, 5e-5)
	}
	near(t, "break-even of a trial", trial.Trial(12, 0, 1.710837, 1, 0.5, 0.01), 20, 5e-5)
	near(t, "wait at spread .9", WaitFactor(0, 0.9, 0.1), 5.879930, 5e-7)
	near(t, "wait at spread .5", WaitFactor(0, 0.5, 0.1), 2.905869, 5e-7)
	near(t, "wait without spread", WaitFactor(0, 0, 0.1), 1, 0)
}

func TestOwnersEnterOnlyWhatPaysAndLeaveAfterPatience(t *testing.T) {
	s := Seat{Discount: 0.001, Patience: 3, Hysteresis: 0.1, Factor: 1}
	for _, c := range []struct {
		income, cost, price, free float64
		want                      string
	}{
		{1.5, 0.5, 80, 100, Enter}, {1.5, 0.5, 91, 100, Dear}, {1.5, 0.5, 80, 79, Poor}, {0.54, 0.5, 1, 100, Unprofitable},
	} {
		if _, got := s.Enters(c.income, c.cost, 0.01, 0, c.price, c.free); got != c.want {
			t.Errorf("income %g, cost %g, price %g, free %g: %s, want %s", c.income, c.cost, c.price, c.free, got, c.want)
		}
	}
	trial := Seat{Discount: 1/0.999 - 1, Factor: 1, Survival: 0.5}
	for y, want := range map[float64]string{1.70: Dear, 1.72: Enter} { // order-free: each stands alone
		if _, got := trial.Enters(y, 1, 0.01, 12, 20, 100); got != want {
			t.Errorf("a trial of 12 epochs at income %g: %s, want %s", y, got, want)
		}
	}
	strikes := uint32(0)
	var stays []bool
	for _, income := range []float64{0.4, 0.4, 0.6, 0.4, 0.4, 0.4} {
		stays = append(stays, s.Stays(income, 0.5, &strikes))
	}
	if want := []bool{true, true, true, true, true, false}; !slices.Equal(stays, want) {
		t.Errorf("stays %v, want %v: only the third loss in a row ends it", stays, want)
	}
}

func TestCostsAreOfHardwareAndEnergyAtAPrice(t *testing.T) {
	near(t, "cost of an hour", Costs{0.4, 350, 0.12}.RaoPerHour(2, 0.5), 2e9*(0.4+0.35*0.5*0.12), 1)
}

// rest lets owners who look at what subsets pay move their mix.
func rest(rate float64, demand []float64, rounds int) (mix []float64, swing float64) {
	mix = Even(len(demand))
	rule := MixRule{Rate: rate, Floor: 0.02}
	income := make([]float64, len(demand))
	for range rounds {
		before := slices.Clone(mix)
		for s := range income {
			income[s] = demand[s] / mix[s]
		}
		rule.Toward(mix, income)
		swing = 0
		for s := range mix {
			swing = max(swing, math.Abs(mix[s]-before[s]))
		}
	}
	return mix, swing
}

func TestMixesSettleAtDemandBelowTheGainLimitAndNotAbove(t *testing.T) {
	demand := []float64{0.5, 0.3, 0.2}
	for _, rate := range []float64{0.1, 0.3, 1.5} {
		mix, swing := rest(rate, demand, 400)
		for s := range demand {
			near(t, fmt.Sprintf("share %d at rate %g", s, rate), mix[s], demand[s], 1e-6)
		}
		near(t, "swing", swing, 0, 1e-6)
	}
	if _, swing := rest(2.1, demand, 400); swing < 0.01 {
		t.Errorf("at rate 2.1, above the limit of 2, shares swing by %g only", swing)
	}
	for _, many := range [][]float64{{0.4, 0.3, 0.2, 0.1}, {0.3, 0.2, 0.2, 0.1, 0.1, 0.1}} {
		if _, swing := rest(1.9, many, 600); swing > 1e-6 {
			t.Errorf("from equal shares of %d subsets at rate 1.9 shares swing by %g; the exponent's bound should let them rest", len(many), swing)
		}
	}
}

func TestAMixKeepsItsFloorWhateverPays(t *testing.T) {
	mix := Even(4)
	rule := MixRule{Rate: 1, Floor: 0.02}
	for range 50 {
		rule.Toward(mix, []float64{1, 0, 0, 0})
	}
	for s, want := range []float64{0.94, 0.02, 0.02, 0.02} {
		near(t, fmt.Sprint("share ", s), mix[s], want, 1e-12)
	}
	before := slices.Clone(mix)
	if rule.Toward(mix, make([]float64, 4)); !slices.Equal(mix, before) {
		t.Error("a mix moves where nothing pays")
	}
}

func TestNoiseInIncomeSpreadsAMixAsItsRateSays(t *testing.T) {
	const rate, noise = 0.3, 0.2
	stream := num.NewStream(1, "noise")
	rule := MixRule{Rate: rate}
	mix := Even(2)
	sum, n := 0.0, 0
	for i := range 60000 {
		income := []float64{0.5 / mix[0] * (1 + noise*stream.Normal()), 0.5 / mix[1] * (1 + noise*stream.Normal())}
		if rule.Toward(mix, income); i > 100 {
			x := math.Log(mix[0] / mix[1])
			sum, n = sum+x*x, n+1
		}
	}
	near(t, "spread of the log ratio", math.Sqrt(sum/float64(n)), 0.1188, 0.006)
}

// An owner who sees only the sum of its income finds where it pays.
func TestAProbeClimbsToWhatPaysFromItsIncomeOnly(t *testing.T) {
	stream := num.NewStream(1, "probe")
	rule := MixRule{Rate: 0.3, Floor: 0.02}
	var p Probe
	mix := p.Next(rule, Even(3), 0, 0.02, stream)
	for range 400 {
		income := 0.1*mix[0] + 0.2*mix[1] + 0.7*mix[2]
		mix = p.Next(rule, mix, income, 0.02, stream)
	}
	if p.Base[2] < 0.9 {
		t.Errorf("after 200 tries the share of the best subset is %.3f, want above .9", p.Base[2])
	}
}

func TestDutyRisesWhileTheLastStepPaysItsEnergy(t *testing.T) {
	for _, c := range []struct{ energy, want float64 }{{0.05, 1}, {5, 0}} {
		var e Effort
		e.Quarters = 2
		sum := 0.0
		for i := range 60 {
			e.Next(math.Sqrt(e.Share()), c.energy, 0.3)
			if i >= 40 {
				sum += e.Share() / 20
			}
		}
		near(t, fmt.Sprintf("mean duty at energy %g", c.energy), sum, c.want, 0.25)
	}
}

func TestADutyThatBringsNothingFalls(t *testing.T) {
	e := Effort{Quarters: 2}
	for range 10 {
		e.Next(0, 5, 0.3)
	}
	if e.Quarters != 0 {
		t.Errorf("%d quarters of the time bring nothing and cost energy", e.Quarters)
	}
}

func TestAFoundationLosesHalfItsStakeInItsHalfLife(t *testing.T) {
	stake := uint64(1e15)
	for range 24 {
		stake -= Decayed(stake, HoursPerYear/12, 1)
	}
	if stake < 249_999_999_999_990 || stake > 250_000_000_000_010 {
		t.Errorf("after two half-lives %d rao of 1e15 are left", stake)
	}
	if Decayed(1e15, 1, 0) != 0 || Part(5, 2) != 5 || Part(5, -1) != 0 || Part(7, 0.5) != 3 {
		t.Error("a part is not between nothing and all, rounded down")
	}
}

func TestNominatorsFollowYieldsByTheirExponentials(t *testing.T) {
	shares := Logit([]float64{0.20, 0.18, 0.15}, 20)
	for i, want := range []float64{0.490629, 0.328879, 0.180492} {
		near(t, fmt.Sprint("share ", i), shares[i], want, 5e-7)
	}
	// With dilution: equal pay, takes 0, .09, .18 and a stake of 150 in all.
	stake := []float64{50, 50, 50}
	for range 500 {
		yields := make([]float64, 3)
		for i, take := range []float64{0, 0.09, 0.18} {
			yields[i] = 10 * (1 - take) / stake[i]
		}
		for i, share := range Logit(yields, 20) {
			stake[i] += 0.05 * (150*share - stake[i])
		}
	}
	for i, want := range []float64{0.359141, 0.333478, 0.307381} {
		near(t, fmt.Sprint("share under dilution ", i), stake[i]/150, want, 1e-5)
	}
}

func TestADelegateGoesOnWhereItsRevenueRises(t *testing.T) {
	take, h := 0.0, Haggle{}
	for range 200 {
		if h.Next(take * math.Exp(-4*take)) { // most at a quarter
			take = max(take-0.01, 0)
		} else {
			take += 0.01
		}
	}
	near(t, "take", take, 0.25, 0.03)
}

func TestSealsComeAtTheMeanOfTheirLottery(t *testing.T) {
	stream := num.NewStream(3, "seals")
	sum := 0.0
	const n = 20000
	for range n {
		sum += SealSeconds(1e9, 1e6, stream)
	}
	near(t, "mean seconds", sum/n, 1000, 4*1000/math.Sqrt(n))
}

func TestTheGainLimitFallsWithTheAgeOfTheSignal(t *testing.T) {
	for d, want := range []float64{2, 1, 0.618, 0.445, 0.347, 0.285} {
		near(t, fmt.Sprint("limit at delay ", d), GainLimit(d), want, 6e-4)
		// A loop in logarithms just below the limit rests, just above it does not.
		for _, c := range []struct{ factor, low, high float64 }{{0.95, 0, 1e-3}, {1.05, 1e-3, math.Inf(1)}} {
			x := slices.Repeat([]float64{0.01}, d+1)
			for range 3000 {
				x = append(x, x[len(x)-1]-c.factor*GainLimit(d)*x[len(x)-1-d])
			}
			if last := math.Abs(x[len(x)-1]); !(last >= c.low && last <= c.high) && !math.IsNaN(last) {
				t.Errorf("delay %d at %g of the limit: %g after 3000 decisions", d, c.factor, last)
			}
		}
	}
}

func TestPricesAreStepFunctionsWithTheMomentsOfTheirLaw(t *testing.T) {
	const n, day = 20000, 24 * host.Hour
	year := host.Time(HoursPerYear) * host.Hour
	for _, c := range []struct {
		name               string
		path               func(*num.Stream) *Path
		at                 host.Time
		mean, sd, meanOfLn float64
		sdOfLn             float64
	}{
		{"brownian", func(s *num.Stream) *Path { return Brownian{0.1, 0.9}.Path(1, year, 1, s) }, year, 1.105171, 1.234584, 0.1 - 0.405, 0.9},
		{"regimes", func(s *num.Stream) *Path {
			return Regimes{[2]float64{0.01, 0.03}, [2]float64{0.001, -0.004}, [2]float64{0.03, 0.08}}.Path(1, day, 365, s)
		}, 365 * day, 1.412329, 1.539398, -0.06, 0.9},
	} {
		stream := num.NewStream(5, c.name)
		sum, squares, logs := 0.0, 0.0, 0.0
		for range n {
			x := c.path(stream).At(c.at)
			sum, squares, logs = sum+x/n, squares+x*x/n, logs+math.Log(x)/n
		}
		near(t, c.name+" mean", sum, c.mean, 4*c.sd/math.Sqrt(n))
		near(t, c.name+" spread", math.Sqrt(squares-sum*sum), c.sd, 0.15*c.sd)
		near(t, c.name+" mean of the logarithm", logs, c.meanOfLn, 4*c.sdOfLn/math.Sqrt(n))
	}
	p := Recorded([]host.Time{0, 10, 20}, []float64{1, 2, 3})
	for at, want := range map[host.Time]float64{-5: 1, 0: 1, 9: 1, 10: 2, 19: 2, 20: 3, 1e18: 3} { // order-free: each stands alone
		near(t, fmt.Sprint("recorded at ", at), p.At(at), want, 0)
	}
	near(t, "constant", Constant(7).At(1e18), 7, 0)
}

// Many who answer one income at once overshoot for ever; a twentieth of them at a time come to rest.
func TestStaggeredOwnersRestWhereLockstepSwings(t *testing.T) {
	const candidates, reward, cost = 200, 100.0, 2.0
	for _, every := range []uint64{1, 20} {
		in := make([]bool, candidates)
		n, low, high := 0, candidates, 0
		for epoch := range uint64(300) {
			seen := n
			for i := range in {
				if !(Rhythm{Every: every, Offset: uint64(i) % every}).Due(epoch) {
					continue
				}
				switch income := reward / float64(seen+1); {
				case !in[i] && income > cost*1.1:
					in[i], n = true, n+1
				case in[i] && reward/float64(max(seen, 1)) < cost:
					in[i], n = false, n-1
				}
			}
			if epoch > 200 {
				low, high = min(low, n), max(high, n)
			}
		}
		if every == 1 && (low != 0 || high != candidates) {
			t.Errorf("all at once: %d to %d, want 0 and %d in turn", low, high, candidates)
		}
		if every == 20 && (low < 46 || high > 50) {
			t.Errorf("a twentieth at a time: %d to %d, want to rest at 46 to 50", low, high)
		}
	}
}

// A try of one hundredth to either side that brings 1 % more on one of them says that income rises as the share does.
func TestAProbeStepsByTheSlopeThatItFound(t *testing.T) {
	rule, stream := MixRule{Rate: 0.3}, num.NewStream(1, "slope")
	var p Probe
	p.Next(rule, Even(2), 0, 0.01, stream)
	for p.Direction[0] == p.Direction[1] { // a direction that moves nothing
		p = Probe{}
		p.Next(rule, Even(2), 0, 0.01, stream)
	}
	up := 0
	if p.Direction[1] > 0 {
		up = 1
	}
	p.Next(rule, Even(2), 1.01, 0.01, stream)
	p.Next(rule, Even(2), 0.99, 0.01, stream)
	near(t, "log ratio after a slope of 1", math.Log(p.Base[up]/p.Base[1-up]), 2*0.3, 1e-12)
}

func TestWhatIsNewBeginsWithAShareThatCanGrow(t *testing.T) {
	for floor, want := range map[float64]float64{0: 0.01, 0.05: 0.05} { // order-free: each stands alone
		mix := []float64{0.4, 0.6, 0}
		MixRule{Floor: floor}.Welcome(mix, []int{2})
		near(t, "share of what is new", mix[2], want, 1e-12)
		near(t, "sum", mix[0]+mix[1]+mix[2], 1, 1e-12)
	}
}

func TestWhoWaitsEntersOnlyWhereTheWorthExceedsThePriceByItsFactor(t *testing.T) {
	s := Seat{Discount: 0.001, Factor: 2}
	for price, want := range map[float64]string{44: Enter, 46: Dear} { // order-free: each stands alone
		if _, got := s.Enters(1.5, 0.5, 0.01, 0, price, 1000); got != want {
			t.Errorf("a worth of 90 at a price of %g: %s, want %s", price, got, want)
		}
	}
}
