package mind

import (
	"encoding"
	"encoding/binary"
	"fmt"

	"taolab/model/lm"
)

// Optimizer is a way to train a transformer, with its settings.
type Optimizer interface {
	Validate() error
	// begin returns the state before the first step.
	begin() training
}

// training is an optimiser with its state for one model.
type training interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
	// train takes a step and returns the loss before it, in nats per token.
	train(w *lm.Workspace, m *lm.Model, tokens, targets []uint16, rows, cols int) float32
	// taken counts the steps so far.
	taken() uint64
	// weights is the number of weights of its model; 0: none yet.
	weights() int
}

// AdamW trains with moments in float32: 12 bytes a weight, the weight itself included.
type AdamW struct{ lm.AdamW }

// AdamW16 is AdamW with moments in bfloat16: 8 bytes a weight.
type AdamW16 struct{ lm.AdamW }

// SGD trains with one decaying sum of gradients: 8 bytes a weight.
type SGD struct{ lm.SGD }

func (o AdamW) begin() training   { return &adamW{o: o.AdamW} }
func (o AdamW16) begin() training { return &adamW16{o: o.AdamW} }
func (o SGD) begin() training     { return &sgd{o: o.SGD} }

type adamW struct {
	o lm.AdamW
	lm.AdamState
}

func (t *adamW) train(w *lm.Workspace, m *lm.Model, tokens, targets []uint16, rows, cols int) float32 {
	return w.Train(m, t.o, &t.AdamState, tokens, targets, rows, cols)
}

func (t *adamW) taken() uint64 { return t.Step }
func (t *adamW) weights() int  { return len(t.M) }

type adamW16 struct {
	o lm.AdamW
	lm.AdamState16
}

func (t *adamW16) train(w *lm.Workspace, m *lm.Model, tokens, targets []uint16, rows, cols int) float32 {
	return w.Train16(m, t.o, &t.AdamState16, tokens, targets, rows, cols)
}

func (t *adamW16) taken() uint64 { return t.Step }
func (t *adamW16) weights() int  { return len(t.M) }

type sgd struct {
	o     lm.SGD
	steps uint64
	lm.Momentum
}

func (t *sgd) train(w *lm.Workspace, m *lm.Model, tokens, targets []uint16, rows, cols int) float32 {
	t.steps++
	return w.TrainSGD(m, t.o, &t.Momentum, tokens, targets, rows, cols)
}

func (t *sgd) taken() uint64 { return t.steps }
func (t *sgd) weights() int  { return len(t.Momentum) }

// AppendBinary appends the number of steps (8 bytes) and the momenta.
func (t *sgd) AppendBinary(b []byte) ([]byte, error) {
	return t.Momentum.AppendBinary(binary.LittleEndian.AppendUint64(b, t.steps))
}

// UnmarshalBinary reads what AppendBinary wrote; t changes only when all is well.
func (t *sgd) UnmarshalBinary(data []byte) error {
	if len(data) < 8 {
		return fmt.Errorf("an optimiser of %d bytes; expected at least the 8 of its number of steps", len(data))
	}
	if err := t.Momentum.UnmarshalBinary(data[8:]); err != nil {
		return err
	}
	t.steps = binary.LittleEndian.Uint64(data)
	return nil
}
