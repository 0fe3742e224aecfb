package lm

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Every format is a line of text that names it, little-endian integers, and float32 numbers in the
// order of their arena. One value has one form; reading refuses every other.
const (
	modelMagic       = "taolab model 1\n"
	adamMagic        = "taolab adamw 1\n"
	adam16Magic      = "taolab adamw bfloat16 1\n"
	routerMagic      = "taolab router 1\n"
	routerStateMagic = "taolab router's state 1\n"
	momentumMagic    = "taolab momentum 1\n"
	rowRouterMagic   = "taolab row router 1\n"
	rowAdamMagic     = "taolab row router's adam 1\n"
)

// AppendBinary appends the model: vocab, context, width, layers, heads (4 bytes each), the weights.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	return appendFloats(m.appendHeader(b), m.Weights), nil
}

func (m *Model) appendHeader(b []byte) []byte {
	b = append(b, modelMagic...)
	c := m.Config
	for _, v := range [...]int{c.Vocab, c.Context, c.Width, c.Layers, c.Heads} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// UnmarshalBinary reads what AppendBinary wrote. It refuses weights that are not numbers or lie beyond
// [WeightLimit]; m changes only when all is well.
func (m *Model) UnmarshalBinary(data []byte) error {
	r := reader{what: "model", data: data}
	read := r.model()
	if err := r.end(); err != nil {
		return err
	}
	*m = read
	return nil
}

// Digest is the SHA-256 of what AppendBinary appends.
func (m *Model) Digest() [32]byte {
	h := sha256.New()
	buffer := m.appendHeader(make([]byte, 0, 1<<14))
	for rest := m.Weights; len(rest) > 0; {
		n := min((cap(buffer)-len(buffer))/4, len(rest))
		buffer = appendFloats(buffer, rest[:n])
		h.Write(buffer)
		buffer, rest = buffer[:0], rest[n:]
	}
	return [32]byte(h.Sum(nil))
}

// AppendBinary appends the state: step (8 bytes), the two products (float64), the number of weights
// (8 bytes), M and V.
func (s *AdamState) AppendBinary(b []byte) ([]byte, error) {
	b = append(slices.Grow(b, 8*len(s.M)), adamMagic...) // once: of a large model it is gigabytes
	b = binary.LittleEndian.AppendUint64(b, s.Step)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Beta1Product))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Beta2Product))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s.M)))
	return appendFloats(appendFloats(b, s.M), s.V), nil
}

// UnmarshalBinary reads what AppendBinary wrote; s changes only when all is well.
func (s *AdamState) UnmarshalBinary(data []byte) error {
	r := reader{what: "AdamW state", data: data}
	r.magic(adamMagic)
	var read AdamState
	read.Step = r.uint64()
	read.Beta1Product = r.product()
	read.Beta2Product = r.product()
	n := r.moments(read.Step)
	read.M = r.floats(n, -math.MaxFloat32, math.MaxFloat32)
	read.V = r.floats(n, 0, math.MaxFloat32)
	if err := r.end(); err != nil {
		return err
	}
	*s = read
	return nil
}

// AppendBinary appends the state as AdamState does, two bytes for each of M and V.
func (s *AdamState16) AppendBinary(b []byte) ([]byte, error) {
	b = append(slices.Grow(b, 4*len(s.M)), adam16Magic...)
	b = binary.LittleEndian.AppendUint64(b, s.Step)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Beta1Product))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Beta2Product))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s.M)))
	for _, half := range [...][]uint16{s.M, s.V} {
		for _, v := range half {
			b = binary.LittleEndian.AppendUint16(b, v)
		}
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary wrote; s changes only when all is well.
func (s *AdamState16) UnmarshalBinary(data []byte) error {
	r := reader{what: "AdamW state in bfloat16", data: data}
	r.magic(adam16Magic)
	var read AdamState16
	read.Step = r.uint64()
	read.Beta1Product = r.product()
	read.Beta2Product = r.product()
	n := r.moments(read.Step)
	read.M = r.halves(n, 0x7fff)
	read.V = r.halves(n, 0xffff)
	if err := r.end(); err != nil {
		return err
	}
	*s = read
	return nil
}

// AppendBinary appends the router: the number of gates (4 bytes), the trunk as a model, gates, biases.
func (r *Router) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, routerMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Bias)))
	b, err := r.Trunk.AppendBinary(b)
	return appendFloats(appendFloats(b, r.Gates), r.Bias), err
}

// UnmarshalBinary reads what AppendBinary wrote; r changes only when all is well.
func (r *Router) UnmarshalBinary(data []byte) error {
	in := reader{what: "router", data: data}
	in.magic(routerMagic)
	n := uint64(in.uint32())
	trunk := in.model()
	read := Router{Trunk: &trunk}
	if in.err == nil && (n < 1 || n > maxVocab || trunk.Config.Layers != 1) {
		in.fail("%d gates on %d layers; expected 1..%d gates on one layer", n, trunk.Config.Layers, maxVocab)
	}
	read.Gates = in.floats(n*uint64(trunk.Config.Width), -WeightLimit, WeightLimit)
	read.Bias = in.floats(n, -WeightLimit, WeightLimit)
	if err := in.end(); err != nil {
		return err
	}
	*r = read
	return nil
}

// AppendBinary appends the router: the numbers of gates and of subsets (4 bytes each), the trunk as a
// model, gates, biases, the common head, the subset head.
func (r *RowRouter) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, rowRouterMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Bias)))
	b = binary.LittleEndian.AppendUint32(b, uint32(r.subsets()))
	b, err := r.Trunk.AppendBinary(b)
	b = appendFloats(appendFloats(b, r.Gates), r.Bias)
	return appendFloats(appendFloats(b, r.Common), r.Subsets), err
}

// UnmarshalBinary reads what AppendBinary wrote; r changes only when all is well.
func (r *RowRouter) UnmarshalBinary(data []byte) error {
	in := reader{what: "row router", data: data}
	in.magic(rowRouterMagic)
	n, s := uint64(in.uint32()), uint64(in.uint32())
	trunk := in.model()
	if in.err == nil {
		if err := checkRowRouter(trunk.Config, int(n), int(s)); err != nil {
			in.fail("%v", err)
		}
	}
	read, d := RowRouter{Trunk: &trunk}, uint64(trunk.Config.Width)
	for _, part := range [...]struct {
		to *[]float32
		n  uint64
	}{{&read.Gates, n * d}, {&read.Bias, n}, {&read.Common, d + 1}, {&read.Subsets, s * (d + 1)}} {
		*part.to = in.floats(part.n, -WeightLimit, WeightLimit)
	}
	if err := in.end(); err != nil {
		return err
	}
	*r = read
	return nil
}

// AppendBinary appends the state: steps (8 bytes), the number of gates (8 bytes) and the steps of each,
// the number of moments (8 bytes), M and V.
func (st *RowAdam) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, rowAdamMagic...)
	b = binary.LittleEndian.AppendUint64(b, st.Steps)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(st.GateSteps)))
	for _, steps := range st.GateSteps {
		b = binary.LittleEndian.AppendUint64(b, steps)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(st.M)))
	return appendFloats(appendFloats(b, st.M), st.V), nil
}

// UnmarshalBinary reads what AppendBinary wrote; st changes only when all is well.
func (st *RowAdam) UnmarshalBinary(data []byte) error {
	r := reader{what: "row router's Adam", data: data}
	r.magic(rowAdamMagic)
	var read RowAdam
	read.Steps = r.count()
	gates := r.uint64()
	for i := uint64(0); i < gates && r.err == nil; i++ {
		read.GateSteps = append(read.GateSteps, r.count())
	}
	n := r.moments(read.Steps)
	read.M = r.floats(n, -math.MaxFloat32, math.MaxFloat32)
	read.V = r.floats(n, 0, math.MaxFloat32)
	if err := r.end(); err != nil {
		return err
	}
	*st = read
	return nil
}

// AppendBinary appends the state: the batches that wait (4 bytes), the number of momenta (8 bytes) and the
// momenta, the number of sums (8 bytes) and the sums.
func (st *RouterState) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, routerStateMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(st.Waiting))
	for _, part := range [...][]float32{st.Momentum, st.Sum} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(part)))
		b = appendFloats(b, part)
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary wrote; st changes only when all is well.
func (st *RouterState) UnmarshalBinary(data []byte) error {
	r := reader{what: "router's state", data: data}
	r.magic(routerStateMagic)
	var read RouterState
	read.Waiting = int(r.uint32())
	read.Momentum = r.floats(r.uint64(), -math.MaxFloat32, math.MaxFloat32)
	read.Sum = r.floats(r.uint64(), -math.MaxFloat32, math.MaxFloat32)
	if err := r.end(); err != nil {
		return err
	}
	*st = read
	return nil
}

// AppendBinary appends the momentum: the number of weights (8 bytes) and one number for each.
func (m Momentum) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, momentumMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(m)))
	return appendFloats(b, m), nil
}

// UnmarshalBinary reads what AppendBinary wrote; m changes only when all is well.
func (m *Momentum) UnmarshalBinary(data []byte) error {
	r := reader{what: "momentum", data: data}
	r.magic(momentumMagic)
	read := r.floats(r.uint64(), -math.MaxFloat32, math.MaxFloat32)
	if err := r.end(); err != nil {
		return err
	}
	*m = read
	return nil
}

func appendFloats(b []byte, x []float32) []byte {
	start := len(b)
	b = slices.Grow(b, 4*len(x))[:start+4*len(x)]
	out := b[start:]
	for i, v := range x {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(v))
	}
	return b
}

// reader takes fields off data until the first thing that is wrong.
type reader struct {
	what string
	data []byte
	at   int
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("lm: %s, byte %d: %s", r.what, r.at, fmt.Sprintf(format, args...))
	}
}

// next returns the next n bytes, or nil.
func (r *reader) next(n uint64) []byte {
	if r.err != nil {
		return nil
	}
	if left := uint64(len(r.data) - r.at); n > left {
		r.fail("%d bytes are left, %d expected; the data is cut short", left, n)
		return nil
	}
	b := r.data[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

func (r *reader) magic(want string) {
	if b := r.next(uint64(len(want))); b != nil && string(b) != want {
		r.at -= len(b)
		r.fail("starts with %q, expected %q", b, want)
	}
}

func (r *reader) uint32() uint32 {
	if b := r.next(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.next(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads a number of steps.
func (r *reader) count() uint64 {
	v := r.uint64()
	if v > math.MaxInt64 {
		r.fail("%d steps; expected at most %d", v, uint64(math.MaxInt64))
	}
	return v
}

// moments reads the number of moments of each kind, which is 0 only before the first step.
func (r *reader) moments(steps uint64) uint64 {
	n := r.uint64()
	if steps > 0 && n == 0 {
		r.fail("no moments after %d steps; expected one of each kind per weight", steps)
	}
	return n
}

// product reads a float64 in 0..1.
func (r *reader) product() float64 {
	v := math.Float64frombits(r.uint64())
	if !(v >= 0 && v <= 1) {
		r.fail("a product of betas is %v; it must lie in 0..1", v)
	}
	return v
}

// floats reads n numbers that lie in low..high.
func (r *reader) floats(n uint64, low, high float32) []float32 {
	if n > uint64(len(r.data)) {
		r.fail("%d numbers are announced, more than the data can hold", n)
	}
	b := r.next(4 * n)
	if len(b) == 0 {
		return nil
	}
	x := make([]float32, n)
	for i := range x {
		v := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if !(v >= low && v <= high) {
			r.at += 4*i - len(b)
			r.fail("a number is %v; it must lie in %v..%v", v, low, high)
			return nil
		}
		x[i] = v
	}
	return x
}

// halves reads n numbers in bfloat16 that are finite in the bits of mask: without the sign, or with it
// and thus not negative.
func (r *reader) halves(n uint64, mask uint16) []uint16 {
	if n > uint64(len(r.data)) {
		r.fail("%d numbers are announced, more than the data can hold", n)
	}
	b := r.next(2 * n)
	if len(b) == 0 {
		return nil
	}
	x := make([]uint16, n)
	for i := range x {
		x[i] = binary.LittleEndian.Uint16(b[2*i:])
		if x[i]&mask > largest16 {
			r.at += 2*i - len(b)
			r.fail("a moment has the bits %#04x: a NaN, infinite or, in V, negative", x[i])
			return nil
		}
	}
	return x
}

func (r *reader) model() (m Model) {
	r.magic(modelMagic)
	c := &m.Config
	for _, field := range [...]*int{&c.Vocab, &c.Context, &c.Width, &c.Layers, &c.Heads} {
		*field = int(r.uint32())
	}
	if r.err != nil {
		return m
	}
	if err := c.Validate(); err != nil {
		r.fail("%v", err)
		return m
	}
	m.Weights = r.floats(uint64(c.Params()), -WeightLimit, WeightLimit)
	return m
}

// end returns the first error, or one when data is left over.
func (r *reader) end() error {
	if r.err == nil && r.at < len(r.data) {
		r.fail("%d bytes are left over", len(r.data)-r.at)
	}
	return r.err
}
