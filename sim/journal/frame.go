package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// magic begins a journal; its last byte before the line's end is the version.
const magic = "taolab journal 1\n"

// maxFrame bounds a frame: a turn with the largest bodies that worlds let through.
const maxFrame = 1 << 30

// ErrDamaged says that a journal's bytes are not what was written.
var ErrDamaged = errors.New("the journal is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends a frame: the length of its content in 4 bytes, a CRC-32C of the content in 4, the
// content.
func appendFrame(b, content []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(content, castagnoli))
	return append(b, content...)
}

// frames reads frames.
type frames struct {
	in      io.Reader
	content bytes.Buffer
	read    int64 // bytes of whole frames
}

// errCut says that the bytes end within a frame.
var errCut = errors.New("the journal ends within a turn")

// newFrames checks the beginning of a journal.
func newFrames(in io.Reader) (*frames, error) {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(in, head); err != nil || string(head[:len(head)-2]) != magic[:len(magic)-2] {
		return nil, errors.New("not a journal of taolab")
	}
	if string(head) != magic {
		return nil, fmt.Errorf("a journal of version %q, expected %q: read it with the release that wrote it", head[len(head)-2], magic[len(magic)-2])
	}
	return &frames{in: in, read: int64(len(magic))}, nil
}

// next is the content of the next frame, valid until the next call. At the end it returns io.EOF, or errCut
// where that is within a frame.
func (f *frames) next() ([]byte, error) {
	var head [8]byte
	if n, err := io.ReadFull(f.in, head[:]); err != nil {
		return nil, f.ended(n, err)
	}
	length, sum := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint32(head[4:])
	if length > maxFrame {
		return nil, fmt.Errorf("%w: a turn of %d bytes at byte %d; expected at most %d", ErrDamaged, length, f.read, maxFrame)
	}
	f.content.Reset()
	if n, err := io.CopyN(&f.content, f.in, int64(length)); err != nil { // grows with what is there
		return nil, f.ended(int(n)+len(head), err)
	}
	if crc32.Checksum(f.content.Bytes(), castagnoli) != sum {
		return nil, fmt.Errorf("%w: the checksum of the turn at byte %d does not fit", ErrDamaged, f.read)
	}
	f.read += int64(len(head)) + int64(length)
	return f.content.Bytes(), nil
}

// ended is how the bytes ended after some of a frame.
func (f *frames) ended(n int, err error) error {
	switch {
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the journal cannot be read at byte %d: %w", f.read+int64(n), err)
	case n == 0:
		return io.EOF
	}
	return errCut
}
