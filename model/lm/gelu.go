package lm

// GELU in the tanh form: x*s with s = 1/(1+exp(x*(geluLinear + geluCubic*x*x))).
const (
	geluLinear = -1.5957691216057308  // -2*sqrt(2/pi)
	geluCubic  = -0.07135481282682213 // 0.044715 times that
)

// geluForward: y [n] = gelu of x [n]; s [n] keeps the gate for the backward pass.
func geluForward(x, s, y []float32) {
	const stretch = 256 // what stays in the nearest cache between the three loops
	for len(x) > 0 {
		n := min(stretch, len(x))
		geluStretch(x[:n], s[:n], y[:n])
		x, s, y = x[n:], s[n:], y[n:]
	}
}

func geluStretch(x, s, y []float32) {
	s, y = s[:len(x)], y[:len(x)]
	for i, v := range x {
		s[i] = float32(v * (geluLinear + float32(geluCubic*float32(v*v))))
	}
	exps(s, 0, 1)
	for i, e := range s {
		g := 1 / (1 + e)
		s[i] = g
		y[i] = float32(x[i] * g)
	}
}

// geluBackward: turns dy [n] into the gradient of x [n], given the gate s [n] and the output y [n].
func geluBackward(x, s, y, dy []float32) {
	s, y, dy = s[:len(x)], y[:len(x)], dy[:len(x)]
	for i, v := range x {
		slope := -geluLinear - float32(3*geluCubic*float32(v*v))
		g := s[i]
		dy[i] = float32(dy[i] * (g + float32(y[i]*float32((1-g)*slope))))
	}
}
