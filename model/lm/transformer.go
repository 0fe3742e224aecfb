package lm

import "taolab/model/lm/kernel"

// forward runs the trunk over tokens, rows of the batch, and leaves the final layer norm in hidden
// [kept x d].
func (w *Workspace) forward(m *Model, tokens []uint16, hidden []float32) {
	c, s := m.Config, w.shape
	n, d := len(tokens), c.Width
	wte, wpe := c.embeddings(m.Weights)
	embedForward(s.cols, d, tokens, wte, wpe, w.x)
	for l := range c.Layers {
		left := n
		if l == c.Layers-1 {
			left = s.keeps(n)
		}
		w.blockForward(c.block(m.Weights, l), w.block(l), n, left)
	}
	gain, bias := c.lastNorm(m.Weights)
	kernel.LayerNorm(s.keeps(n), d, w.x, gain, bias, w.lastHat, hidden, w.lastScale)
}

// blockForward: w.x [n x d] through one block; left positions leave it.
func (w *Workspace) blockForward(b block, a *activations, n, left int) {
	s, d := w.shape, w.shape.config.Width
	rows := n / s.cols
	kernel.LayerNorm(n, d, w.x, b.gain1, b.bias1, a.hat1, a.norm1, a.scale1)
	linearForward(n, d, 3*d, a.norm1, b.attn, b.attnBias, a.qkv, 3*d)
	w.attention.keep(left / rows)
	w.attention.forward(rows, a.qkv, a.att, a.attStep, a.mixed)
	if left < n {
		keepLast(rows, s.cols, d, w.x)
	}
	w.afterAttention(b, a, left)
}

// afterAttention: w.x [left x d] through the rest of a block.
func (w *Workspace) afterAttention(b block, a *activations, left int) {
	d, wide := w.shape.config.Width, w.shape.config.wideRow()
	residualForward(left, d, d, a.mixed, d, b.attnProj, b.attnProjBias, w.x)
	kernel.LayerNorm(left, d, w.x, b.gain2, b.bias2, a.hat2, a.norm2, a.scale2)
	linearForward(left, d, 4*d, a.norm2, b.fc, b.fcBias, a.wide, wide)
	kernel.GELU(a.wide[:left*wide], a.gate, a.act)
	residualForward(left, 4*d, d, a.act, wide, b.mlpProj, b.mlpProjBias, w.x)
}

// backward: from dhidden in w.dnarrow [kept x d] to w.grads of every tensor below the head, added to
// what w.grads hold unless fresh, and to dx [n x d], the gradient of the embeddings.
func (w *Workspace) backward(m *Model, n int, dx []float32, fresh bool) {
	c, s := m.Config, w.shape
	left, d := s.keeps(n), c.Width
	gain, _ := c.lastNorm(m.Weights)
	dgain, dbias := c.lastNorm(w.grads)
	clear(dx[:left*d])
	normBackward(left, d, w.dnarrow, gain, w.lastHat, w.lastScale, dx, dgain, dbias, fresh)
	for l := c.Layers - 1; l >= 0; l-- {
		w.blockBackward(l, c.block(m.Weights, l), c.block(w.grads, l), n, left, dx, fresh)
		left = n
	}
}

// normBackward is the backward pass of a layer norm; its sums start from the old values unless fresh.
func normBackward(n, d int, dy, gain, hat, scale, dx, dgain, dbias []float32, fresh bool) {
	if fresh {
		kernel.LayerNormBackward(n, d, dy, gain, hat, scale, dx, dgain, dbias)
		return
	}
	kernel.LayerNormBackwardOnto(n, d, dy, gain, hat, scale, dx, dgain, dbias)
}

// blockBackward: dx from the gradient of the block's output [left x d] to that of its input
// [n x d], and the gradients g of the block's tensors.
func (w *Workspace) blockBackward(l int, b, g block, n, left int, dx []float32, fresh bool) {
	s, d, a := w.shape, w.shape.config.Width, w.block(l)
	rows, wide := n/s.cols, s.config.wideRow()
	mlpProj := layer{4 * d, d, a.act, wide, b.mlpProj, g.mlpProj, g.mlpProjBias}
	fc := layer{d, 4 * d, a.norm2, d, b.fc, g.fc, g.fcBias}
	attnProj := layer{d, d, a.mixed, d, b.attnProj, g.attnProj, g.attnProjBias}
	attn := layer{d, 3 * d, a.norm1, d, b.attn, g.attn, g.attnBias}
	w.linearBackward(left, mlpProj, dx, d, w.dwide, fresh)
	kernel.GELUBackward(a.wide[:left*wide], a.gate, a.act, w.dwide)
	w.linearBackward(left, fc, w.dwide, wide, w.dnarrow, fresh)
	normBackward(left, d, w.dnarrow, b.gain2, a.hat2, a.scale2, dx, g.gain2, g.bias2, fresh)
	w.linearBackward(left, attnProj, dx, d, w.dnarrow, fresh)
	if left < n {
		spreadLast(rows, s.cols, d, dx)
	}
	w.attention.keep(left / rows)
	w.attention.backward(rows, a.qkv, a.att, a.attStep, w.dnarrow, w.dqkv)
	w.linearBackward(n, attn, w.dqkv, 3*d, w.dnarrow, fresh)
	normBackward(n, d, w.dnarrow, b.gain1, a.hat1, a.scale1, dx, g.gain1, g.bias1, fresh)
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

// tokensBackward adds dx [n x d] to the rows of dwte [vocab x d], positions ascending.
func tokensBackward(d int, tokens []uint16, dx, dwte []float32) {
	for p, token := range tokens {
		kernel.Add(dwte[int(token)*d:][:d], dx[p*d:])
	}
}

// positionsBackward writes dwpe [context x d], the sums of dx [rows*cols x d] over the rows.
func positionsBackward(rows, cols, d int, dx, dwpe []float32) {
	clear(dwpe)
	for r := range rows {
		kernel.Add(dwpe[:cols*d], dx[r*cols*d:])
	}
}

// turnHead transposes the token embedding, for headForward.
func (w *Workspace) turnHead(m *Model) {
	c := m.Config
	wte, _ := c.embeddings(m.Weights)
	kernel.Transpose(kernel.View(w.turnedHead, c.Width, c.Vocab, c.Vocab), kernel.View(wte, c.Vocab, c.Width, c.Width))
}

// headForward: logits [n x vocab] = hidden [n x d] * wte^T.
func (w *Workspace) headForward(m *Model, n int, hidden, logits []float32) {
	c := m.Config
	kernel.MatMul(&kernel.Product{
		C: kernel.View(logits, n, c.Vocab, c.Vocab),
		A: kernel.View(hidden, n, c.Width, c.Width),
		B: kernel.View(w.turnedHead, c.Width, c.Vocab, c.Vocab),
	})
}

// headBackward: of the gradient in w.logits, dhidden into w.dnarrow [n x d] and the head's part of the
// token embedding's gradient, added to the old values unless fresh.
func (w *Workspace) headBackward(m *Model, n int, fresh bool) {
	c := m.Config
	wte, _ := c.embeddings(m.Weights)
	dwte, _ := c.embeddings(w.grads)
	kernel.MatMul(&kernel.Product{
		C: kernel.View(w.dnarrow, n, c.Width, c.Width),
		A: kernel.View(w.logits, n, c.Vocab, c.Vocab),
		B: kernel.View(wte, c.Vocab, c.Width, c.Width),
	})
	kernel.MatMul(&kernel.Product{
		C: kernel.View(dwte, c.Vocab, c.Width, c.Width),
		A: kernel.View(w.logits, n, c.Vocab, c.Vocab), TransposeA: true,
		B: kernel.View(w.hidden, n, c.Width, c.Width), Start: addUnless(fresh),
	})
}
