package report

import (
	"fmt"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"taolab/sim/trace"
)

// yearNs is the mean year of the Julian calendar.
const yearNs = 365.25 * 24 * 3600 * 1e9

// calendar names the whole years of a run: by date where the scenario says when it began, and by number,
// from 1, where it does not.
type calendar struct {
	start time.Time // zero: not said
	ns    int64     // length of the run
}

// dateLayout is how a scenario writes the date of its genesis.
const dateLayout = "2006-01-02"

func newCalendar(start string, ns int64) calendar {
	date, err := time.Parse(dateLayout, start)
	if err != nil {
		return calendar{ns: ns}
	}
	return calendar{date, ns}
}

// since is the time from genesis to a date; a time.Duration ends after 292 years.
func (c calendar) since(date time.Time) float64 { return 1e9 * float64(date.Unix()-c.start.Unix()) }

// years are the ends of the run's years, the first entry the beginning of the first.
func (c calendar) years() (ends []float64) {
	for i := 0; ; i++ {
		end := float64(i) * yearNs
		if !c.start.IsZero() {
			end = c.since(time.Date(c.firstYear()+i, time.January, 1, 0, 0, 0, 0, time.UTC))
		}
		if end > float64(c.ns) {
			return ends
		}
		ends = append(ends, end)
	}
}

// firstYear is the first year that lies whole behind genesis; 1 without dates.
func (c calendar) firstYear() int {
	if c.start.IsZero() {
		return 1
	}
	year := c.start.Year()
	if c.start.YearDay() > 1 {
		year++
	}
	return year
}

// axis is the label of a time axis in years, and where on it a moment lies.
func (c calendar) axis() (label string, place func(ns float64) float64) {
	if c.start.IsZero() {
		return "simulated time (years)", func(ns float64) float64 { return ns / yearNs }
	}
	first := float64(c.start.Year()) + (float64(c.start.YearDay())-1)/365.25
	return "year", func(ns float64) float64 { return first + ns/yearNs }
}

// YearNames are the names of the whole years of a run that begins at a date, which may be empty, and
// lasts so many ns.
func YearNames(start string, ns int64) []string {
	c := newCalendar(start, ns)
	var names []string
	for i := range max(len(c.years())-1, 0) {
		names = append(names, fmt.Sprint(c.firstYear()+i))
	}
	return names
}

// CheckDate reports whether a text can be the date of a genesis.
func CheckDate(text string) bool {
	_, err := time.Parse(dateLayout, text)
	return err == nil
}

// supplyFacts is the course of the supply: a straight line from each recorded block to the next. Where
// blocks are recorded at the ends of stretches of equal emission the line is exact, except for money
// that was recycled between two of them.
type supplyFacts struct {
	calendar calendar
	ends     []float64 // of years, in ns
	seen     int
	before   point   // of the row before
	at       []point // at the ends of years
	last     uint64  // block that minted last, as far as rows show
	ended    bool    // a later row shows a block that minted nothing
	rate     uint64  // emission of a block, since the last halving
	halvings int
	issuance uint64 // rao, at the last row
}

// point is a moment of the supply.
type point struct {
	ns, height, issuance, minted float64
}

// between is the point at a time on the line from one to another.
func (p point) between(q point, ns float64) point {
	part := over(ns-p.ns, q.ns-p.ns)
	mix := func(a, b float64) float64 { return a + part*(b-a) }
	return point{ns, mix(p.height, q.height), mix(p.issuance, q.issuance), mix(p.minted, q.minted)}
}

// add takes a block, in order. The minted sum is of the blocks since the row before; the issuance is
// the ledger's.
func (s *supplyFacts) add(b trace.Block) {
	height := float64(b.Height)
	if s.seen == 0 { // genesis, if all blocks so far were like this one
		s.before = point{issuance: float64(b.IssuanceRao) - height*float64(b.EmissionRao)}
		s.before.minted = s.before.issuance
	}
	next := point{ns: float64(b.TimeNs), height: height, issuance: float64(b.IssuanceRao)}
	next.minted = s.before.minted + max(next.issuance-s.before.issuance, 0)
	for len(s.at) < len(s.ends) && s.ends[len(s.at)] <= next.ns {
		s.at = append(s.at, s.before.between(next, s.ends[len(s.at)]))
	}
	if s.rate == 0 {
		s.rate = b.EmissionRao
	}
	if b.EmissionRao > 0 && b.EmissionRao <= s.rate/2 {
		s.halvings, s.rate = s.halvings+1, b.EmissionRao
	}
	if b.EmissionRao > 0 {
		s.last, s.ended = b.Height, false
	} else {
		s.ended = true
	}
	s.seen++
	s.issuance, s.before = b.IssuanceRao, next
}

// CourseSummary is the course of the supply.
type CourseSummary struct {
	IssuanceRao uint64        `json:"issuance_rao"` // at the last recorded block
	Halvings    int           `json:"halvings"`
	LastBlock   *uint64       `json:"last_block"` // that minted anything, counted from 0; null while blocks mint
	Years       []YearSummary `json:"years,omitempty"`
}

// summary is nil where no block was recorded.
func (s *supplyFacts) summary() *CourseSummary {
	if s.seen == 0 {
		return nil
	}
	c := &CourseSummary{IssuanceRao: s.issuance, Halvings: s.halvings, Years: s.years()}
	if s.ended {
		c.LastBlock = trace.Some(s.last - min(s.last, 1))
	}
	return c
}

// courseSummary is the course of the supply with who was paid.
func (f *findings) courseSummary() *CourseSummary {
	c := f.course.summary()
	if c != nil {
		f.yearly.split(c.Years)
	}
	return c
}

// YearSummary is one whole year of the supply.
type YearSummary struct {
	Year        string  `json:"year"`
	IssuanceTAO float64 `json:"issuance_tao"` // at its end
	EmissionTAO float64 `json:"emission_tao"` // in it
	Inflation   float64 `json:"inflation"`    // emission over the issuance at its beginning; 0 where that was 0

	// Parts of what was minted in it, where epochs and ledger say so; validators with those who nominate them.
	Miners     *float64 `json:"miners,omitempty"`
	Validators *float64 `json:"validators,omitempty"`
	Nominators *float64 `json:"nominators,omitempty"` // part of what validators got; nil where nobody nominates
	Owner      *float64 `json:"owner,omitempty"`

	Yield     *float64 `json:"yield,omitempty"`      // of stake on validators, compounded by epoch
	RealYield *float64 `json:"real_yield,omitempty"` // less inflation; nil in a year that begins with nothing
}

// years are the whole years that the rows cover.
func (s *supplyFacts) years() []YearSummary {
	var out []YearSummary
	for i := 1; i < len(s.at); i++ {
		a, b := s.at[i-1], s.at[i]
		y := YearSummary{Year: fmt.Sprint(s.calendar.firstYear() + i - 1), IssuanceTAO: b.issuance / raoPerTAO,
			EmissionTAO: (b.minted - a.minted) / raoPerTAO}
		if a.issuance > 0 {
			y.Inflation = (b.minted - a.minted) / a.issuance
		}
		out = append(out, y)
	}
	return out
}

// supplyFigure shows supply, yearly emission and inflation over the years.
func (f *findings) supplyFigure() (*figure, error) {
	years := f.course.years()
	if len(years) < 2 {
		return nil, without("supply", "fewer than two whole years in table", string(trace.Blocks))
	}
	label, place := f.course.calendar.axis()
	top, middle, bottom := newPanel("", "issuance (M TAO)"), newPanel("", "emission (TAO a year)"), newPanel(label, "inflation (% a year)")
	fig := &figure{
		name: "supply", title: "Supply by year", panels: []*plot.Plot{top, middle, bottom}, height: figureHeight * 3 / 2,
		caption: "The total issuance at the end of each whole year, what was minted in it, and that over the issuance at its " +
			"beginning, where there was any.",
		columns: []string{"year", "block at its end", "issuance (TAO)", "emission (TAO)", "inflation (%)"},
	}
	lines := [3]plotter.XYs{}
	for i, y := range years {
		end := f.course.at[i+1]
		x := place(end.ns)
		fig.row(y.Year, uint64(end.height), y.IssuanceTAO, y.EmissionTAO, 100*y.Inflation)
		lines[0] = append(lines[0], plotter.XY{X: x, Y: y.IssuanceTAO / 1e6})
		begin := place(f.course.at[i].ns)
		lines[1] = step(lines[1], begin, x, y.EmissionTAO)
		fig.point(0, x, y.IssuanceTAO/1e6, "end of %s, block %d: %s TAO", y.Year, uint64(end.height), brief(y.IssuanceTAO))
		fig.point(1, x, y.EmissionTAO, "%s: %s TAO", y.Year, brief(y.EmissionTAO))
		if y.Inflation > 0 {
			lines[2] = step(lines[2], begin, x, 100*y.Inflation)
			fig.point(2, x, 100*y.Inflation, "%s: %s %%", y.Year, brief(100*y.Inflation))
		}
	}
	for i, p := range fig.panels {
		line := plotter.Line{XYs: lines[i], LineStyle: lineStyle(okabeIto[[]int{4, 0, 1}[i]], 1.6)}
		if i > 0 {
			line.StepStyle = plotter.PreStep
		}
		p.Add(lined(&line))
		p.Y.Min, p.Y.Tick.Marker = 0, ticks(3)
		p.X.Min, p.X.Max = place(0), place(float64(f.course.calendar.ns))
	}
	return fig, nil
}

// step appends a level from begin to end to a line whose steps stand before their points.
func step(line plotter.XYs, begin, end, level float64) plotter.XYs {
	if len(line) == 0 {
		line = append(line, plotter.XY{X: begin, Y: level})
	}
	return append(line, plotter.XY{X: end, Y: level})
}
