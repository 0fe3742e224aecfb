package lm

import "taolab/model/num"

// exps replaces every element of x [n] by exp((x-shift)*scale).
func exps(x []float32, shift, scale float32) {
	for i, v := range x {
		x[i] = num.Exp32(float32((v - shift) * scale))
	}
}

// largest returns the greatest element of x [n], n >= 1.
func largest(x []float32) float32 {
	top := x[0]
	for _, v := range x[1:] {
		if v > top {
			top = v
		}
	}
	return top
}

func scaleBy(x []float32, factor float32) {
	for i, v := range x {
		x[i] = float32(v * factor)
	}
}

// softmaxForward: x [n] becomes exp(scale*(x-max)) over its sum.
func softmaxForward(x []float32, scale float32) {
	exps(x, largest(x), scale)
	scaleBy(x, 1/sum16(x))
}

// softmaxBackward: turns dp [n], the gradient of the probabilities p [n], into that of the scores.
func softmaxBackward(p, dp []float32, scale float32) {
	dp = dp[:len(p)]
	mean := dot16(p, dp)
	for i, v := range p {
		dp[i] = float32(float32(v*(dp[i]-mean)) * scale)
	}
}

// crossEntropyForward: the loss -ln softmax(logits)[target] in nats of logits [v], which become
// exp(logits-max), and the sum of those.
func crossEntropyForward(logits []float32, target uint16) (loss, sum float32) {
	top := largest(logits)
	above := top - logits[target]
	exps(logits, top, 1)
	sum = sum16(logits)
	return num.Log32(sum) + above, sum
}

// crossEntropyBackward: turns what crossEntropyForward left in e [v] into the gradient of the mean of
// n losses.
func crossEntropyBackward(e []float32, sum float32, target uint16, n float32) {
	scaleBy(e, 1/float32(sum*n))
	e[target] -= 1 / n
}
