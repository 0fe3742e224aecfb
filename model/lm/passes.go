package lm

import "taolab/model/lm/kernel"

// Next returns the probabilities of the token after the last position of each row, [rows x vocab], for
// tokens [rows x cols]. They are valid until the workspace's next call.
func (w *Workspace) Next(m *Model, tokens []uint16, rows, cols int) []float32 {
	return w.predict(m, tokens, shape{config: m.Config, rows: rows, cols: cols, purpose: predictLast})
}

// Probs returns the probabilities of the token after every position, [rows*cols x vocab], for tokens
// [rows x cols]. They are valid until the workspace's next call.
func (w *Workspace) Probs(m *Model, tokens []uint16, rows, cols int) []float32 {
	return w.predict(m, tokens, shape{config: m.Config, rows: rows, cols: cols, purpose: predictAll})
}

func (w *Workspace) predict(m *Model, tokens []uint16, s shape) []float32 {
	w.prepare(m, s, tokens)
	w.turnHead(m)
	vocab, logits := m.Config.Vocab, w.logits
	for start, end := 0, 0; start < len(tokens); start = end {
		end = w.partEnd(start)
		n := s.keeps(end - start)
		w.forward(m, tokens[start:end], w.hidden)
		w.headForward(m, n, w.hidden, logits)
		kernel.Softmax(n, vocab, logits, vocab, 1)
		logits = logits[n*vocab:]
	}
	return w.logits
}

// Losses writes the loss of each position, -ln of the probability of its target in nats, to dst
// [rows*cols], for tokens and targets [rows x cols].
func (w *Workspace) Losses(m *Model, tokens, targets []uint16, rows, cols int, dst []float32) {
	w.prepare(m, shape{config: m.Config, rows: rows, cols: cols, purpose: measureAll}, tokens)
	checkLen("losses", len(dst), len(tokens))
	w.checkTargets(targets)
	w.turnHead(m)
	for start, end := 0, 0; start < len(tokens); start = end {
		end = w.partEnd(start)
		w.crossEntropies(m, tokens[start:end], targets[start:end], dst[start:end])
	}
}

func (w *Workspace) checkTargets(targets []uint16) {
	if err := w.shape.config.CheckBatch(targets, w.shape.rows, w.shape.cols); err != nil {
		panic(err)
	}
}

// crossEntropies leaves the losses and, in w.logits, the terms of the softmax.
func (w *Workspace) crossEntropies(m *Model, tokens, targets []uint16, losses []float32) {
	w.forward(m, tokens, w.hidden)
	w.headForward(m, len(tokens), w.hidden, w.logits)
	kernel.CrossEntropy(len(targets), m.Config.Vocab, w.logits, targets, losses, w.sums)
}

// gradient leaves the gradient of the mean loss in w.grads and returns that loss.
func (w *Workspace) gradient(m *Model, tokens, targets []uint16, rows, cols int) float32 {
	w.prepare(m, shape{config: m.Config, rows: rows, cols: cols, purpose: train}, tokens)
	w.checkTargets(targets)
	w.turnHead(m)
	c := m.Config
	total := float32(len(targets))
	for start, end := 0, 0; start < len(tokens); start = end {
		end = w.partEnd(start)
		targets, n, fresh := targets[start:end], end-start, start == 0
		w.crossEntropies(m, tokens[start:end], targets, w.losses[start:end])
		kernel.CrossEntropyBackward(n, c.Vocab, w.logits, w.sums, targets, total)
		w.headBackward(m, n, fresh)
		w.backward(m, n, w.dx[start*c.Width:end*c.Width], fresh)
	}
	dwte, dwpe := c.embeddings(w.grads)
	tokensBackward(c.Width, tokens, w.dx, dwte)
	positionsBackward(rows, cols, c.Width, w.dx, dwpe)
	return kernel.Sum(w.losses) / total
}
