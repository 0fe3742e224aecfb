package lm

import "taolab/model/lm/kernel"

// forward runs the trunk over tokens and leaves the final layer norm in w.hidden [kept x d].
func (w *Workspace) forward(m *Model, tokens []uint16) {
	c, s := m.Config, w.shape
	n, d := s.rows*s.cols, c.Width
	wte, wpe := c.embeddings(m.Weights)
	embedForward(s.cols, d, tokens, wte, wpe, w.x)
	for l := range c.Layers {
		if l == c.Layers-1 {
			n = s.keeps()
		}
		w.blockForward(c.block(m.Weights, l), &w.blocks[l], n)
	}
	gain, bias := c.lastNorm(m.Weights)
	kernel.LayerNorm(n, d, w.x, gain, bias, w.lastHat, w.hidden, w.lastScale)
}

// blockForward: w.x [rows*cols x d] through one block; left positions leave it.
func (w *Workspace) blockForward(b block, a *activations, left int) {
	s, d := w.shape, w.shape.config.Width
	n := s.rows * s.cols
	kernel.LayerNorm(n, d, w.x, b.gain1, b.bias1, a.hat1, a.norm1, a.scale1)
	linearForward(n, d, 3*d, a.norm1, b.attn, b.attnBias, a.qkv)
	w.attention.keep(left / s.rows)
	w.attention.forward(a.qkv, a.att, a.mixed)
	if left < n {
		keepLast(s.rows, s.cols, d, w.x)
	}
	residualForward(left, d, d, a.mixed, b.attnProj, b.attnProjBias, w.x)
	kernel.LayerNorm(left, d, w.x, b.gain2, b.bias2, a.hat2, a.norm2, a.scale2)
	linearForward(left, d, 4*d, a.norm2, b.fc, b.fcBias, a.wide)
	kernel.GELU(a.wide[:4*left*d], a.gate, a.act)
	residualForward(left, 4*d, d, a.act, b.mlpProj, b.mlpProjBias, w.x)
}

// backward: from dhidden in w.dnarrow [kept x d] to w.grads of every tensor below the head. The
// gradient of the token embedding is added to what w.grads holds of it.
func (w *Workspace) backward(m *Model, tokens []uint16) {
	c, s := m.Config, w.shape
	left, d := s.keeps(), c.Width
	gain, _ := c.lastNorm(m.Weights)
	dgain, dbias := c.lastNorm(w.grads)
	clear(w.dx[:left*d])
	kernel.LayerNormBackward(left, d, w.dnarrow, gain, w.lastHat, w.lastScale, w.dx, dgain, dbias)
	for l := c.Layers - 1; l >= 0; l-- {
		w.blockBackward(c.block(m.Weights, l), c.block(w.grads, l), &w.blocks[l], left)
		left = s.rows * s.cols
	}
	dwte, dwpe := c.embeddings(w.grads)
	embedBackward(s.rows, s.cols, d, tokens, w.dx, dwte, dwpe)
}

// blockBackward: w.dx from the gradient of the block's output [left x d] to that of its input
// [rows*cols x d], and the gradients g of the block's tensors.
func (w *Workspace) blockBackward(b, g block, a *activations, left int) {
	s, d := w.shape, w.shape.config.Width
	n := s.rows * s.cols
	linearBackward(left, 4*d, d, a.act, b.mlpProj, w.dx, w.dwide, g.mlpProj, g.mlpProjBias,
		w.turned)
	kernel.GELUBackward(a.wide, a.gate, a.act, w.dwide)
	linearBackward(left, d, 4*d, a.norm2, b.fc, w.dwide, w.dnarrow, g.fc, g.fcBias, w.turned)
	kernel.LayerNormBackward(left, d, w.dnarrow, b.gain2, a.hat2, a.scale2, w.dx, g.gain2, g.bias2)
	linearBackward(left, d, d, a.mixed, b.attnProj, w.dx, w.dnarrow, g.attnProj, g.attnProjBias,
		w.turned)
	if left < n {
		spreadLast(s.rows, s.cols, d, w.dx)
	}
	w.attention.keep(left / s.rows)
	w.attention.backward(a.qkv, a.att, w.dnarrow, w.dqkv)
	linearBackward(n, d, 3*d, a.norm1, b.attn, w.dqkv, w.dnarrow, g.attn, g.attnBias, w.turned)
	kernel.LayerNormBackward(n, d, w.dnarrow, b.gain1, a.hat1, a.scale1, w.dx, g.gain1, g.bias1)
}

// keepLast moves the last of every cols rows of x [rows*cols x d] to the front: [rows x d].
func keepLast(rows, cols, d int, x []float32) {
	for r := range rows {
		last := ((r+1)*cols - 1) * d
		copy(x[r*d:(r+1)*d], x[last:last+d])
	}
}

// spreadLast undoes keepLast, with zeros for the rows that were dropped.
func spreadLast(rows, cols, d int, x []float32) {
	for r := rows - 1; r >= 0; r-- {
		last := ((r+1)*cols - 1) * d
		copy(x[last:last+d], x[r*d:(r+1)*d])
		clear(x[r*cols*d : last])
	}
}

// embedForward: x [n x d] = the row of wte [vocab x d] of each token + that of wpe [context x d] of
// its position.
func embedForward(cols, d int, tokens []uint16, wte, wpe, x []float32) {
	for p, token := range tokens {
		copy(x[p*d:(p+1)*d], wte[int(token)*d:])
	}
	for from := 0; from < len(tokens); from += cols {
		kernel.Add(x[from*d:(from+cols)*d], wpe)
	}
}

// embedBackward: adds dx [rows*cols x d] to the rows of dwte [vocab x d], positions ascending, and
// writes dwpe [context x d], rows ascending.
func embedBackward(rows, cols, d int, tokens []uint16, dx, dwte, dwpe []float32) {
	for p, token := range tokens {
		kernel.Add(dwte[int(token)*d:][:d], dx[p*d:])
	}
	clear(dwpe)
	for r := range rows {
		kernel.Add(dwpe[:cols*d], dx[r*cols*d:])
	}
}

// headForward: logits [n x vocab] = hidden [n x d] * wte^T.
func (w *Workspace) headForward(m *Model) {
	c, n := m.Config, w.shape.keeps()
	wte, _ := c.embeddings(m.Weights)
	kernel.Transpose(c.Vocab, c.Width, wte, c.Width, w.turned, c.Vocab)
	kernel.MatMul(n, c.Vocab, c.Width, w.hidden, c.Width, 1, w.turned, c.Vocab, w.logits, c.Vocab, false)
}

// headBackward: of the gradient in w.logits, dhidden into w.dnarrow [n x d] and the head's part of the
// token embedding's gradient.
func (w *Workspace) headBackward(m *Model) {
	c, n := m.Config, w.shape.keeps()
	wte, _ := c.embeddings(m.Weights)
	dwte, _ := c.embeddings(w.grads)
	kernel.MatMul(n, c.Width, c.Vocab, w.logits, c.Vocab, 1, wte, c.Width, w.dnarrow, c.Width, false)
	kernel.MatMul(c.Vocab, c.Width, n, w.logits, 1, c.Vocab, w.hidden, c.Width, dwte, c.Width, false)
}
