package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"taolab/model/jsontext"
)

// Limits on what a header may hold.
const (
	maxHeaderBytes = 100_000_000 // the format's own limit
	maxHeaderDepth = 16
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

// Readable reports whether [File.Read] reads numbers of the tensor's format.
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

// Open reads the header of a safetensors file of size bytes. Tensors must neither overlap nor leave
// holes, must fill the file to its end, and must have different names.
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
		if what := describe(data, size); what != "" {
			return nil, fmt.Errorf("safetensors: found %s", what)
		}
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

// describe says what a file without a header seems to be.
func describe(data io.ReaderAt, size int64) string {
	head := make([]byte, min(size, 64))
	if readAt(data, head, 0) != nil {
		return ""
	}
	return jsontext.Describe(head)
}

// readAt fills b; a file that ends earlier is reported as cut short.
func readAt(data io.ReaderAt, b []byte, at int64) error {
	n, err := data.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return fmt.Errorf("safetensors: the file ends at byte %d; expected %d more: fetch it again", at+int64(n), len(b)-n)
	}
	return fmt.Errorf("safetensors: byte %d cannot be read: %w", at+int64(n), err)
}

// parse reads the header's members; their offsets still count from its end.
func (f *File) parse(header []byte) error {
	if len(header) == 0 || header[0] != '{' {
		return fmt.Errorf("starts with %.1q; expected an object, {", header)
	}
	root, err := jsontext.Read(header, maxHeaderDepth)
	if err != nil {
		return err
	}
	tensors := 0
	for range root.Members() {
		tensors++
	}
	f.Tensors = make([]Tensor, 0, tensors)
	for name, value := range root.Members() {
		if name == "__metadata__" {
			if f.Metadata, err = textMap(value); err != nil {
				return err
			}
			continue
		}
		t, err := parseTensor(value)
		if err != nil {
			return err
		}
		t.Name = name
		f.Tensors = append(f.Tensors, t)
	}
	return nil
}

// textMap reads an object whose values are strings.
func textMap(value jsontext.Value) (map[string]string, error) {
	if value.Kind() != '{' {
		return nil, value.Expected("an object of texts")
	}
	texts := map[string]string{}
	for name, v := range value.Members() {
		text, err := v.Text()
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	return texts, nil
}

func parseTensor(value jsontext.Value) (t Tensor, err error) {
	if value.Kind() != '{' {
		return t, value.Expected("an object with dtype, shape and data_offsets")
	}
	for name, v := range value.Members() {
		if name != "dtype" && name != "shape" && name != "data_offsets" {
			return t, v.Errorf("unknown member; expected dtype, shape and data_offsets")
		}
	}
	dtype, err := value.Need("dtype")
	if err != nil {
		return t, err
	}
	if t.Format, err = dtype.Text(); err != nil {
		return t, err
	}
	if t.Shape, err = integers(value, "shape"); err != nil {
		return t, err
	}
	offsets, err := integers(value, "data_offsets")
	if err != nil {
		return t, err
	}
	size, ok := elementBytes[t.Format]
	switch {
	case !ok:
		return t, dtype.Expected("one of " + strings.Join(slices.Sorted(maps.Keys(elementBytes)), ", "))
	case len(t.Shape) > maxRank:
		return t, value.Errorf("%d dimensions; %d are allowed", len(t.Shape), maxRank)
	case len(offsets) != 2:
		return t, value.Errorf("%d data_offsets; expected begin and end", len(offsets))
	case offsets[1] < offsets[0]:
		return t, value.Errorf("data_offsets %v; expected an end not before the begin", offsets)
	}
	t.start, t.end = int64(offsets[0]), int64(offsets[1])
	if want, ok := volume(t.Shape, size); !ok || want != t.end-t.start {
		return t, value.Errorf("shape %v of %s does not take the %d bytes from %d to %d",
			t.Shape, t.Format, t.end-t.start, t.start, t.end)
	}
	return t, nil
}

// integers reads a member that is a list of non-negative integers.
func integers(value jsontext.Value, name string) ([]int, error) {
	list, err := value.Need(name)
	if err != nil {
		return nil, err
	}
	if list.Kind() != '[' {
		return nil, list.Expected("a list of whole numbers")
	}
	numbers := []int{}
	for _, v := range list.Elements() {
		n, err := v.Whole(0, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, int(n))
	}
	return numbers, nil
}

// unreadable is the error of a tensor in another format.
func unreadable(t Tensor) error {
	return fmt.Errorf("safetensors: tensor %q is %s; expected F32, F16 or BF16: convert it, as "+
		"model.float().save_pretrained(folder) does with transformers", t.Name, t.Format)
}

// volume is the size of a tensor in bytes; ok is false if no file is that large.
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

// arrange sorts the tensors, checks that each begins where the last one ends, and makes their offsets
// count from the file's beginning.
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
		return unreadable(t)
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
