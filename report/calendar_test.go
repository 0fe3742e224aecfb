package report

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

const dayNs = 24 * 3600 * 1e9

// ended is a supply of one TAO a day for 800 days, then nothing, seen every 100 days and at both ends.
func ended(start string) *supplyFacts {
	s := &supplyFacts{calendar: newCalendar(start, 1200*dayNs)}
	s.ends = s.calendar.years()
	for day := uint64(100); day <= 1200; day += 100 {
		b := trace.Block{Height: day, TimeNs: int64(day * dayNs), IssuanceRao: min(day, 800) * raoPerTAO}
		if day <= 800 {
			b.EmissionRao = raoPerTAO
		}
		s.add(b)
	}
	return s
}

func TestYearsAreOfTheCalendarWhereItsStartIsKnown(t *testing.T) {
	for _, c := range []struct {
		start string
		years []string
		tao   []float64 // minted in each
	}{
		{"", []string{"1", "2", "3"}, []float64{365.25, 365.25, 69.5}},
		{"2024-01-01", []string{"2024", "2025", "2026"}, []float64{366, 365, 69}},
		{"2023-07-01", []string{"2024", "2025"}, []float64{366, 250}},
	} {
		var years []string
		for i, y := range ended(c.start).years() {
			years = append(years, y.Year)
			if i < len(c.tao) && math.Abs(y.EmissionTAO-c.tao[i]) > 1e-6 {
				t.Errorf("start %q, year %s: %g TAO, expected %g", c.start, y.Year, y.EmissionTAO, c.tao[i])
			}
		}
		if !slices.Equal(years, c.years) || !slices.Equal(YearNames(c.start, 1200*dayNs), c.years) {
			t.Errorf("start %q: years %v, expected %v", c.start, years, c.years)
		}
	}
}

func TestInflationIsOverTheIssuanceAtTheBeginningOfAYear(t *testing.T) {
	years := ended("").years()
	if years[0].Inflation != 0 || math.Abs(years[1].Inflation-1) > 1e-9 || math.Abs(years[2].Inflation-69.5/730.5) > 1e-9 {
		t.Errorf("inflation %g, %g, %g; expected 0 (of nothing), 1, %g", years[0].Inflation, years[1].Inflation, years[2].Inflation, 69.5/730.5)
	}
	if s := ended("").summary(); s.LastBlock == nil || *s.LastBlock != 799 || s.IssuanceRao != 800*raoPerTAO || s.Halvings != 0 {
		t.Errorf("%+v; expected the last block 799, counted from 0, and 800 TAO", *s)
	}
}

func TestHalvingsAreCountedFromTheFirstEmission(t *testing.T) {
	var s supplyFacts
	for height, rao := range []uint64{0, 0, 8, 8, 4, 0, 2} {
		s.add(trace.Block{Height: uint64(height), EmissionRao: rao})
	}
	if s.halvings != 2 {
		t.Errorf("%d halvings, expected 2", s.halvings)
	}
}

func TestTheSupplyFigureNeedsTwoYears(t *testing.T) {
	if fig, err := (&findings{course: *ended("2024-01-01")}).supplyFigure(); err != nil || len(fig.data) != 3 {
		t.Errorf("%v, %v; expected a figure of three years", fig, err)
	}
	if CheckDate("2024-02-30") || !CheckDate("2024-02-29") {
		t.Error("dates are not checked")
	}
}

func TestAStepBeginsWithItsFirstYear(t *testing.T) {
	line := step(step(nil, 2026, 2027, 5), 2027, 2028, 7)
	if want := (plotter.XYs{{X: 2026, Y: 5}, {X: 2027, Y: 5}, {X: 2028, Y: 7}}); !slices.Equal(line, want) {
		t.Errorf("%v, expected %v", line, want)
	}
}
