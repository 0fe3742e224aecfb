package role

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"taolab/agents/decide"
	"taolab/agents/settings"
	"taolab/model/num"
	"taolab/sim/host"
)

// Price holds the settings of a price path.
type Price struct {
	Name      string  `toml:"name" default:"unit" doc:"name by which costs refer to the path; its random numbers depend on the name"`
	Kind      string  `toml:"kind" default:"constant" one:"constant,brownian,regimes,csv" doc:"constant; brownian: a geometric Brownian motion; regimes: a market that alternates between two states; csv: a file with the columns hours and value, each value valid from its hour on"`
	Value     float64 `toml:"value" default:"1" unit:"TAO" min:"1e-12" max:"1e12" doc:"price at genesis; csv: a factor on the file's values"`
	Drift     float64 `toml:"drift" unit:"1/year" min:"-1e6" max:"1e6" doc:"brownian: growth of the mean"`
	Spread    float64 `toml:"spread" default:"0.9" unit:"1/year" min:"0" max:"1e4" doc:"brownian: standard deviation of a year's logarithm"`
	Calm      float64 `toml:"calm_ends" default:"0.01" unit:"share" min:"0" max:"1" doc:"regimes: chance per step that the first state ends"`
	Storm     float64 `toml:"storm_ends" default:"0.03" unit:"share" min:"0" max:"1" doc:"regimes: chance per step that the second state ends"`
	CalmMean  float64 `toml:"calm_mean" default:"0.001" min:"-10" max:"10" doc:"regimes: mean of a step's logarithm in the first state"`
	StormMean float64 `toml:"storm_mean" default:"-0.004" min:"-10" max:"10" doc:"regimes: the same in the second"`
	CalmSD    float64 `toml:"calm_sd" default:"0.03" min:"0" max:"10" doc:"regimes: its standard deviation in the first state"`
	StormSD   float64 `toml:"storm_sd" default:"0.08" min:"0" max:"10" doc:"regimes: the same in the second"`
	StepH     float64 `toml:"step_h" default:"24" unit:"h" min:"0.01" max:"876600" doc:"brownian, regimes: time between two values"`
	File      string  `toml:"file" doc:"csv: path of the file, relative to the scenario file"`
}

// Path makes the path of a run of hours hours.
func (p *Price) Path(seed uint64, hours float64, open Opener) (*decide.Path, error) {
	step := host.Time(float64(p.StepH * float64(host.Hour)))
	steps := int(hours/p.StepH) + 1
	if (p.Kind == "brownian" || p.Kind == "regimes") && steps > decide.MaxSteps {
		return nil, &settings.Error{Key: "step_h",
			Fault: fmt.Sprintf("%g h make %d steps of the run", p.StepH, steps), Want: fmt.Sprintf("at most %d", decide.MaxSteps), Hint: "lengthen step_h"}
	}
	stream := num.NewStream(seed, fmt.Sprintf("price/%s/%d", p.Name, step))
	switch p.Kind {
	case "brownian":
		return p.bounded(decide.Brownian{Drift: p.Drift, Spread: p.Spread}.Path(p.Value, step, steps, stream))
	case "regimes":
		r := decide.Regimes{Change: [2]float64{p.Calm, p.Storm}, Mean: [2]float64{p.CalmMean, p.StormMean}, Spread: [2]float64{p.CalmSD, p.StormSD}}
		return p.bounded(r.Path(p.Value, step, steps, stream))
	case "csv":
		return p.recorded(open)
	}
	return decide.Constant(p.Value), nil
}

// Prices lie between maxPrice and its inverse, so that costs stay finite.
const maxPrice = 1e200

// bounded refuses a drawn path that leaves that range.
func (p *Price) bounded(path *decide.Path) (*decide.Path, error) {
	if least, most := path.Extremes(); !(least >= 1/maxPrice && most <= maxPrice) {
		return nil, &settings.Error{Key: "kind", Fault: fmt.Sprintf("the %s path goes from %g to %g", p.Kind, least, most),
			Want: fmt.Sprintf("prices from %g to %g", 1/maxPrice, maxPrice), Hint: "lower drift, spread, or the means and deviations of the steps"}
	}
	return path, nil
}

// priceHeader is the first line of a file of prices.
var priceHeader = []string{"hours", "value"}

// recorded reads a path from a file.
func (p *Price) recorded(open Opener) (*decide.Path, error) {
	f, err := open(p.File)
	if err != nil {
		return nil, &settings.Error{Key: "file", Fault: fmt.Sprintf("%s cannot be read: %v", p.File, cause(err)),
			Want: "a CSV file with the columns hours, value"}
	}
	defer f.Close()
	var times []host.Time
	var values []float64
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord = len(priceHeader), true
	for row, line := 1, 0; ; row++ {
		fields, err := r.Read()
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax):
			line = syntax.Line
		case err == nil:
			line, _ = r.FieldPos(0)
		default:
			line++
		}
		bad := func(fault, want string) error {
			return &settings.Error{Where: fmt.Sprintf("%s:%d", p.File, line), Fault: fault, Want: want}
		}
		switch {
		case err == io.EOF && len(values) == 0:
			return nil, bad("the file has no prices", "the columns hours, value, and a line for each change")
		case err == io.EOF:
			return decide.Recorded(times, values), nil
		case syntax != nil:
			return nil, bad("the line cannot be read", "2 fields with a comma between them")
		case err != nil:
			return nil, bad(fmt.Sprintf("the rest cannot be read: %v", cause(err)), "a file that can be read to its end")
		case row == 1 && (fields[0] != priceHeader[0] || fields[1] != priceHeader[1]):
			return nil, bad(fmt.Sprintf("columns %q", fields), fmt.Sprintf("%q", priceHeader))
		case row == 1:
			continue
		case row > decide.MaxSteps:
			return nil, bad("the file is too long", fmt.Sprintf("at most %d lines with a price", decide.MaxSteps-1))
		}
		hours, hoursErr := strconv.ParseFloat(fields[0], 64)
		value, valueErr := strconv.ParseFloat(fields[1], 64)
		at := host.Time(0)
		if hoursErr == nil && hours >= 0 && hours <= maxPriceHours {
			at = host.Time(float64(hours * float64(host.Hour)))
		} else {
			hoursErr = strconv.ErrRange
		}
		switch {
		case hoursErr != nil || valueErr != nil || !(value > 0 && value <= 1e12):
			return nil, bad(fmt.Sprintf("hours %q, value %q", fields[0], fields[1]),
				fmt.Sprintf("hours from 0 to %d, and a value above 0 up to 1e12", int(maxPriceHours)))
		case len(times) == 0 && at > 0:
			return nil, bad(fmt.Sprintf("the first price is of hour %g", hours), "one of hour 0, the price at genesis")
		case len(times) > 0 && at <= times[len(times)-1]:
			return nil, bad(fmt.Sprintf("hour %g does not follow the one before", hours), "hours in ascending order")
		}
		times, values = append(times, at), append(values, float64(value*p.Value))
	}
}

// maxPriceHours is the longest run.
const maxPriceHours = 1.2e6
