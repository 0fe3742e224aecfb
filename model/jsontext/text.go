package jsontext

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Text is one JSON value with an index of all values in it; Nodes[0] is the whole. The members of an
// object follow it as name, value, name, value, and the elements of an array one after the other.
type Text struct {
	Data  []byte
	Nodes []Node

	open []int32 // objects and arrays around the place that is read
}

// Node is a value or a name: Data[Start:End]. Next is the first node that does not belong to it.
type Node struct{ Start, End, Next int32 }

// Error is a fault in a text and its place.
type Error struct {
	Offset       int    // of the byte, from 0
	Line, Column int    // of the same byte, from 1
	Path         string // of the value, as in added_tokens[2].id; empty where no value is meant
	Fault        string
}

// Error gives line, column, path and fault.
func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Fault)
	}
	return fmt.Sprintf("line %d, column %d: %s: %s", e.Line, e.Column, e.Path, e.Fault)
}

// ErrorAt makes an error of a place.
func (t *Text) ErrorAt(offset int, path, format string, args ...any) *Error {
	before := t.Data[:min(offset, len(t.Data))]
	return &Error{
		Offset: offset, Line: bytes.Count(before, []byte("\n")) + 1,
		Column: len(before) - bytes.LastIndexByte(before, '\n'),
		Path:   path, Fault: fmt.Sprintf(format, args...),
	}
}

// Mark is the byte order mark that some editors put before a text.
const Mark = "\uFEFF"

// Parse reads and indexes a text that is nested depth levels deep at most. It reuses what t holds, and
// keeps data. An error is an *Error.
func (t *Text) Parse(data []byte, depth int) error {
	t.Data, t.Nodes, t.open = data, t.Nodes[:0], t.open[:0]
	if len(data) > math.MaxInt32 {
		return t.ErrorAt(0, "", "%d bytes; expected %d at most", len(data), math.MaxInt32)
	}
	first := 0
	if bytes.HasPrefix(data, []byte(Mark)) {
		first = len(Mark)
	}
	if what := Describe(data); what != "" {
		return t.ErrorAt(0, "", "found %s", what)
	}
	if at := InvalidUTF8(data); at >= 0 {
		return t.ErrorAt(at, "", "not UTF-8 (byte %#02x); expected text in UTF-8", data[at])
	}
	return t.scan(first, depth)
}

// InvalidUTF8 is the place of the first byte that is not UTF-8, -1 if there is none.
func InvalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
}

// Kind is the kind of a value: one of { [ " 0 t f n.
func (t *Text) Kind(at int) byte {
	c := t.Data[t.Nodes[at].Start]
	if c == '-' || c >= '0' && c <= '9' {
		return '0'
	}
	return c
}

// Raw is a value as it is written.
func (t *Text) Raw(at int) []byte { return t.Data[t.Nodes[at].Start:t.Nodes[at].End] }

// Found describes a value for an error.
func (t *Text) Found(at int) string {
	switch t.Kind(at) {
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	const most = 40
	raw := t.Raw(at)
	if len(raw) <= most {
		return string(raw)
	}
	cut := most
	for !utf8.RuneStart(raw[cut]) {
		cut--
	}
	return string(raw[:cut]) + "..."
}

// Path names a value by the names and places that lead to it, the whole by "".
func (t *Text) Path(at int) string {
	var b strings.Builder
	for i := 0; i != at; {
		inObject := t.Kind(i) == '{'
		for child, place := i+1, 0; ; place++ {
			value := child
			if inObject {
				value++
			}
			if value < len(t.Nodes) && at >= int(t.Nodes[value].Next) {
				child = int(t.Nodes[value].Next)
				continue
			}
			if inObject {
				b.WriteString("." + t.String(child))
			} else {
				fmt.Fprintf(&b, "[%d]", place)
			}
			if at == child {
				value = at
			}
			i = value
			break
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}
