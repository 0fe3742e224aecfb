package lm

import "math"

// normEpsilon is GPT-2's; it is added to the variance.
const normEpsilon = 1e-5

// normForward: layer norm of each row of x [n x d] into y [n x d]. It keeps what the backward pass
// needs: the normalised rows hat [n x d], which may be y itself where nobody does, and scale [n].
func normForward(n, d int, x, gain, bias, hat, y, scale []float32) {
	gain, bias = gain[:d], bias[:d]
	for i := range n {
		from, to := i*d, (i+1)*d
		xr, hr, yr := x[from:to], hat[from:to], y[from:to]
		mean := sum16(xr) / float32(d)
		hr = hr[:len(xr)]
		for j, v := range xr {
			hr[j] = v - mean
		}
		variance := dot16(hr, hr) / float32(d)
		s := 1 / float32(math.Sqrt(float64(variance+normEpsilon)))
		scale[i] = s
		yr, g, b := yr[:len(hr)], gain[:len(hr)], bias[:len(hr)]
		for j, v := range hr {
			h := float32(v * s)
			hr[j] = h
			yr[j] = float32(h*g[j]) + b[j]
		}
	}
}

// normBackward: adds to dx [n x d] the gradient that dy [n x d] brings through a layer norm, and writes
// dgain [d] and dbias [d]. It overwrites dy.
func normBackward(n, d int, dy, gain, hat, scale, dx, dgain, dbias, ones []float32) {
	columnSums(n, d, dy, dbias, ones)
	clear(dgain)
	for i := range n {
		from, to := i*d, (i+1)*d
		dyr, hr, dxr := dy[from:to], hat[from:to], dx[from:to]
		h, g, dg := hr[:len(dyr)], gain[:len(dyr)], dgain[:len(dyr)]
		for j, v := range dyr {
			dg[j] += float32(v * h[j])
			dyr[j] = float32(v * g[j])
		}
		mean := sum16(dyr) / float32(d)
		along := dot16(dyr, hr) / float32(d)
		s := scale[i]
		dxr = dxr[:len(dyr)]
		for j, v := range dyr {
			dxr[j] += float32(s * ((v - mean) - float32(h[j]*along)))
		}
	}
}
