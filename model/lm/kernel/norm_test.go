package kernel

import (
	"fmt"
	"testing"

	"taolab/model/num"
)

func TestPartsOfALayerNormsBackwardPassMakeTheWhole(t *testing.T) {
	for _, isa := range Supported() {
		for _, d := range []int{1, 16, 37, 64} {
			t.Run(fmt.Sprintf("%v/%d", isa, d), func(t *testing.T) {
				defer Force(isa)()
				const rows, cut = 13, 5
				run := func(parts func(dy, gain, hat, scale, dx, dgain, dbias []float32)) [][]float32 {
					s := num.NewStream(1, "parts")
					dy, gain, hat, scale := fill(s, rows*d), fill(s, d), fill(s, rows*d), fill(s, rows)
					dx, dgain, dbias := fill(s, rows*d), fill(s, d), fill(s, d)
					parts(dy, gain, hat, scale, dx, dgain, dbias)
					return [][]float32{dx, dgain, dbias}
				}
				want := run(func(dy, gain, hat, scale, dx, dgain, dbias []float32) {
					LayerNormBackward(rows, d, dy, gain, hat, scale, dx, dgain, dbias)
				})
				got := run(func(dy, gain, hat, scale, dx, dgain, dbias []float32) {
					LayerNormBackward(cut, d, dy, gain, hat, scale, dx, dgain, dbias)
					LayerNormBackwardOnto(rows-cut, d, dy[cut*d:], gain, hat[cut*d:], scale[cut:], dx[cut*d:],
						dgain, dbias)
				})
				for i := range want {
					for j := range want[i] {
						if !sameBits(want[i][j], got[i][j]) {
							t.Fatalf("slice %d, element %d: %v in parts, %v at once", i, j, got[i][j], want[i][j])
						}
					}
				}
			})
		}
	}
}
