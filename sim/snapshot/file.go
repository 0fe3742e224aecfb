package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Version is that of the layout of everything in a snapshot. Another version is refused.
const Version = 4

const magic = "taolab snapshot\n"

// Writer writes sections. The first error stays.
type Writer struct {
	out io.Writer
	sum hash.Hash
	err error
}

// NewWriter begins a snapshot.
func NewWriter(out io.Writer) *Writer {
	sum := sha256.New()
	w := &Writer{out: io.MultiWriter(out, sum), sum: sum}
	w.write([]byte(magic))
	w.number(Version)
	return w
}

func (w *Writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(b)
	}
}

func (w *Writer) number(n uint64) { w.write(binary.LittleEndian.AppendUint64(nil, n)) }

// Section writes bytes that are not empty.
func (w *Writer) Section(b []byte) error {
	w.number(uint64(len(b)))
	w.write(b)
	return w.err
}

// Close ends the snapshot with its checksum; it does not close the underlying writer.
func (w *Writer) Close() error {
	w.number(0)
	w.write(w.sum.Sum(nil))
	return w.err
}

// Reader reads sections.
type Reader struct {
	in    io.Reader
	sum   hash.Hash
	bytes bytes.Buffer
}

// Errors of a file that is not a snapshot, or not one that this release can read.
var (
	ErrNotSnapshot = errors.New("not a snapshot of taolab")
	ErrDamaged     = errors.New("the snapshot is cut short or damaged: its checksum does not match")
)

// NewReader begins to read a snapshot.
func NewReader(in io.Reader) (*Reader, error) {
	sum := sha256.New()
	r := &Reader{in: io.TeeReader(in, sum), sum: sum}
	head := make([]byte, len(magic)+8)
	if _, err := io.ReadFull(r.in, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, ErrNotSnapshot
	}
	if v := binary.LittleEndian.Uint64(head[len(magic):]); v != Version {
		return nil, fmt.Errorf("a snapshot of version %d, expected %d: go on with the release that wrote it", v, Version)
	}
	return r, nil
}

// Section reads the next section. The bytes are valid until the next call. After the last one it
// returns io.EOF if the checksum matches, else ErrDamaged.
func (r *Reader) Section() ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		return nil, ErrDamaged
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n == 0 {
		want := r.sum.Sum(nil)
		var got [sha256.Size]byte
		if _, err := io.ReadFull(r.in, got[:]); err != nil || !bytes.Equal(got[:], want) {
			return nil, ErrDamaged
		}
		return nil, io.EOF
	}
	r.bytes.Reset()
	if n > 1<<40 {
		return nil, ErrDamaged
	}
	if _, err := io.CopyN(&r.bytes, r.in, int64(n)); err != nil { // grows with the data, not with n
		return nil, ErrDamaged
	}
	return r.bytes.Bytes(), nil
}

// Verify reads a snapshot to its end and returns an error if it is damaged.
func Verify(in io.Reader) error {
	r, err := NewReader(in)
	for err == nil {
		_, err = r.Section()
	}
	if err == io.EOF {
		return nil
	}
	return err
}
