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

// Price is a price path of a network.
type Price struct {
	Name      string  `toml:"name" default:"unit" doc:"by which costs name the path; its random numbers come from it"`
	Kind      string  `toml:"kind" default:"constant" one:"constant,brownian,regimes,csv" doc:"constant; brownian: a geometric Brownian motion; regimes: two states of the market in turn; csv: a file with the columns hours and value, each value from its hour on"`
	Value     float64 `toml:"value" default:"1" unit:"TAO" min:"1e-12" max:"1e12" doc:"at genesis; of csv: a factor on the file's values"`
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

// Path makes the path of a run of so many hours.
func (p *Price) Path(seed uint64, hours float64, open Opener) (*decide.Path, error) {
	step := host.Time(float64(p.StepH * float64(host.Hour)))
	steps := int(hours/p.StepH) + 1
	if (p.Kind == "brownian" || p.Kind == "regimes") && steps > decide.MaxSteps {
		return nil, &settings.Error{Key: "step_h", Fault: fmt.Sprintf("%g h make %d steps of the run", p.StepH, steps), Want: fmt.Sprintf("at most %d", decide.MaxSteps), Hint: "lengthen step_h"}
	}
	stream := num.NewStream(seed, fmt.Sprintf("price/%s/%d", p.Name, step))
	switch p.Kind {
	case "brownian":
		return decide.Brownian{Drift: p.Drift, Spread: p.Spread}.Path(p.Value, step, steps, stream), nil
	case "regimes":
		r := decide.Regimes{Change: [2]float64{p.Calm, p.Storm}, Mean: [2]float64{p.CalmMean, p.StormMean}, Spread: [2]float64{p.CalmSD, p.StormSD}}
		return r.Path(p.Value, step, steps, stream), nil
	case "csv":
		return p.recorded(open)
	}
	return decide.Constant(p.Value), nil
}

// priceHeader is the first line of a file of prices.
var priceHeader = []string{"hours", "value"}

// recorded reads a path from a file.
func (p *Price) recorded(open Opener) (*decide.Path, error) {
	f, err := open(p.File)
	if err != nil {
		return nil, &settings.Error{Key: "file", Fault: fmt.Sprintf("%s cannot be read: %v", p.File, cause(err)), Want: "a CSV file with the columns hours, value"}
	}
	defer f.Close()
	var times []host.Time
	var values []float64
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord = len(priceHeader), true
	for line := 1; ; line++ {
		fields, err := r.Read()
		bad := func(fault, want string) error {
			return &settings.Error{Where: fmt.Sprintf("%s:%d", p.File, line), Fault: fault, Want: want}
		}
		var syntax *csv.ParseError
		switch {
		case err == io.EOF && len(values) == 0:
			return nil, bad("the file has no prices", "the columns hours, value, and a line for each change")
		case err == io.EOF:
			return decide.Recorded(times, values), nil
		case errors.As(err, &syntax):
			return nil, bad("the line cannot be read", "2 fields with a comma between them")
		case err != nil:
			return nil, err
		case line == 1 && (fields[0] != priceHeader[0] || fields[1] != priceHeader[1]):
			return nil, bad(fmt.Sprintf("columns %q", fields), fmt.Sprintf("%q", priceHeader))
		case line == 1:
			continue
		case line > decide.MaxSteps:
			return nil, bad("the file is too long", fmt.Sprintf("at most %d lines", decide.MaxSteps))
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
			return nil, bad(fmt.Sprintf("hours %q, value %q", fields[0], fields[1]), fmt.Sprintf("hours from 0 to %d, and a value above 0 up to 1e12", int(maxPriceHours)))
		case len(times) == 0 && at > 0:
			return nil, bad(fmt.Sprintf("the first price is of hour %g", hours), "one of hour 0: what holds from genesis on")
		case len(times) > 0 && at <= times[len(times)-1]:
			return nil, bad(fmt.Sprintf("hour %g does not come after the one before", hours), "hours in ascending order")
		}
		times, values = append(times, at), append(values, float64(value*p.Value))
	}
}

// maxPriceHours is the longest run.
const maxPriceHours = 1.2e6
