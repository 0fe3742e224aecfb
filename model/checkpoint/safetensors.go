package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on what a header may hold.
const (
	maxHeaderBytes = 16 << 20
	maxRank        = 8
)

// elementBytes are the sizes of the number formats that a header may name.
var elementBytes = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
}

// Tensor is one tensor as the header of a safetensors file describes it.
type Tensor struct {
	Name   string
	Format string // of its numbers: F32, F16, BF16, ...
	Shape  []int  // row-major; empty for a single number

	start, end int64 // bytes in the file
}

// Len is the number of the tensor's elements.
func (t Tensor) Len() int { return int((t.end - t.start) / elementBytes[t.Format]) }

// Bytes is the tensor's size in the file.
func (t Tensor) Bytes() int64 { return t.end - t.start }

// Readable tells whether [File.Read] reads numbers of the tensor's format.
func (t Tensor) Readable() bool { return decoders[t.Format] != nil }

// place names an element by its indices, as in [3 17].
func (t Tensor) place(i int) []int {
	indices := make([]int, len(t.Shape))
	for k := len(t.Shape) - 1; k >= 0; k-- {
		indices[k] = i % t.Shape[k]
		i /= t.Shape[k]
	}
	return indices
}

// File is a safetensors file whose header has been read and checked.
type File struct {
	Tensors  []Tensor // in the order of their numbers in the file
	Metadata map[string]string

	data io.ReaderAt
}

// Open reads the header of a safetensors file of a size in bytes. It demands that tensors neither
// overlap nor leave holes, that they fill the file to its end, and that no name stands twice.
func Open(data io.ReaderAt, size int64) (*File, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, fmt.Errorf("safetensors: %d bytes; expected at least the 8 of the header's length", size)
	}
	if err := readAt(data, length[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if left := uint64(size - 8); n > min(left, maxHeaderBytes) {
		return nil, fmt.Errorf("safetensors: a header of %d bytes is announced; "+
			"the file has room for %d, and %d are allowed", n, left, maxHeaderBytes)
	}
	header := make([]byte, n)
	if err := readAt(data, header, 8); err != nil {
		return nil, err
	}
	f := &File{data: data}
	if err := f.parse(header); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	if err := f.arrange(8+int64(n), size); err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	return f, nil
}

// readAt fills b; a file that ends before is cut short.
func readAt(data io.ReaderAt, b []byte, at int64) error {
	if n, err := data.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("safetensors: byte %d: %w", at+int64(n), err)
	}
	return nil
}

// parse reads the header's members; offsets count from its end still.
func (f *File) parse(header []byte) error {
	switch {
	case len(header) == 0 || header[0] != '{':
		return fmt.Errorf("starts with %.1q; expected an object, {", header)
	case !utf8.Valid(header):
		return fmt.Errorf("not UTF-8")
	}
	list, err := members(header)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.name == "__metadata__" {
			f.Metadata, err = textMap(m.value)
		} else {
			var t Tensor
			t, err = parseTensor(m.value)
			t.Name = m.name
			f.Tensors = append(f.Tensors, t)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", m.name, err)
		}
	}
	return nil
}

// textMap reads an object of texts.
func textMap(value json.RawMessage) (map[string]string, error) {
	list, err := members(value)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, m := range list {
		var text *string
		if json.Unmarshal(m.value, &text) != nil || text == nil {
			return nil, fmt.Errorf("%q is %.40s; expected a text", m.name, m.value)
		}
		texts[m.name] = *text
	}
	return texts, nil
}

func parseTensor(value json.RawMessage) (t Tensor, err error) {
	list, err := members(value)
	if err != nil {
		return t, err
	}
	var offsets []int64
	for _, m := range list {
		known := !bytes.Contains(m.value, []byte("null")) // which encoding/json reads as 0
		switch m.name {
		case "dtype":
			err = json.Unmarshal(m.value, &t.Format)
		case "shape":
			err = json.Unmarshal(m.value, &t.Shape)
		case "data_offsets":
			err = json.Unmarshal(m.value, &offsets)
		default:
			known = false
		}
		if err != nil || !known {
			return t, fmt.Errorf("%q is %.60s; expected a dtype, a shape and data_offsets of whole numbers",
				m.name, m.value)
		}
	}
	size, ok := elementBytes[t.Format]
	switch {
	case !ok:
		return t, fmt.Errorf("dtype %q is unknown", t.Format)
	case t.Shape == nil:
		return t, fmt.Errorf("no shape")
	case len(t.Shape) > maxRank:
		return t, fmt.Errorf("%d dimensions; %d are allowed", len(t.Shape), maxRank)
	case len(offsets) != 2:
		return t, fmt.Errorf("%d data_offsets; expected begin and end", len(offsets))
	case offsets[0] < 0 || offsets[1] < offsets[0]:
		return t, fmt.Errorf("data_offsets %v; expected a begin of at least 0 and an end not before it",
			offsets)
	}
	t.start, t.end = offsets[0], offsets[1]
	if want, ok := volume(t.Shape, size); !ok || want != t.end-t.start {
		return t, fmt.Errorf("shape %v of %s does not take the %d bytes from %d to %d",
			t.Shape, t.Format, t.end-t.start, t.start, t.end)
	}
	return t, nil
}

// volume is the size of a tensor in bytes, unless it is beyond all files.
func volume(shape []int, size int64) (total int64, ok bool) {
	if slices.ContainsFunc(shape, func(d int) bool { return d < 0 }) {
		return 0, false
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	total = size
	for _, d := range shape {
		if total > math.MaxInt64/int64(d) {
			return 0, false
		}
		total *= int64(d)
	}
	return total, true
}

// arrange puts the tensors in order, each beginning where the one before ends, and adds the offset at
// which the numbers begin.
func (f *File) arrange(begin, size int64) error {
	slices.SortFunc(f.Tensors, func(a, b Tensor) int {
		switch {
		case a.start != b.start:
			return int(max(min(a.start-b.start, 1), -1))
		case a.end != b.end:
			return int(max(min(a.end-b.end, 1), -1))
		}
		return strings.Compare(a.Name, b.Name)
	})
	last, at := "the header", int64(0)
	for i := range f.Tensors {
		t := &f.Tensors[i]
		switch {
		case t.start < at:
			return fmt.Errorf("tensors %q and %q overlap at byte %d", last, t.Name, t.start)
		case t.start > at:
			return fmt.Errorf("%d bytes between %s and tensor %q belong to nothing", t.start-at, last, t.Name)
		case t.end > size-begin:
			return fmt.Errorf("tensor %q ends at byte %d of %d; the file is cut short", t.Name, t.end, size-begin)
		}
		last, at = t.Name, t.end
		t.start, t.end = t.start+begin, t.end+begin
	}
	if at != size-begin {
		return fmt.Errorf("%d bytes after the last tensor belong to nothing", size-begin-at)
	}
	return nil
}

// Read hands the numbers of a tensor to visit, chunk by chunk in their order; first is the index of a
// chunk's first one. Formats other than F32, F16 and BF16 are refused. x is valid during the call.
func (f *File) Read(t Tensor, visit func(first int, x []float32) error) error {
	decode := decoders[t.Format]
	if decode == nil {
		return fmt.Errorf("safetensors: tensor %q is %s; expected F32, F16 or BF16", t.Name, t.Format)
	}
	const chunk = 1 << 14
	size := int(elementBytes[t.Format])
	raw, x := make([]byte, chunk*size), make([]float32, chunk)
	for first := 0; first < t.Len(); first += chunk {
		n := min(chunk, t.Len()-first)
		if err := readAt(f.data, raw[:n*size], t.start+int64(first*size)); err != nil {
			return err
		}
		decode(raw[:n*size], x)
		if err := visit(first, x[:n]); err != nil {
			return err
		}
	}
	return nil
}
