package lm

import "fmt"

// Optimizer is a way to train a model, as far as the memory used besides its weights goes.
type Optimizer uint8

// The optimisers, and the bytes of an agent per weight, its weight included.
const (
	OptimizerAdamW    Optimizer = iota // AdamState: 12
	OptimizerAdamW16                   // AdamState16: 8
	OptimizerMomentum                  // Momentum: 8
	OptimizerNone                      // a model that is not trained: 4
)

// perWeight is the number of float32 and of bfloat16 numbers that an agent has per weight.
func (o Optimizer) perWeight() (floats, halves int) {
	switch o {
	case OptimizerAdamW:
		return 3, 0
	case OptimizerAdamW16:
		return 1, 2
	case OptimizerMomentum:
		return 2, 0
	case OptimizerNone:
		return 1, 0
	}
	panic(fmt.Sprintf("lm: no optimiser has the number %d", o))
}

// strides are how many float32 and bfloat16 numbers an agent takes, in whole stretches of 64 bytes.
func (c Config) strides(o Optimizer) (floats, halves int) {
	floats, halves = o.perWeight()
	return (floats*c.Params() + 15) &^ 15, (halves*c.Params() + 31) &^ 31
}

// Bytes is the size of an agent in an [Arena]: weights and optimiser state of a model of this shape.
func (c Config) Bytes(o Optimizer) int {
	floats, halves := c.strides(o)
	return 4*floats + 2*halves
}

// Arena holds the models of many agents of one shape, each with its optimiser's state behind its weights
// in one stretch of memory, one agent after the other; moments in bfloat16 make a stretch of their own.
// It takes [Config.Bytes] per agent, and some 200 bytes for the Go values that point there. What Model,
// Adam and their like return stays valid and in place. Agents may be used by different goroutines at
// the same time.
type Arena struct {
	config    Config
	optimizer Optimizer
	models    []Model
	adam      []AdamState
	adam16    []AdamState16
	momenta   []Momentum
}

// NewArena makes an arena of n agents whose weights are zero and whose states are fresh. It panics if
// cfg is not valid or n is below 1.
func NewArena(cfg Config, o Optimizer, n int) *Arena {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	if n < 1 {
		panic(fmt.Sprintf("lm: an arena of %d agents; there must be at least one", n))
	}
	a := &Arena{config: cfg, optimizer: o, models: make([]Model, n)}
	switch o {
	case OptimizerAdamW:
		a.adam = make([]AdamState, n)
	case OptimizerAdamW16:
		a.adam16 = make([]AdamState16, n)
	case OptimizerMomentum:
		a.momenta = make([]Momentum, n)
	}
	p := cfg.Params()
	stride, stride16 := cfg.strides(o)
	memory, memory16 := make([]float32, n*stride), make([]uint16, n*stride16)
	for i := range n {
		agent, agent16 := memory[i*stride:(i+1)*stride], memory16[i*stride16:(i+1)*stride16]
		a.models[i] = Model{cfg, agent[:p:p]}
		switch o {
		case OptimizerAdamW:
			a.adam[i].M, a.adam[i].V = agent[p:2*p:2*p], agent[2*p:3*p:3*p]
		case OptimizerAdamW16:
			a.adam16[i].M, a.adam16[i].V = agent16[:p:p], agent16[p:2*p:2*p]
		case OptimizerMomentum:
			a.momenta[i] = Momentum(agent[p : 2*p : 2*p])
		}
	}
	return a
}

// Len is the number of agents.
func (a *Arena) Len() int { return len(a.models) }

// Model is agent i's model.
func (a *Arena) Model(i int) *Model { return &a.models[i] }

// Adam is agent i's state in an arena for [OptimizerAdamW]; of another it panics, as do its like below.
func (a *Arena) Adam(i int) *AdamState { return &a.adam[i] }

// Adam16 is agent i's state in an arena for [OptimizerAdamW16].
func (a *Arena) Adam16(i int) *AdamState16 { return &a.adam16[i] }

// Momentum is agent i's state in an arena for [OptimizerMomentum].
func (a *Arena) Momentum(i int) *Momentum { return &a.momenta[i] }

// LossesBytes is the memory that [Workspace.Losses] takes in a workspace of its own: some rows'
// activations of one layer, however many layers and rows there are.
func (c Config) LossesBytes(rows, cols int) int { return workspaceBytes(c, rows, cols, measureAll) }

// NextBytes is the same for [Workspace.Next], which also keeps its result.
func (c Config) NextBytes(rows, cols int) int { return workspaceBytes(c, rows, cols, predictLast) }

// TrainBytes is the same for [Workspace.Train]: some rows' activations of all layers, and the
// gradients.
func (c Config) TrainBytes(rows, cols int) int { return workspaceBytes(c, rows, cols, train) }

func workspaceBytes(c Config, rows, cols int, p purpose) int {
	w := Workspace{shape: shape{config: c, rows: rows, cols: cols, purpose: p}}
	w.layout()
	return 4 * w.used
}
