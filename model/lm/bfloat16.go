package lm

import "math"

// AdamState16 is [AdamState] with moments in bfloat16, the upper halves of float32 numbers: 8 bytes per
// weight with the weight itself instead of 12. Its zero value is a fresh one.
type AdamState16 struct {
	Step                       uint64
	Beta1Product, Beta2Product float64
	M, V                       []uint16 // bits of bfloat16, as Model.Weights
}

// Train16 is [Workspace.Train] with moments in bfloat16. They are rounded up or down in turn, so that
// on average nothing is lost, where plain rounding would never let a second moment fall.
func (w *Workspace) Train16(m *Model, o AdamW, st *AdamState16, tokens, targets []uint16,
	rows, cols int) float32 {
	if err := o.Validate(); err != nil {
		panic(err)
	}
	loss := w.gradient(m, tokens, targets, rows, cols)
	if clip, ok := clipFactor(o.ClipNorm, w.grads); ok {
		o.step16(m, st, w.grads, clip)
	}
	return loss
}

// moments16 is how many moments are widened at a time.
const moments16 = 512

// step16 is one step of AdamW along grads * clip.
func (o AdamW) step16(m *Model, st *AdamState16, grads []float32, clip float32) {
	if st.Step == 0 && len(st.M) == 0 && len(st.V) == 0 {
		st.M, st.V = make([]uint16, len(m.Weights)), make([]uint16, len(m.Weights))
	}
	checkLen("first moments", len(st.M), len(m.Weights))
	checkLen("second moments", len(st.V), len(m.Weights))
	k := o.advance(&st.Step, &st.Beta1Product, &st.Beta2Product, clip)
	dither := uint32(st.Step) * ditherStep
	m.Config.eachTensor(func(t span) {
		k.Keep = o.keep(t)
		var mean, square [moments16]float32
		for from := t.start; from < t.end(); from += moments16 {
			to := min(t.end(), from+moments16)
			first, second := mean[:to-from], square[:to-from]
			widen(first, st.M[from:to])
			widen(second, st.V[from:to])
			k.Apply(m.Weights[from:to], grads[from:to], first, second)
			offset := dither + uint32(from)*ditherIndex
			narrow(st.M[from:to], first, offset)
			narrow(st.V[from:to], second, offset)
		}
	})
}

// The dithers of a weight over the steps, and of its neighbours in one step, spread evenly (Weyl
// sequences).
const (
	ditherIndex = 0x9e3779b1
	ditherStep  = 0x85ebca77
	largest16   = 0x7f7f // the largest finite bfloat16
)

func widen(dst []float32, src []uint16) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(src[i]) << 16)
	}
}

// narrow rounds src to bfloat16, up where the lower half of a number's bits and the upper half of its
// dither make a carry, and no further than to the largest finite number.
func narrow(dst []uint16, src []float32, dither uint32) {
	dst = dst[:len(src)]
	for i, v := range src {
		bits := math.Float32bits(v)
		half := min((bits&0x7fffffff+dither>>16)>>16, largest16)
		dst[i] = uint16(half | bits>>31<<15)
		dither += ditherIndex
	}
}
