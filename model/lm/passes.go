package lm

import "taolab/model/lm/kernel"

// Next returns the probabilities of the token after the last position of each row, [rows x vocab], for
// tokens [rows x cols]. They are valid until the workspace's next call.
func (w *Workspace) Next(m *Model, tokens []uint16, rows, cols int) []float32 {
	return w.predict(m, tokens, shape{m.Config, rows, cols, predictLast, 0, 0})
}

// Probs returns the probabilities of the token after every position, [rows*cols x vocab], for tokens
// [rows x cols]. They are valid until the workspace's next call.
func (w *Workspace) Probs(m *Model, tokens []uint16, rows, cols int) []float32 {
	return w.predict(m, tokens, shape{m.Config, rows, cols, predictAll, 0, 0})
}

func (w *Workspace) predict(m *Model, tokens []uint16, s shape) []float32 {
	w.prepare(m, s, tokens)
	w.forward(m, tokens)
	w.headForward(m)
	kernel.Softmax(s.keeps(), m.Config.Vocab, w.logits, m.Config.Vocab, 1)
	return w.logits
}

// Losses writes the loss of each position, -ln of the probability of its target in nats, to dst
// [rows*cols], for tokens and targets [rows x cols].
func (w *Workspace) Losses(m *Model, tokens, targets []uint16, rows, cols int, dst []float32) {
	w.prepare(m, shape{m.Config, rows, cols, predictAll, 0, 0}, tokens)
	checkLen("losses", len(dst), len(tokens))
	w.crossEntropies(m, tokens, targets)
	copy(dst, w.losses)
}

// crossEntropies leaves the losses and, in w.logits, the terms of the softmax.
func (w *Workspace) crossEntropies(m *Model, tokens, targets []uint16) {
	if err := m.Config.CheckBatch(targets, w.shape.rows, w.shape.cols); err != nil {
		panic(err)
	}
	w.forward(m, tokens)
	w.headForward(m)
	kernel.CrossEntropy(len(targets), m.Config.Vocab, w.logits, targets, w.losses, w.sums)
}

// gradient leaves the gradient of the mean loss in w.grads and returns that loss.
func (w *Workspace) gradient(m *Model, tokens, targets []uint16, rows, cols int) float32 {
	w.prepare(m, shape{m.Config, rows, cols, train, 0, 0}, tokens)
	w.crossEntropies(m, tokens, targets)
	n := float32(len(targets))
	kernel.CrossEntropyBackward(len(targets), m.Config.Vocab, w.logits, w.sums, targets, n)
	w.headBackward(m)
	w.backward(m, tokens)
	return kernel.Sum(w.losses) / n
}
