package chain

import (
	"encoding/binary"
	"errors"
)

// coder writes or reads a record. One layout function per record, a list of its fields in order,
// serves both directions, so reading and writing cannot disagree. Writing does not change the record, so
// others may read it at the same time. Numbers are little-endian and of fixed width; a list is its count in
// four bytes and its elements.
type coder struct {
	buf     []byte // written so far, or still to be read
	reading bool
	err     error // of the first field that could not be read
}

var (
	errShort     = errors.New("ends too early")
	errTrailing  = errors.New("has bytes after its end")
	errCanonical = errors.New("is not in canonical form")
)

// take returns the next n bytes to read; zeros after an error.
func (c *coder) take(n int) []byte {
	if c.err == nil && len(c.buf) < n {
		c.err = errShort
	}
	if c.err != nil {
		return make([]byte, n)
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

func (c *coder) u64(v *uint64) {
	if c.reading {
		*v = binary.LittleEndian.Uint64(c.take(8))
		return
	}
	c.buf = binary.LittleEndian.AppendUint64(c.buf, *v)
}

func (c *coder) u32(v *uint32) {
	if c.reading {
		*v = binary.LittleEndian.Uint32(c.take(4))
		return
	}
	c.buf = binary.LittleEndian.AppendUint32(c.buf, *v)
}

func (c *coder) u16(v *uint16) {
	if c.reading {
		*v = binary.LittleEndian.Uint16(c.take(2))
		return
	}
	c.buf = binary.LittleEndian.AppendUint16(c.buf, *v)
}

func (c *coder) i16(v *int16) {
	u := uint16(*v)
	c.u16(&u)
	if c.reading {
		*v = int16(u)
	}
}

func (c *coder) u8(v *uint8) {
	if c.reading {
		*v = c.take(1)[0]
		return
	}
	c.buf = append(c.buf, *v)
}

func (c *coder) flag(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	c.u8(&b)
	if !c.reading {
		return
	}
	if b > 1 && c.err == nil {
		c.err = errCanonical
	}
	*v = b == 1
}

func (c *coder) bytes(v []byte) {
	if c.reading {
		copy(v, c.take(len(v)))
		return
	}
	c.buf = append(c.buf, v...)
}

// count writes n, or reads a count of elements of at least size bytes each, which bounds it by
// what is there.
func (c *coder) count(n, size int) int {
	v := uint32(n)
	c.u32(&v)
	if c.reading && c.err == nil && uint64(v)*uint64(size) > uint64(len(c.buf)) {
		c.err = errShort
	}
	if c.err != nil {
		return 0
	}
	return int(v)
}

// list codes a list whose elements take at least size bytes.
func list[T any](c *coder, v *[]T, size int, element func(*T)) {
	n := c.count(len(*v), size)
	if c.reading {
		*v = nil
		if n > 0 {
			*v = make([]T, n)
		}
	}
	for i := range *v {
		element(&(*v)[i])
	}
}

// text codes a string type of at most 255 bytes.
func text[T ~string](c *coder, v *T) {
	n := uint8(len(*v))
	c.u8(&n)
	if c.reading {
		*v = T(c.take(int(n)))
		return
	}
	c.buf = append(c.buf, (*v)[:n]...)
}

// end returns the first error of the reading, or one if bytes are left.
func (c *coder) end() error {
	if c.err == nil && len(c.buf) > 0 {
		return errTrailing
	}
	return c.err
}
