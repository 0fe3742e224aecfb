package agents

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"taolab/sim/chain"
)

// The first bytes of an agent's state: whose it is, and the version of its layout.
const (
	minerState       = 1
	validatorState   = 2
	applicationState = 3
	lazyState        = 4
	newcomerState    = 5

	stateVersion = 2
)

// binaryAppender is what the model and score packages write their own state with.
type binaryAppender interface {
	AppendBinary([]byte) ([]byte, error)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendU16(b []byte, v uint16) []byte  { return binary.LittleEndian.AppendUint16(b, v) }
func appendU32(b []byte, v uint32) []byte  { return binary.LittleEndian.AppendUint32(b, v) }
func appendU64(b []byte, v uint64) []byte  { return binary.LittleEndian.AppendUint64(b, v) }
func appendF32(b []byte, v float32) []byte { return appendU32(b, math.Float32bits(v)) }
func appendF64(b []byte, v float64) []byte { return appendU64(b, math.Float64bits(v)) }

func appendU16s(b []byte, v []uint16) []byte {
	b = appendU32(b, uint32(len(v)))
	for _, x := range v {
		b = appendU16(b, x)
	}
	return b
}

func appendF32s(b []byte, v []float32) []byte {
	b = slices.Grow(appendU32(b, uint32(len(v))), 4*len(v))
	for _, x := range v {
		b = appendF32(b, x)
	}
	return b
}

func appendF64s(b []byte, v []float64) []byte {
	b = appendU32(b, uint32(len(v)))
	for _, x := range v {
		b = appendF64(b, x)
	}
	return b
}

// appendPart appends another package's state with its length in front.
func appendPart(b []byte, v binaryAppender) []byte {
	start := len(b)
	b, err := v.AppendBinary(appendU64(b, 0))
	if err != nil {
		panic(fmt.Sprintf("agents: state of %T: %v", v, err)) // its memory is broken
	}
	binary.LittleEndian.PutUint64(b[start:], uint64(len(b)-start-8))
	return b
}

// cursor reads what the functions above wrote. After the first error every read returns zero.
type cursor struct {
	name string // of the agent, for errors
	data []byte
	read int
	err  error
}

// open returns a cursor behind the head of an agent's state.
func open(name string, kind byte, data []byte) *cursor {
	c := &cursor{name: name, data: data}
	if k, v := c.u8("kind"), c.u8("version"); c.err == nil && (k != kind || v != stateVersion) {
		c.err = fmt.Errorf("agents: state of a %s: kind %d version %d, expected kind %d version %d; "+
			"restore it into the agent that wrote it, with the release that wrote it",
			name, k, v, kind, stateVersion)
	}
	return c
}

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("agents: state of a %s, byte %d: %s", c.name, c.read, fmt.Sprintf(format, args...))
	}
}

func (c *cursor) take(what string, n uint64) []byte {
	if c.err == nil && n > uint64(len(c.data)-c.read) {
		c.fail("%s needs %d bytes, %d are left", what, n, len(c.data)-c.read)
	}
	if c.err != nil {
		return nil
	}
	c.read += int(n)
	return c.data[c.read-int(n) : c.read]
}

func (c *cursor) u8(what string) byte {
	if b := c.take(what, 1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) bool(what string) bool {
	v := c.u8(what)
	if v > 1 {
		c.fail("%s is %d, expected 0 or 1", what, v)
	}
	return v == 1
}

func (c *cursor) u16(what string) uint16 {
	if b := c.take(what, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32(what string) uint32 {
	if b := c.take(what, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64(what string) uint64 {
	if b := c.take(what, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) f64(what string) float64 { return math.Float64frombits(c.u64(what)) }

func (c *cursor) key(what string) (k chain.Key) {
	copy(k[:], c.take(what, uint64(len(k))))
	return k
}

// count reads a length of elements of size bytes each, which the rest must be able to hold.
func (c *cursor) count(what string, size int) int {
	n := c.u32(what)
	if left := len(c.data) - c.read; c.err == nil && uint64(n)*uint64(size) > uint64(left) {
		c.fail("%s: %d elements of %d bytes, %d bytes are left", what, n, size, left)
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

func (c *cursor) u16s(what string) []uint16 {
	v := make([]uint16, c.count(what, 2))
	for i := range v {
		v[i] = c.u16(what)
	}
	return v
}

func (c *cursor) f32s(what string) []float32 {
	v := make([]float32, c.count(what, 4))
	for i := range v {
		v[i] = math.Float32frombits(c.u32(what))
	}
	return v
}

func (c *cursor) f64s(what string) []float64 {
	v := make([]float64, c.count(what, 8))
	for i := range v {
		v[i] = c.f64(what)
	}
	return v
}

// part hands a part's bytes to its own package.
func (c *cursor) part(what string, unmarshal func([]byte) error) {
	b := c.take(what, c.u64(what))
	if c.err != nil {
		return
	}
	if err := unmarshal(b); err != nil {
		c.fail("%s: %v", what, err)
	}
}

// end reports the first error, or bytes that nobody read.
func (c *cursor) end() error {
	if c.err == nil && c.read != len(c.data) {
		c.fail("%d bytes are left over", len(c.data)-c.read)
	}
	return c.err
}
