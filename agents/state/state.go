// Package state writes and reads the bytes of an agent's state: little-endian, with the length before
// each list and before each part of another package.
//
// Readers trust no input: the first error stays, every later read returns zero, and a length that the
// rest of the bytes cannot hold is refused.
package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"taolab/sim/chain"
)

// version of the layouts; a state of another one is refused.
const version = 4

// binaryAppender is implemented by the state types of other packages.
type binaryAppender interface {
	AppendBinary([]byte) ([]byte, error)
}

// AppendBool appends one byte.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// The appenders of integers are encoding/binary's.

func AppendU16(b []byte, v uint16) []byte  { return binary.LittleEndian.AppendUint16(b, v) }
func AppendU32(b []byte, v uint32) []byte  { return binary.LittleEndian.AppendUint32(b, v) }
func AppendU64(b []byte, v uint64) []byte  { return binary.LittleEndian.AppendUint64(b, v) }
func AppendF32(b []byte, v float32) []byte { return AppendU32(b, math.Float32bits(v)) }
func AppendF64(b []byte, v float64) []byte { return AppendU64(b, math.Float64bits(v)) }

// AppendU16s appends a list and its length.
func AppendU16s(b []byte, v []uint16) []byte {
	b = AppendU32(b, uint32(len(v)))
	for _, x := range v {
		b = AppendU16(b, x)
	}
	return b
}

// AppendText appends a text and its length.
func AppendText(b []byte, v string) []byte { return append(AppendU32(b, uint32(len(v))), v...) }

// AppendF32s appends a list and its length.
func AppendF32s(b []byte, v []float32) []byte {
	b = slices.Grow(AppendU32(b, uint32(len(v))), 4*len(v))
	for _, x := range v {
		b = AppendF32(b, x)
	}
	return b
}

// AppendF64s appends a list and its length.
func AppendF64s(b []byte, v []float64) []byte {
	b = AppendU32(b, uint32(len(v)))
	for _, x := range v {
		b = AppendF64(b, x)
	}
	return b
}

// AppendPart appends the length of another package's state, and the state.
func AppendPart(b []byte, v binaryAppender) []byte {
	start := len(b)
	b, err := v.AppendBinary(AppendU64(b, 0))
	if err != nil {
		panic(fmt.Sprintf("agents: state of %T: %v", v, err)) // appending to memory cannot fail
	}
	binary.LittleEndian.PutUint64(b[start:], uint64(len(b)-start-8))
	return b
}

// Cursor reads what the functions above wrote. After the first error every read returns zero.
type Cursor struct {
	name string // of the agent, for errors
	data []byte
	read int
	err  error
}

// Begin appends the head of an agent's state: the version of all layouts, and the kind of agent.
func Begin(b []byte, agent string) []byte {
	return append(append(b, version, byte(len(agent))), agent...)
}

// Open returns a cursor after the head that Begin wrote.
func Open(agent string, data []byte) *Cursor {
	c := &Cursor{name: agent, data: data}
	v := c.U8("version")
	whose := string(c.take("name of the agent", uint64(c.U8("length of a name"))))
	if c.err == nil && (v != version || whose != agent) {
		c.err = fmt.Errorf("agents: state of a %s: a %q of layout %d, expected layout %d; "+
			"restore it into the agent that wrote it, with the release that wrote it", agent, whose, v, version)
	}
	return c
}

// Fail records an error, unless there is one already.
func (c *Cursor) Fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("agents: state of a %s, byte %d: %s", c.name, c.read, fmt.Sprintf(format, args...))
	}
}

func (c *Cursor) take(what string, n uint64) []byte {
	if c.err == nil && n > uint64(len(c.data)-c.read) {
		c.Fail("%s needs %d bytes, %d are left", what, n, len(c.data)-c.read)
	}
	if c.err != nil {
		return nil
	}
	c.read += int(n)
	return c.data[c.read-int(n) : c.read]
}

func (c *Cursor) U8(what string) byte {
	if b := c.take(what, 1); b != nil {
		return b[0]
	}
	return 0
}

func (c *Cursor) Bool(what string) bool {
	v := c.U8(what)
	if v > 1 {
		c.Fail("%s is %d, expected 0 or 1", what, v)
	}
	return v == 1
}

func (c *Cursor) U16(what string) uint16 {
	if b := c.take(what, 2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *Cursor) U32(what string) uint32 {
	if b := c.take(what, 4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *Cursor) U64(what string) uint64 {
	if b := c.take(what, 8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *Cursor) F64(what string) float64 { return math.Float64frombits(c.U64(what)) }

func (c *Cursor) Key(what string) (k chain.Key) {
	copy(k[:], c.take(what, uint64(len(k))))
	return k
}

// Count reads a length of elements of size bytes each, which the rest must be able to hold.
func (c *Cursor) Count(what string, size int) int {
	n := c.U32(what)
	if left := len(c.data) - c.read; c.err == nil && uint64(n)*uint64(size) > uint64(left) {
		c.Fail("%s: %d elements of %d bytes, %d bytes are left", what, n, size, left)
	}
	if c.err != nil {
		return 0
	}
	return int(n)
}

func (c *Cursor) Text(what string) string {
	return string(c.take(what, uint64(c.Count(what, 1))))
}

func (c *Cursor) U16s(what string) []uint16 {
	v := make([]uint16, c.Count(what, 2))
	for i := range v {
		v[i] = c.U16(what)
	}
	return v
}

func (c *Cursor) F32s(what string) []float32 {
	v := make([]float32, c.Count(what, 4))
	for i := range v {
		v[i] = math.Float32frombits(c.U32(what))
	}
	return v
}

func (c *Cursor) F64s(what string) []float64 {
	v := make([]float64, c.Count(what, 8))
	for i := range v {
		v[i] = c.F64(what)
	}
	return v
}

// Part passes a part's bytes to unmarshal.
func (c *Cursor) Part(what string, unmarshal func([]byte) error) {
	b := c.take(what, c.U64(what))
	if c.err != nil {
		return
	}
	if err := unmarshal(b); err != nil {
		c.Fail("%s: %v", what, err)
	}
}

// Rest is every byte that is left, for a part that ends the state.
func (c *Cursor) Rest() []byte { return c.take("rest", uint64(len(c.data)-c.read)) }

// End returns the first error, or one for bytes that are left over.
func (c *Cursor) End() error {
	if c.err == nil && c.read != len(c.data) {
		c.Fail("%d bytes are left over", len(c.data)-c.read)
	}
	return c.err
}
