package report

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

func TestALineGetsTheRoomThatGonumGivesIt(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		whole := &plotter.Line{LineStyle: draw.LineStyle{Width: vg.Points(1 + 20*random.Float64())}}
		for range 1 + random.IntN(30) {
			whole.XYs = append(whole.XYs, plotter.XY{X: random.NormFloat64(), Y: random.NormFloat64()})
		}
		narrow := random.IntN(2) == 0 // some points lie beyond the panel
		room := func(p plot.Plotter) vg.Rectangle {
			panel := plot.New()
			panel.Add(p)
			if narrow {
				panel.X.Min, panel.X.Max, panel.Y.Max = -0.5, 0.5, 0.7
			}
			return panel.DataCanvas(draw.New(vgimg.New(300, 200))).Rectangle
		}
		if got, want := room(lined(whole)), room(whole); got != want {
			t.Fatalf("%v: %+v, gonum gives %+v", whole.XYs, got, want)
		}
	}
}

func TestALineOfAnyLengthAsksForAHandfulOfBoxes(t *testing.T) {
	long := &plotter.Line{XYs: make(plotter.XYs, 1<<20)}
	for i := range long.XYs {
		long.XYs[i] = plotter.XY{X: float64(i), Y: float64(i % 7)}
	}
	panel := plot.New()
	panel.Add(lined(long))
	if n := len(lined(long).GlyphBoxes(panel)); n > 4 {
		t.Errorf("%d boxes", n)
	}
}
