package lm

import (
	"fmt"
	"math"

	"taolab/model/lm/kernel"
)

// AdamW are the settings of AdamW (Loshchilov and Hutter, 2019): Adam with weight decay apart from
// the gradient. Matrices and both embeddings decay; gains and biases do not.
type AdamW struct {
	Rate         float32 // learning rate, at most 1
	Beta1, Beta2 float32 // in [0, 1)
	Epsilon      float32 // above 0, added to the root of the second moment
	WeightDecay  float32 // at most 1; a weight loses Rate*WeightDecay of itself per step
	ClipNorm     float32 // longest gradient, 0 for no limit
}

// Validate returns an error unless a model can be trained with o. No setting that passes makes a NaN.
func (o AdamW) Validate() error {
	switch {
	case !within(o.Rate, 0, 1):
		return fmt.Errorf("lm: AdamW rate %v; it must lie in 0..1", o.Rate)
	case !within(o.Beta1, 0, 1) || !within(o.Beta2, 0, 1) || o.Beta1 == 1 || o.Beta2 == 1:
		return fmt.Errorf("lm: AdamW betas %v and %v; they must lie in [0, 1)", o.Beta1, o.Beta2)
	case !within(o.Epsilon, math.SmallestNonzeroFloat32, 1):
		return fmt.Errorf("lm: AdamW epsilon %v; it must lie above 0 and at most at 1", o.Epsilon)
	case !within(o.WeightDecay, 0, 1):
		return fmt.Errorf("lm: AdamW weight decay %v; it must lie in 0..1", o.WeightDecay)
	case !within(o.ClipNorm, 0, math.MaxFloat32):
		return fmt.Errorf("lm: clip norm %v; it must be positive, or 0 for none", o.ClipNorm)
	}
	return nil
}

func within(x, low, high float32) bool { return x >= low && x <= high }

// AdamState is what AdamW remembers between the steps of one model. Its zero value is a fresh one.
type AdamState struct {
	Step                       uint64
	Beta1Product, Beta2Product float64   // Beta1 and Beta2 to the power Step
	M, V                       []float32 // first and second moment of the gradient, as Model.Weights
}

// Train takes one step down the gradient of the mean loss over tokens and targets [rows x cols] and
// returns that loss, in nats per token, as it was before the step. Where the norm of the gradient
// overflows float32 the step is skipped: neither m nor st changes.
func (w *Workspace) Train(m *Model, o AdamW, st *AdamState, tokens, targets []uint16,
	rows, cols int) float32 {
	if err := o.Validate(); err != nil {
		panic(err)
	}
	loss := w.gradient(m, tokens, targets, rows, cols)
	if clip, ok := clipFactor(o.ClipNorm, w.grads); ok {
		o.step(m, st, w.grads, clip)
	}
	return loss
}

// normStretch is the number of squares that are added up in float32; their sums are added in float64.
const normStretch = 4096

// clipFactor returns the factor that scales all gradients together to a norm of at most limit; ok is
// false if their norm overflows float32.
func clipFactor(limit float32, grads ...[]float32) (factor float32, ok bool) {
	length := norm(grads...)
	if limit > 0 && length > float64(limit) {
		return float32(float64(limit) / length), length <= math.MaxFloat32
	}
	return 1, length <= math.MaxFloat32
}

// norm is the norm of all gradients together.
func norm(grads ...[]float32) float64 {
	var square float64
	for _, g := range grads {
		for len(g) > 0 {
			n := min(normStretch, len(g))
			square += float64(kernel.SumSquares(g[:n]))
			g = g[n:]
		}
	}
	return math.Sqrt(square)
}

// step is one step of AdamW along grads * clip.
func (o AdamW) step(m *Model, st *AdamState, grads []float32, clip float32) {
	if st.Step == 0 && len(st.M) == 0 && len(st.V) == 0 {
		st.M, st.V = make([]float32, len(m.Weights)), make([]float32, len(m.Weights))
	}
	checkLen("first moments", len(st.M), len(m.Weights))
	checkLen("second moments", len(st.V), len(m.Weights))
	k := o.advance(&st.Step, &st.Beta1Product, &st.Beta2Product, clip)
	m.Config.eachTensor(func(t span) {
		k.Keep = o.keep(t)
		from, to := t.start, t.end()
		k.Apply(m.Weights[from:to], grads[from:to], st.M[from:to], st.V[from:to])
	})
}

// advance moves the counters to the next step and returns its constants.
func (o AdamW) advance(step *uint64, product1, product2 *float64, clip float32) kernel.AdamWStep {
	if *step == 0 {
		*product1, *product2 = 1, 1
	}
	*step++
	*product1 = float64(*product1 * float64(o.Beta1))
	*product2 = float64(*product2 * float64(o.Beta2))
	return kernel.AdamWStep{
		Clip: clip, Beta1: o.Beta1, Beta2: o.Beta2, Rest1: 1 - o.Beta1, Rest2: 1 - o.Beta2,
		Rate:    float32(float64(o.Rate) / (1 - *product1)),
		Root:    float32(1 / math.Sqrt(1-*product2)),
		Epsilon: o.Epsilon,
		Limit:   WeightLimit,
	}
}

// keep is the share of a tensor's weights that their decay leaves.
func (o AdamW) keep(t span) float32 {
	if t.matrix() {
		return 1 - float32(o.Rate*o.WeightDecay)
	}
	return 1
}

// SGD are the settings of stochastic gradient descent with momentum.
type SGD struct {
	Rate     float32 // learning rate, at most 1
	Momentum float32 // in [0, 1)
	ClipNorm float32 // longest gradient, 0 for no limit
}

// Validate returns an error unless a model or a router can be trained with o.
func (o SGD) Validate() error {
	switch {
	case !within(o.Rate, 0, 1):
		return fmt.Errorf("lm: SGD rate %v; it must lie in 0..1", o.Rate)
	case !within(o.Momentum, 0, 1) || o.Momentum == 1:
		return fmt.Errorf("lm: SGD momentum %v; it must lie in [0, 1)", o.Momentum)
	case !within(o.ClipNorm, 0, math.MaxFloat32):
		return fmt.Errorf("lm: clip norm %v; it must be positive, or 0 for none", o.ClipNorm)
	}
	return nil
}

// Momentum is what SGD remembers of one model, a decaying sum of its gradients laid out as
// Model.Weights. Its zero value is a fresh one.
type Momentum []float32

// TrainSGD is [Workspace.Train] with stochastic gradient descent in place of AdamW: a third less memory,
// and more steps to the same loss.
func (w *Workspace) TrainSGD(m *Model, o SGD, mom *Momentum, tokens, targets []uint16,
	rows, cols int) float32 {
	if err := o.Validate(); err != nil {
		panic(err)
	}
	loss := w.gradient(m, tokens, targets, rows, cols)
	clip, ok := clipFactor(o.ClipNorm, w.grads)
	if !ok {
		return loss
	}
	if len(*mom) == 0 {
		*mom = make(Momentum, len(m.Weights))
	}
	checkLen("momenta", len(*mom), len(m.Weights))
	k := o.step(clip)
	k.Apply(m.Weights, w.grads, *mom)
	return loss
}

func (o SGD) step(clip float32) kernel.MomentumStep {
	return kernel.MomentumStep{Clip: clip, Momentum: o.Momentum, Rate: o.Rate, Limit: WeightLimit}
}
