package lm

import "taolab/model/num"

type (
	AdamW     struct{ Rate, Beta1, Beta2, Epsilon, WeightDecay, ClipNorm float32 }
	AdamState struct {
		Step                       uint64
		Beta1Product, Beta2Product float64
		M, V                       []float32
	}
	Workspace struct{}
	Router    struct {
		Trunk *Model
		Gates []float32
		Bias  []float32
	}
	SGD      struct{ Rate, Momentum, ClipNorm float32 }
	Momentum []float32
)

func (m *Model) AppendBinary(b []byte) ([]byte, error)     { panic("") }
func (m *Model) UnmarshalBinary(b []byte) error            { panic("") }
func (m *Model) Digest() [32]byte                          { panic("") }
func (s *AdamState) AppendBinary(b []byte) ([]byte, error) { panic("") }
func (s *AdamState) UnmarshalBinary(b []byte) error        { panic("") }
func (m Momentum) AppendBinary(b []byte) ([]byte, error)   { panic("") }
func (m *Momentum) UnmarshalBinary(b []byte) error         { panic("") }
func (r *Router) AppendBinary(b []byte) ([]byte, error)    { panic("") }
func (r *Router) UnmarshalBinary(b []byte) error           { panic("") }
func (r *Router) ForwardFLOP(rows, cols int) int64         { panic("") }
func (r *Router) TrainFLOP(rows, cols int) int64           { panic("") }
func NewRouter(cfg Config, n int, s *num.Stream) *Router   { panic("") }
func (w *Workspace) Train(m *Model, o AdamW, st *AdamState, tokens, targets []uint16, rows, cols int) float32 {
	panic("")
}
func (w *Workspace) Losses(m *Model, tokens, targets []uint16, rows, cols int, dst []float32) {
	panic("")
}
func (w *Workspace) Next(m *Model, tokens []uint16, rows, cols int) []float32        { panic("") }
func (w *Workspace) Probs(m *Model, tokens []uint16, rows, cols int) []float32       { panic("") }
func (w *Workspace) Route(r *Router, tokens []uint16, rows, cols int, dst []float32) { panic("") }
func (w *Workspace) TrainRouter(r *Router, o SGD, mom *Momentum, tokens []uint16, rows, cols int, uids []uint16, targets []float32) float32 {
	panic("")
}
