package kernel

import "math"

// An AdamWStep is the constants of one step of AdamW. The assembly knows the order of its fields.
type AdamWStep struct {
	Clip         float32 // what gradients are multiplied by first
	Beta1, Beta2 float32
	Rest1, Rest2 float32 // 1 less the betas
	Rate         float32 // learning rate, corrected for the bias of m
	Root         float32 // corrects the root of v for its bias
	Epsilon      float32
	Keep         float32 // what is left of a weight after its decay
	Limit        float32 // weights stay within -Limit..Limit
}

// Apply takes weights x, with gradients g and moments m and v, through one step:
//
//	g' = g*Clip;  m = m*Beta1 + g'*Rest1;  v = v*Beta2 + (g'*g')*Rest2
//	x = x*Keep - (m*Rate)/(sqrt(v)*Root + Epsilon), kept within -Limit..Limit
//
// It panics if g, m or v is shorter than x.
func (k *AdamWStep) Apply(x, g, m, v []float32) {
	atLeast("AdamWStep: g", len(g), len(x))
	atLeast("AdamWStep: m", len(m), len(x))
	atLeast("AdamWStep: v", len(v), len(x))
	if active != Generic && len(x) > 0 {
		adamWVector(len(x), &x[0], &g[0], &m[0], &v[0], k)
		return
	}
	clip, beta1, beta2, rest1, rest2 := k.Clip, k.Beta1, k.Beta2, k.Rest1, k.Rest2
	rate, root, epsilon, keep := k.Rate, k.Root, k.Epsilon, k.Keep
	g, m, v = g[:len(x)], m[:len(x)], v[:len(x)]
	for i, old := range x {
		gi := float32(g[i] * clip)
		mi := float32(m[i]*beta1) + float32(gi*rest1)
		vi := float32(v[i]*beta2) + float32(float32(gi*gi)*rest2)
		m[i], v[i] = mi, vi
		step := float32(mi*rate) / (float32(float32(math.Sqrt(float64(vi)))*root) + epsilon)
		x[i] = within(float32(old*keep)-step, k.Limit)
	}
}

func within(x, limit float32) float32 {
	if x > limit {
		return limit
	}
	if x < -limit {
		return -limit
	}
	return x
}

// A MomentumStep is the constants of one step of stochastic gradient descent with momentum. The
// assembly knows the order of its fields.
type MomentumStep struct {
	Clip     float32 // what gradients are multiplied by first
	Momentum float32
	Rate     float32
	Limit    float32 // weights stay within -Limit..Limit
}

// Apply takes weights x, with gradients g and velocities u, through one step:
//
//	u = u*Momentum + g*Clip;  x = x - u*Rate, kept within -Limit..Limit
//
// It panics if g or u is shorter than x.
func (k *MomentumStep) Apply(x, g, u []float32) {
	atLeast("MomentumStep: g", len(g), len(x))
	atLeast("MomentumStep: u", len(u), len(x))
	if active != Generic && len(x) > 0 {
		momentumVector(len(x), &x[0], &g[0], &u[0], k)
		return
	}
	g, u = g[:len(x)], u[:len(x)]
	for i, old := range x {
		ui := float32(u[i]*k.Momentum) + float32(g[i]*k.Clip)
		u[i] = ui
		x[i] = within(old-float32(ui*k.Rate), k.Limit)
	}
}
