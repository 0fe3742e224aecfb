package lm

import (
	"fmt"
	"math"
	"slices"

	"taolab/model/lm/kernel"
	"taolab/model/num"
)

// Decoder extends sequences token by token. It keeps the keys and the values of what it has read, so
// that a new token costs one position's work instead of the whole prefix's; rows sequences of equal
// length go in parallel. The probabilities are those of [Workspace.Next] on the whole prefix, bit for
// bit, however the tokens were fed.
//
// The model's weights must not change between Reset and the last Feed. Once it has fed its longest
// piece it allocates nothing. It is not safe for concurrent use.
type Decoder struct {
	model        *Model
	rows, length int
	keys, values []float32 // [layers x rows x width x context] turned, [layers x rows x context x width]
	head         []float32 // [width x vocab] the token embedding, transposed at the first token
	work         Workspace
	order        []uint64 // for Sample
	weights      []float64
	next         []uint16 // [rows], for Generate
}

// NewDecoder makes a decoder of rows empty sequences. It panics if rows is below 1 or the model's
// shape is not valid.
func NewDecoder(m *Model, rows int) *Decoder {
	if err := m.Config.Validate(); err != nil {
		panic(err)
	}
	if rows < 1 {
		panic(fmt.Sprintf("lm: a decoder of %d rows; there must be at least one", rows))
	}
	c := m.Config
	size := c.Layers * rows * c.Context * c.Width
	cache := make([]float32, 2*size)
	return &Decoder{model: m, rows: rows, keys: cache[:size], values: cache[size:],
		head: make([]float32, c.Width*c.Vocab)}
}

// DecoderBytes is the size of what a decoder of rows sequences keeps from token to token: keys and
// values, and the head's matrix.
func (c Config) DecoderBytes(rows int) int {
	return 8*c.Layers*rows*c.Context*c.Width + 4*c.Width*c.Vocab
}

// Reset forgets all tokens.
func (d *Decoder) Reset() { d.length = 0 }

// Len is the number of tokens in each sequence; at most the model's context.
func (d *Decoder) Len() int { return d.length }

// Feed appends tokens [rows x cols] to the sequences and returns the probabilities of the token after
// each, [rows x vocab], valid until the decoder's next call. It panics where [Config.CheckBatch]
// returns an error, and where the sequences would outgrow the context.
func (d *Decoder) Feed(tokens []uint16) []float32 {
	c, cols := d.model.Config, len(tokens)/d.rows
	if d.length+cols > c.Context {
		panic(fmt.Sprintf("lm: %d tokens after %d; the context has %d positions", cols, d.length, c.Context))
	}
	w, m := &d.work, d.model
	w.prepare(m, shape{config: c, rows: d.rows, cols: cols, purpose: decode}, tokens)
	w.turnedHead = d.head
	if d.length == 0 {
		w.turnHead(m)
	}
	wte, wpe := c.embeddings(m.Weights)
	embedForward(cols, c.Width, tokens, wte, wpe[d.length*c.Width:], w.x)
	w.attention.cols, w.attention.first, w.attention.kept = d.length+cols, d.length, cols
	n := len(tokens)
	for l := range c.Layers {
		if l == c.Layers-1 {
			w.attention.keep(1)
			n = d.rows
		}
		d.block(l, cols, n)
	}
	gain, bias := c.lastNorm(m.Weights)
	kernel.LayerNorm(n, c.Width, w.x, gain, bias, w.lastHat, w.hidden, w.lastScale)
	w.headForward(m, n, w.hidden, w.logits)
	kernel.Softmax(n, c.Vocab, w.logits, c.Vocab, 1)
	d.length += cols
	return w.logits
}

// block: w.x [rows*cols x width] through block l, which left positions leave; its keys and values are
// kept.
func (d *Decoder) block(l, cols, left int) {
	c, w := d.model.Config, &d.work
	b, a, width, n := c.block(d.model.Weights, l), w.block(0), c.Width, d.rows*cols
	kernel.LayerNorm(n, width, w.x, b.gain1, b.bias1, a.hat1, a.norm1, a.scale1)
	linearForward(n, width, 3*width, a.norm1, b.attn, b.attnBias, a.qkv, 3*width)
	skipped := cols - w.attention.kept
	for r := range d.rows {
		at := (l*d.rows + r) * c.Context * width
		keys, values := d.keys[at:at+c.Context*width], d.values[at:at+c.Context*width]
		qkv := a.qkv[r*cols*3*width : (r+1)*cols*3*width]
		kernel.Transpose(kernel.View(keys[d.length:], width, cols, c.Context), kernel.View(qkv[width:], cols, width, 3*width))
		for i := range cols {
			copy(values[(d.length+i)*width:][:width], qkv[i*3*width+2*width:])
		}
		for h := range c.Heads {
			w.attention.head(h, qkv[skipped*3*width:], keys, c.Context, values, width, a.att,
				a.mixed[r*w.attention.kept*width:])
		}
	}
	if left < n {
		keepLast(d.rows, cols, width, w.x)
	}
	w.afterAttention(b, a, left)
}

// Sampling says how a token is drawn from probabilities.
type Sampling struct {
	// Temperature sharpens the distribution below 1 and flattens it above: p becomes p^(1/Temperature),
	// normalised. At 0 the most probable token is taken; ties go to the lowest.
	Temperature float64
	// TopK is how many of the most probable tokens may be drawn; ties go to the lowest. 0: all.
	TopK int
}

// Validate returns an error unless tokens can be drawn with these settings.
func (s Sampling) Validate() error {
	if !(s.Temperature == 0 || s.Temperature >= 1e-3 && s.Temperature <= 1e3) {
		return fmt.Errorf("lm: temperature %v; it must lie in 0.001..1000, or be 0 for only the best token",
			s.Temperature)
	}
	if s.TopK < 0 {
		return fmt.Errorf("lm: top-k %d; it must be positive, or 0 for all tokens", s.TopK)
	}
	return nil
}

// Sample draws a token from probs, of which there is at least one. It draws one number from random, none
// at temperature 0. It panics if s is not valid.
func (d *Decoder) Sample(s Sampling, probs []float32, random *num.Stream) uint16 {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	best := 0
	for id, p := range probs {
		if p > probs[best] {
			best = id
		}
	}
	if s.Temperature == 0 {
		return uint16(best)
	}
	last := d.lastOfTop(probs, s.TopK)
	d.weights = d.weights[:0]
	sum := 0.0
	for id, p := range probs {
		if p > 0 && rank(id, p) <= last {
			sum += num.Exp(num.Log(float64(p)/float64(probs[best])) / s.Temperature)
		}
		d.weights = append(d.weights, sum)
	}
	return uint16(random.Pick(d.weights))
}

// lastOfTop is the rank of the k-th most probable token, or of all where k is 0 or that many.
func (d *Decoder) lastOfTop(probs []float32, k int) uint64 {
	if k == 0 || k >= len(probs) {
		return math.MaxUint64
	}
	d.order = d.order[:0]
	for id, p := range probs {
		d.order = append(d.order, rank(id, p))
	}
	slices.Sort(d.order)
	return d.order[k-1]
}

// rank orders tokens: the more probable the lower, then by id. Probabilities are not negative, so that
// their bits order as they do.
func rank(id int, p float32) uint64 { return uint64(^math.Float32bits(p))<<16 | uint64(id) }

// Generate feeds prompt [rows x cols], with at least one column, and writes what follows to dst
// [rows x n], drawing each token with the stream of its row. It panics as Feed and Sample do; the last
// token is not fed.
func (d *Decoder) Generate(prompt, dst []uint16, s Sampling, random []*num.Stream) {
	checkLen("random streams", len(random), d.rows)
	vocab, n := d.model.Config.Vocab, len(dst)/d.rows
	checkLen("generated tokens", len(dst), n*d.rows)
	d.next = slices.Grow(d.next[:0], d.rows)[:d.rows]
	feed := prompt
	for i := range n {
		probs := d.Feed(feed)
		for r := range d.rows {
			d.next[r] = d.Sample(s, probs[r*vocab:(r+1)*vocab], random[r])
			dst[r*n+i] = d.next[r]
		}
		feed = d.next
	}
}
