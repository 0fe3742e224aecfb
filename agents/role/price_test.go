package role

import (
	"io"
	"io/fs"
	"strings"
	"testing"

	"taolab/agents/settings"
	"taolab/sim/host"
)

// filed is a price path from a file with the given text.
func filed(text string) (Price, Opener) {
	p := settings.Default[Price]()
	p.Kind, p.File = "csv", "prices.csv"
	return p, func(path string) (io.ReadCloser, error) {
		if path != "prices.csv" {
			return nil, fs.ErrNotExist
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
}

func TestAPriceOfAFileHoldsFromItsHourOn(t *testing.T) {
	p, open := filed("hours,value\n0,2\n\n1.5,3\n")
	p.Value = 10
	path, err := p.Path(1, 100, open)
	if err != nil {
		t.Fatal(err)
	}
	for hour, want := range map[float64]float64{0: 20, 1.4: 20, 1.5: 30, 99: 30} { // order-free: each stands alone
		if got := path.At(host.Time(hour * float64(host.Hour))); got != want {
			t.Errorf("at hour %g: %g, want %g", hour, got, want)
		}
	}
}

func TestAFileThatIsNoPricePathIsRefusedByItsLine(t *testing.T) {
	for text, want := range map[string]string{ // order-free: each stands alone
		"":                                 "prices.csv:1: the file has no prices",
		"hours,value\n":                    "prices.csv:2: the file has no prices",
		"time,value\n0,1\n":                "prices.csv:1: columns",
		"hours,value\n1,1\n":               "prices.csv:2: the first price is of hour 1",
		"hours,value\n0,1\n\n\n5,2\n5,3\n": "prices.csv:6: hour 5 does not follow",
		"hours,value\n0,1\n\n\n5\n":        "prices.csv:5: the line cannot be read",
		"hours,value\n0,-1\n":              "prices.csv:2: hours \"0\", value \"-1\"",
		"hours,value\n0,NaN\n":             "value \"NaN\"",
		"hours,value\n-1,1\n":              "hours \"-1\"",
		"hours,value\n0,1e13\n":            "value \"1e13\"",
		"hours,value\n0,1\n99999999,1\n":   "prices.csv:3: hours \"99999999\"",
		"hours,value\n\"0\n\",1\n":         "prices.csv:2",
		"hours,value\n0,\"1\n":             "prices.csv:2",
	} {
		p, open := filed(text)
		if _, err := p.Path(1, 100, open); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	p, open := filed("")
	p.File = "other.csv"
	if _, err := p.Path(1, 100, open); err == nil || !strings.Contains(err.Error(), "other.csv cannot be read") {
		t.Error(err)
	}
}

// A path beyond the range of numbers would make costs that cannot be compared with an income.
func TestAPriceThatLeavesAllBoundsIsRefused(t *testing.T) {
	p := settings.Default[Price]()
	for _, c := range []func(){
		func() { p.Kind, p.CalmMean = "regimes", 10 },
		func() { p.Calm, p.CalmMean, p.StormMean = 1, -10, -10 },
		func() { p.Kind, p.Spread = "brownian", 1e4 },
	} {
		c()
		if _, err := p.Path(1, 8766, nil); err == nil || !strings.Contains(err.Error(), "drift") {
			t.Errorf("%s: %v", p.Kind, err)
		}
	}
	p = settings.Default[Price]()
	for _, p.Kind = range []string{"constant", "brownian", "regimes"} {
		if _, err := p.Path(1, 876600, nil); err != nil {
			t.Errorf("%s: %v", p.Kind, err)
		}
	}
}
