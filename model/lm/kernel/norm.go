package kernel

import "math"

// normEpsilon is GPT-2's; it is added to the variance.
const normEpsilon = 1e-5

// LayerNorm writes the layer norm of each row of x [rows x d] to y [rows x d], and what the backward
// pass wants to hat [rows x d], which may be y itself where nobody does, and scale [rows]:
//
//	mean = Sum(x)/d; c = x - mean; scale = 1/sqrt(Dot(c, c)/d + 1e-5); hat = c*scale
//	y = hat*gain + bias
//
// It panics if a slice is too short. Where the variance overflows, scale and hat are 0.
func LayerNorm(rows, d int, x, gain, bias, hat, y, scale []float32) {
	need("LayerNorm: x", len(x), rows, d, d, 1)
	need("LayerNorm: hat", len(hat), rows, d, d, 1)
	need("LayerNorm: y", len(y), rows, d, d, 1)
	atLeast("LayerNorm: gain", len(gain), d)
	atLeast("LayerNorm: bias", len(bias), d)
	atLeast("LayerNorm: scale", len(scale), rows)
	if rows == 0 || d == 0 {
		return
	}
	if active != Generic {
		layerNormVector(rows, d, &x[0], &gain[0], &bias[0], &hat[0], &y[0], &scale[0], 4*d, float32(d))
		return
	}
	for i := range rows {
		from, to := i*d, (i+1)*d
		scale[i] = layerNormRow(x[from:to], gain, bias, hat[from:to], y[from:to])
	}
}

func layerNormRow(x, gain, bias, hat, y []float32) (scale float32) {
	mean := sumGeneric(x) / float32(len(x))
	hat = hat[:len(x)]
	for j, v := range x {
		hat[j] = v - mean
	}
	variance := dotGeneric(hat, hat) / float32(len(x))
	scale = 1 / float32(math.Sqrt(float64(variance+normEpsilon)))
	y, gain, bias = y[:len(hat)], gain[:len(hat)], bias[:len(hat)]
	for j, v := range hat {
		h := float32(v * scale)
		hat[j] = h
		y[j] = float32(h*gain[j]) + bias[j]
	}
	return scale
}

// LayerNormBackward adds to dx [rows x d] the gradient that dy [rows x d] brings through a layer norm,
// given what [LayerNorm] left, and writes the sums over rows, from +0 and the first row to the last,
// of dy*hat to dgain [d] and of dy to dbias [d]:
//
//	e = dy*gain; dx = dx + scale*((e - Sum(e)/d) - hat*(Dot(e, hat)/d))
//
// It panics if a slice is too short.
func LayerNormBackward(rows, d int, dy, gain, hat, scale, dx, dgain, dbias []float32) {
	atLeast("LayerNormBackward: dgain", len(dgain), d)
	atLeast("LayerNormBackward: dbias", len(dbias), d)
	clear(dgain[:d])
	clear(dbias[:d])
	LayerNormBackwardOnto(rows, d, dy, gain, hat, scale, dx, dgain, dbias)
}

// LayerNormBackwardOnto is [LayerNormBackward] whose sums over rows start from what dgain and dbias
// hold: parts of a batch one after the other make the sums of the whole.
func LayerNormBackwardOnto(rows, d int, dy, gain, hat, scale, dx, dgain, dbias []float32) {
	need("LayerNormBackward: dy", len(dy), rows, d, d, 1)
	need("LayerNormBackward: hat", len(hat), rows, d, d, 1)
	need("LayerNormBackward: dx", len(dx), rows, d, d, 1)
	atLeast("LayerNormBackward: gain", len(gain), d)
	atLeast("LayerNormBackward: dgain", len(dgain), d)
	atLeast("LayerNormBackward: dbias", len(dbias), d)
	atLeast("LayerNormBackward: scale", len(scale), rows)
	dgain, dbias = dgain[:d], dbias[:d]
	if rows == 0 || d == 0 {
		return
	}
	if active != Generic {
		layerNormBackwardVector(rows, d, &dy[0], &gain[0], &hat[0], &scale[0], &dx[0], &dgain[0], &dbias[0],
			4*d, float32(d))
		return
	}
	for i := range rows {
		from, to := i*d, (i+1)*d
		layerNormBackwardRow(dy[from:to], gain, hat[from:to], scale[i], dx[from:to], dgain, dbias)
	}
}

func layerNormBackwardRow(dy, gain, hat []float32, scale float32, dx, dgain, dbias []float32) {
	hat, gain, dgain, dbias = hat[:len(dy)], gain[:len(dy)], dgain[:len(dy)], dbias[:len(dy)]
	for j, v := range dy {
		dbias[j] += v
		dgain[j] += float32(v * hat[j])
		dy[j] = float32(v * gain[j])
	}
	mean := sumGeneric(dy) / float32(len(dy))
	along := dotGeneric(dy, hat) / float32(len(dy))
	dx = dx[:len(dy)]
	for j, v := range dy {
		dx[j] += float32(scale * ((v - mean) - float32(hat[j]*along)))
	}
}
