package lm

import "fmt"

// Config is the shape of a model. The hidden layer of the MLP is 4*Width wide, a head Width/Heads.
type Config struct {
	Vocab   int // tokens, at most 65,536: a token is a uint16
	Context int // positions
	Width   int // channels of the residual stream
	Layers  int
	Heads   int // divides Width
}

// Limits keep every offset inside an int and every sum of a forward pass finite (see the
// package's last paragraph).
const (
	maxVocab   = 1 << 16
	maxContext = 1 << 14
	maxWidth   = 1 << 14
	maxLayers  = 1 << 10
)

// Validate returns an error unless a model can have this shape.
func (c Config) Validate() error {
	for _, f := range [...]struct {
		name       string
		value, max int
	}{
		{"vocab", c.Vocab, maxVocab},
		{"context", c.Context, maxContext},
		{"width", c.Width, maxWidth},
		{"layers", c.Layers, maxLayers},
		{"heads", c.Heads, maxWidth},
	} {
		if f.value < 1 || f.value > f.max {
			return fmt.Errorf("lm: %s is %d; it must lie in 1..%d", f.name, f.value, f.max)
		}
	}
	if c.Width%c.Heads != 0 {
		return fmt.Errorf("lm: %d heads do not divide width %d; choose a divisor", c.Heads, c.Width)
	}
	return nil
}

// CheckBatch returns an error unless a model of this shape can read tokens as rows sequences of
// cols tokens. The passes below panic where it returns an error: call it on all input from
// outside.
func (c Config) CheckBatch(tokens []uint16, rows, cols int) error {
	if rows < 1 || cols < 1 || cols > c.Context {
		return fmt.Errorf("lm: a batch of %d x %d tokens; rows must be at least 1, columns in 1..%d",
			rows, cols, c.Context)
	}
	if len(tokens)/rows != cols || len(tokens)%rows != 0 {
		return fmt.Errorf("lm: %d tokens do not fill a batch of %d x %d", len(tokens), rows, cols)
	}
	for i, t := range tokens {
		if int(t) >= c.Vocab {
			return fmt.Errorf("lm: token %d at row %d, column %d; the vocabulary has %d tokens",
				t, i/cols, i%cols, c.Vocab)
		}
	}
	return nil
}

// Params is the number of weights.
func (c Config) Params() int {
	d := c.Width
	return c.Vocab*d + c.Context*d + c.Layers*c.blockParams() + 2*d
}

func (c Config) blockParams() int { return 12*c.Width*c.Width + 13*c.Width }

// ForwardFLOP is the work of a forward pass over rows x cols tokens in floating-point operations:
// two per multiply-add of the matrix products, attention counted over the causal triangle;
// elementwise work is left out, as usual. With lastOnly only the last position of each row leaves
// the last block and reaches the head, as in [Workspace.Next].
func (c Config) ForwardFLOP(rows, cols int, lastOnly bool) int64 {
	return 2 * (c.trunkMuls(rows, cols, lastOnly) + kept(rows, cols, lastOnly)*int64(c.Width*c.Vocab))
}

// TrainFLOP is the work of one training step, by the same count: three times the forward pass.
func (c Config) TrainFLOP(rows, cols int) int64 { return 3 * c.ForwardFLOP(rows, cols, false) }

// trunkMuls counts the multiply-adds below the head.
func (c Config) trunkMuls(rows, cols int, lastOnly bool) int64 {
	d, r, t := int64(c.Width), int64(rows), int64(cols)
	triangle := t * (t + 1) / 2
	full := r*t*12*d*d + 2*r*triangle*d
	if !lastOnly {
		return int64(c.Layers) * full
	}
	return int64(c.Layers-1)*full + r*t*3*d*d + 2*r*t*d + r*9*d*d
}

// kept is the number of positions that reach the head.
func kept(rows, cols int, lastOnly bool) int64 {
	if lastOnly {
		return int64(rows)
	}
	return int64(rows) * int64(cols)
}
