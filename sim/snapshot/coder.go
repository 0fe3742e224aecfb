package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Coder writes or reads a state. One layout function per record, a list of its fields in order, serves
// both directions, so that reading always matches writing. Numbers take eight bytes, little-endian; a
// list is its count and its elements. After the first error every read yields zeros.
type Coder struct {
	bytes   []byte // written so far, or still to be read
	reading bool
	err     error
}

var errShort = errors.New("it ends too early")

// Append returns a coder that appends to b.
func Append(b []byte) *Coder { return &Coder{bytes: b} }

// Read returns a coder that reads b.
func Read(b []byte) *Coder { return &Coder{bytes: b, reading: true} }

// Reading reports whether the coder reads.
func (c *Coder) Reading() bool { return c.reading }

// Written returns the bytes that the coder began with and those that it wrote.
func (c *Coder) Written() []byte { return c.bytes }

// Err is the first error.
func (c *Coder) Err() error { return c.err }

// End returns the first error, or one for bytes that are left over.
func (c *Coder) End() error {
	if c.err == nil && c.reading && len(c.bytes) > 0 {
		return fmt.Errorf("%d bytes are left over", len(c.bytes))
	}
	return c.err
}

// Fail records an error, unless there is one already.
func (c *Coder) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *Coder) take(n uint64) []byte {
	if c.err == nil && n > uint64(len(c.bytes)) {
		c.err = errShort
	}
	if c.err != nil {
		return nil
	}
	b := c.bytes[:n]
	c.bytes = c.bytes[n:]
	return b
}

// integer is any integer type.
type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Number codes an integer. One that does not fit its type is an error.
func Number[T integer](c *Coder, v *T) {
	if !c.reading {
		c.bytes = binary.LittleEndian.AppendUint64(c.bytes, uint64(*v))
		return
	}
	*v = 0
	if b := c.take(8); b != nil {
		x := binary.LittleEndian.Uint64(b)
		if *v = T(x); uint64(*v) != x {
			c.Fail(fmt.Errorf("%d does not fit %T", x, *v))
		}
	}
}

// Real codes a float64, bit by bit.
func Real(c *Coder, v *float64) {
	bits := math.Float64bits(*v)
	Number(c, &bits)
	*v = math.Float64frombits(bits)
}

// Flag codes a truth value.
func (c *Coder) Flag(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	Number(c, &n)
	if n > 1 {
		c.Fail(fmt.Errorf("%d, expected 0 or 1", n))
	}
	*v = n == 1
}

// Array codes a fixed number of bytes.
func (c *Coder) Array(v []byte) {
	if c.reading {
		copy(v, c.take(uint64(len(v))))
		return
	}
	c.bytes = append(c.bytes, v...)
}

// Blob codes bytes, preceded by their number. It reads a copy, or nil if there are no bytes.
func (c *Coder) Blob(v *[]byte) {
	n := len(*v)
	Number(c, &n)
	if !c.reading {
		c.bytes = append(c.bytes, *v...)
		return
	}
	*v = append([]byte(nil), c.take(uint64(n))...)
}

// BlobBy codes bytes as Blob does. Those that are written are what by appends, which need not be copied.
func (c *Coder) BlobBy(v *[]byte, by func([]byte) []byte) {
	if c.reading {
		c.Blob(v)
		return
	}
	start := len(c.bytes)
	c.bytes = by(binary.LittleEndian.AppendUint64(c.bytes, 0))
	binary.LittleEndian.PutUint64(c.bytes[start:], uint64(len(c.bytes)-start-8))
}

// Text codes a string, preceded by its length.
func Text[T ~string](c *Coder, v *T) {
	b := []byte(*v)
	c.Blob(&b)
	*v = T(b)
}

// Part codes a value that has its own binary form.
func (c *Coder) Part(v interface {
	AppendBinary([]byte) ([]byte, error)
	UnmarshalBinary([]byte) error
}) {
	var b []byte
	if !c.reading {
		var err error
		if b, err = v.AppendBinary(nil); err != nil {
			c.Fail(err)
		}
	}
	c.Blob(&b)
	if c.reading && c.err == nil {
		if err := v.UnmarshalBinary(b); err != nil {
			c.Fail(err)
		}
	}
}

// List codes a list, each element of which takes at least a byte.
func List[T any](c *Coder, v *[]T, element func(*T)) {
	n := len(*v)
	Number(c, &n)
	if c.reading {
		*v = nil
		if n < 0 || n > len(c.bytes) {
			c.Fail(errShort)
		}
	}
	if !c.reading {
		for i := range *v {
			element(&(*v)[i])
		}
		return
	}
	for i := 0; i < n && c.err == nil; i++ { // grows with the data, not with n
		var x T
		element(&x)
		*v = append(*v, x)
	}
}
