package decide

import (
	"math"
	"testing"
)

// Of equal uids that share all there is, one more and one less are what counting says.
func TestOneUidMoreOrLessOfEqualOnes(t *testing.T) {
	same := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, expected %v", what, got, want)
		}
	}
	const all = 180.0
	for n := 2.0; n < 40; n++ {
		for k := 1.0; k < n; k++ {
			own := all * k / n
			same("one more", Gain(own, all, int(k), int(n-k), false), all*((k+1)/(n+1)-k/n))
			same("one more where no seat is free", Gain(own, all, int(k), int(n-k), true), all/n)
			same("one less", Loss(all/n, own, all), all*(k/n-(k-1)/(n-1)))
		}
	}
	same("all is its own", Gain(all, all, 3, 0, false), 0)
	same("the only one of all", Loss(all, all, all), all)
	same("nobody earns", Gain(0, 0, 1, 3, false), 0)
}
