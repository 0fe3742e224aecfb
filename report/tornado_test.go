package report

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestATornadoHasItsStrongestKeyOnTop(t *testing.T) {
	dir := t.TempDir()
	none := math.NaN()
	err := WriteTornado(dir, Tornado{Metric: "money.miners_rao", Measure: "mu*", Within: "sigma", Bars: []TornadoBar{
		{"take", 3e12, 1e12, none, none}, {"kappa", 5e12, 2e11, 4e12, 6e12}, {"tempo", 0, 0, none, none},
	}})
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, FiguresFolder, "*.csv"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	csv, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = "tempo,0,,,0\ntake,3e+12,,,1e+12\nkappa,5e+12,4e+12,6e+12,2e+11\n"
	if !strings.HasSuffix(string(csv), want) {
		t.Errorf("data from the bottom up:\n%s\nexpected\n%s", csv, want)
	}
	if unit, exponent := thousandsOf([]TornadoBar{{Value: -5e12}}); unit != 1e9 || exponent != 9 {
		t.Errorf("bars of 5e12 in units of %v, 10^%d; expected 1e9", unit, exponent)
	}
}
