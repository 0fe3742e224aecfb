package num_test

import (
	"math"
	"testing"

	"taolab/model/num"
)

func TestNormalQuantileInvertsTheDistribution(t *testing.T) {
	s := num.NewStream(1, "quantile")
	var worst float64
	for range 200_000 {
		p := math.Ldexp(s.Float64(), -s.IntN(900))
		if p == 0 {
			continue
		}
		z := num.NormalQuantile(p)
		// One Newton step from z toward the exact quantile is z's error.
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		step := (math.Erfc(-z/math.Sqrt2)/2 - p) / density
		if z != 0 && density > 0 {
			worst = max(worst, math.Abs(step/z))
		}
		if p >= 0.5 && 1-(1-p) == p && num.NormalQuantile(1-p) != -z {
			t.Fatalf("NormalQuantile(%v) = %v and NormalQuantile(%v) = %v, expected opposite numbers", p, z, 1-p, num.NormalQuantile(1-p))
		}
	}
	t.Logf("relative error at most %.3g", worst)
	if worst > 1e-12 { // Erfc's own error in the far tail is most of it
		t.Errorf("relative error %.3g, expected at most 1e-12", worst)
	}
}

func TestNormalQuantileOfKnownProbabilities(t *testing.T) {
	for _, c := range []struct{ p, want float64 }{
		{0, math.Inf(-1)}, {1, math.Inf(1)}, {-1, math.NaN()}, {2, math.NaN()}, {math.NaN(), math.NaN()}, {.5, 0},
		{.25, -0.6744897501960817}, {.975, 1.959963984540054}, {1e-3, -3.090232306167814}, {1e-20, -9.262340089798408},
	} {
		got := num.NormalQuantile(c.p)
		if !(math.IsNaN(c.want) && math.IsNaN(got)) && !(got == c.want) && !(math.Abs(got-c.want) < 4e-15*math.Abs(c.want)) {
			t.Errorf("NormalQuantile(%v) = %v, expected %v", c.p, got, c.want)
		}
	}
}
