package lm

import (
	"fmt"
	"math"
	"slices"

	"taolab/model/num"
)

// WeightLimit bounds every weight of every model: with it no forward pass can overflow into a NaN.
const WeightLimit = 4096

// Model is a transformer: a shape and one contiguous arena of weights, laid out as Tensors lists them.
type Model struct {
	Config  Config
	Weights []float32
}

// Tensor is a named part of a model's arena; Data shares the arena's memory.
type Tensor struct {
	Name  string // as in Hugging Face's GPT-2, without the "transformer." prefix
	Shape []int  // matrices are [in, out], embeddings [rows, width]
	Data  []float32
}

// New makes a model with GPT-2's initialisation, see [Model.Init]. It panics when cfg is not valid.
func New(cfg Config, s *num.Stream) *Model {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	m := &Model{Config: cfg, Weights: make([]float32, cfg.Params())}
	m.Init(s)
	return m
}

// Init sets the weights to GPT-2's initialisation: matrices and embeddings normal with deviation 0.02,
// the two projections back into the residual stream 0.02/sqrt(2*Layers), gains 1, biases 0. Each
// tensor draws from a stream of its own name.
func (m *Model) Init(s *num.Stream) {
	residual := 0.02 / math.Sqrt(float64(2*m.Config.Layers))
	m.Config.eachTensor(func(t span) {
		data := m.Weights[t.start:t.end()]
		switch {
		case t.kind == gain:
			fill(data, 1)
		case t.kind == bias:
			clear(data)
		case t.kind == residualMatrix:
			drawNormal(data, residual, s.Sub(t.name()))
		default:
			drawNormal(data, 0.02, s.Sub(t.name()))
		}
	})
}

func drawNormal(dst []float32, deviation float64, s *num.Stream) {
	for i := range dst {
		dst[i] = float32(deviation * s.Normal())
	}
}

func fill(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

// Clone returns a model of its own with the same weights.
func (m *Model) Clone() *Model {
	return &Model{Config: m.Config, Weights: slices.Clone(m.Weights)}
}

// Tensors lists the parts of the arena in order.
func (m *Model) Tensors() []Tensor {
	var list []Tensor
	m.Config.eachTensor(func(t span) {
		list = append(list, Tensor{t.name(), t.shape(), m.Weights[t.start:t.end():t.end()]})
	})
	return list
}

// Tensors lists the tensors of a model of this shape without their data.
func (c Config) Tensors() []Tensor {
	var list []Tensor
	c.eachTensor(func(t span) { list = append(list, Tensor{Name: t.name(), Shape: t.shape()}) })
	return list
}

type kind uint8

const (
	matrix         kind = iota
	residualMatrix      // a projection back into the residual stream
	gain
	bias
)

// span is one tensor's place in an arena: rows x cols numbers from start; vectors have one row.
type span struct {
	layer      int // -1 outside the blocks
	part       string
	kind       kind
	rows, cols int
	start      int
}

func (t span) end() int     { return t.start + t.rows*t.cols }
func (t span) matrix() bool { return t.kind == matrix || t.kind == residualMatrix }

// shape is [rows, cols], of a vector [cols].
func (t span) shape() []int {
	if t.rows == 1 && !t.matrix() {
		return []int{t.cols}
	}
	return []int{t.rows, t.cols}
}

func (t span) name() string {
	if t.layer < 0 {
		return t.part
	}
	return fmt.Sprintf("h.%d.%s", t.layer, t.part)
}

// blockParts are the tensors of a block; rows and cols in units of the width, 0 rows for a vector.
var blockParts = [...]struct {
	name       string
	kind       kind
	rows, cols int
}{
	{"ln_1.weight", gain, 0, 1},
	{"ln_1.bias", bias, 0, 1},
	{"attn.c_attn.weight", matrix, 1, 3},
	{"attn.c_attn.bias", bias, 0, 3},
	{"attn.c_proj.weight", residualMatrix, 1, 1},
	{"attn.c_proj.bias", bias, 0, 1},
	{"ln_2.weight", gain, 0, 1},
	{"ln_2.bias", bias, 0, 1},
	{"mlp.c_fc.weight", matrix, 1, 4},
	{"mlp.c_fc.bias", bias, 0, 4},
	{"mlp.c_proj.weight", residualMatrix, 4, 1},
	{"mlp.c_proj.bias", bias, 0, 1},
}

// eachTensor visits the tensors of a model in the order of the arena.
func (c Config) eachTensor(visit func(span)) {
	start := 0
	next := func(layer int, part string, k kind, rows, cols int) {
		t := span{layer, part, k, rows, cols, start}
		start = t.end()
		visit(t)
	}
	next(-1, "wte.weight", matrix, c.Vocab, c.Width)
	next(-1, "wpe.weight", matrix, c.Context, c.Width)
	for l := range c.Layers {
		for _, p := range blockParts {
			next(l, p.name, p.kind, max(1, p.rows*c.Width), p.cols*c.Width)
		}
	}
	next(-1, "ln_f.weight", gain, 1, c.Width)
	next(-1, "ln_f.bias", bias, 1, c.Width)
}

// block is a view of one block's tensors in an arena of weights or of gradients.
type block struct {
	gain1, bias1           []float32 // [d]
	attn, attnBias         []float32 // [d x 3d], [3d]
	attnProj, attnProjBias []float32 // [d x d], [d]
	gain2, bias2           []float32 // [d]
	fc, fcBias             []float32 // [d x 4d], [4d]
	mlpProj, mlpProjBias   []float32 // [4d x d], [d]
}

// block cuts block l out of an arena.
func (c Config) block(arena []float32, l int) (b block) {
	d := c.Width
	rest := arena[(c.Vocab+c.Context)*d+l*c.blockParams():]
	cut := func(n int) []float32 {
		head := rest[:n:n]
		rest = rest[n:]
		return head
	}
	b.gain1, b.bias1 = cut(d), cut(d)
	b.attn, b.attnBias = cut(3*d*d), cut(3*d)
	b.attnProj, b.attnProjBias = cut(d*d), cut(d)
	b.gain2, b.bias2 = cut(d), cut(d)
	b.fc, b.fcBias = cut(4*d*d), cut(4*d)
	b.mlpProj, b.mlpProjBias = cut(4*d*d), cut(d)
	return b
}

// embeddings cuts the token embedding [Vocab x d] and the positions [Context x d] out of an arena.
func (c Config) embeddings(arena []float32) (wte, wpe []float32) {
	v, end := c.Vocab*c.Width, (c.Vocab+c.Context)*c.Width
	return arena[:v:v], arena[v:end:end]
}

// lastNorm cuts the gain and the bias [d] of the final layer norm out of an arena.
func (c Config) lastNorm(arena []float32) (gain, bias []float32) {
	end := c.Params()
	return arena[end-2*c.Width : end-c.Width], arena[end-c.Width : end]
}
