package jsontext

import (
	"bytes"
	"math"
	"slices"
)

// plain are the bytes that stand for themselves in a string.
var plain = func() (table [256]bool) {
	for c := range table {
		table[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return table
}()

// scan reads the value that begins at p; nothing may follow it.
func (t *Text) scan(p, depth int) (err error) {
	for {
		if p, err = t.value(t.space(p), depth); err != nil {
			return err
		}
		if p < 0 { // a container was opened, and a value follows
			p = -p
			continue
		}
		for {
			p = t.space(p)
			if len(t.open) == 0 {
				if p < len(t.Data) {
					return t.unexpected(p, "the end: a text holds one value")
				}
				return nil
			}
			var more bool
			if p, more, err = t.after(p); err != nil {
				return err
			}
			if more {
				break
			}
		}
	}
}

// value reads a scalar or an empty container and returns the place after it; of a container with
// content it reads only the opening and returns the place negated.
func (t *Text) value(p, depth int) (int, error) {
	if p == len(t.Data) {
		return 0, t.unexpected(p, "a value")
	}
	switch c := t.Data[p]; {
	case c == '"':
		return t.text(p)
	case c == '{' || c == '[':
		if len(t.open) == depth {
			return 0, t.ErrorAt(p, "", "nested deeper than %d levels", depth)
		}
		t.open = append(t.open, int32(len(t.Nodes)))
		t.Nodes = append(t.Nodes, Node{Start: int32(p), Next: math.MaxInt32})
		p = t.space(p + 1)
		if p < len(t.Data) && t.Data[p] == c+2 { // } and ] come two after { and [
			return t.close(p)
		}
		if c == '{' {
			var err error
			if p, err = t.name(p); err != nil {
				return 0, err
			}
		}
		return -p, nil
	case c == '-' || c >= '0' && c <= '9':
		return t.number(p)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(t.Data[p:], []byte(word)) {
			return t.add(p, p+len(word)), nil
		}
	}
	return 0, t.unexpected(p, "a value")
}

// after reads what follows a value inside a container: its end, or a comma and perhaps a name, after
// which there is more.
func (t *Text) after(p int) (next int, more bool, err error) {
	container := t.Data[t.Nodes[t.open[len(t.open)-1]].Start]
	if p < len(t.Data) {
		switch t.Data[p] {
		case container + 2:
			next, err = t.close(p)
			return next, false, err
		case ',':
			if p++; container == '{' {
				p, err = t.name(t.space(p))
			}
			return p, true, err
		}
	}
	if container == '{' {
		return 0, false, t.unexpected(p, `"," or "}"`)
	}
	return 0, false, t.unexpected(p, `"," or "]"`)
}

// close ends the innermost container at p.
func (t *Text) close(p int) (int, error) {
	at := int(t.open[len(t.open)-1])
	t.open = t.open[:len(t.open)-1]
	t.Nodes[at].End, t.Nodes[at].Next = int32(p+1), int32(len(t.Nodes))
	if t.Data[p] == '}' {
		if twice := t.twice(at); twice >= 0 {
			return 0, t.ErrorAt(int(t.Nodes[twice].Start), t.Path(twice), "the key appears twice in its object")
		}
	}
	return p + 1, nil
}

// name reads the name of a member and its colon.
func (t *Text) name(p int) (int, error) {
	if p == len(t.Data) || t.Data[p] != '"' {
		return 0, t.unexpected(p, "a name in quotes")
	}
	p, err := t.text(p)
	if err != nil {
		return 0, err
	}
	if p = t.space(p); p == len(t.Data) || t.Data[p] != ':' {
		return 0, t.unexpected(p, `":"`)
	}
	return p + 1, nil
}

// text reads a string.
func (t *Text) text(start int) (int, error) {
	data := t.Data
	for p := start + 1; ; p++ {
		for p < len(data) && plain[data[p]] {
			p++
		}
		switch {
		case p == len(data):
			return 0, t.ErrorAt(start, "", "the string that begins here does not end")
		case data[p] == '"':
			return t.add(start, p+1), nil
		case data[p] != '\\':
			return 0, t.ErrorAt(p, "", "control character %#02x in a string; expected an escape such as \\n", data[p])
		}
		length := escape(data[p:])
		if length == 0 {
			return 0, t.ErrorAt(p, "", "%q is not an escape; expected one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000",
				data[p:min(p+2, len(data))])
		}
		p += length - 1
	}
}

// escape is the length of the escape that data begins with, 0 if there is none.
func escape(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hexadecimal(data[2:]); ok {
			return 6
		}
	}
	return 0
}

// number reads an integer, perhaps a fraction, perhaps an exponent.
func (t *Text) number(start int) (int, error) {
	p := start
	digits := func() bool {
		first := p
		for p < len(t.Data) && t.Data[p] >= '0' && t.Data[p] <= '9' {
			p++
		}
		return p > first
	}
	is := func(set string) bool { return p < len(t.Data) && bytes.IndexByte([]byte(set), t.Data[p]) >= 0 }
	if is("-") {
		p++
	}
	if is("0") {
		p++
	} else if !digits() {
		return 0, t.unexpected(p, "a digit")
	}
	if is(".") {
		if p++; !digits() {
			return 0, t.unexpected(p, "a digit")
		}
	}
	if is("eE") {
		if p++; is("+-") {
			p++
		}
		if !digits() {
			return 0, t.unexpected(p, "a digit")
		}
	}
	return t.add(start, p), nil
}

// add appends the node of a scalar and returns its end.
func (t *Text) add(start, end int) int {
	t.Nodes = append(t.Nodes, Node{int32(start), int32(end), int32(len(t.Nodes) + 1)})
	return end
}

// space is the place of the first byte from p on that is not white space.
func (t *Text) space(p int) int {
	for p < len(t.Data) && t.Data[p] <= ' ' {
		switch t.Data[p] {
		case ' ', '\t', '\r', '\n':
			p++
		default:
			return p
		}
	}
	return p
}

// unexpected is the error of a place where something else was expected.
func (t *Text) unexpected(p int, expected string) *Error {
	if p >= len(t.Data) {
		return t.ErrorAt(p, "", "the text ends here; expected %s", expected)
	}
	word := t.Data[p:]
	end := 1
	for end < min(len(word), 20) && (word[end]|32 >= 'a' && word[end]|32 <= 'z' || word[end] >= 0x80) && word[0]|32 >= 'a' {
		end++
	}
	return t.ErrorAt(p, "", "found %q; expected %s", word[:end], expected)
}

// twice is the node of a name that appears twice in an object, -1 if there is none.
func (t *Text) twice(at int) int {
	const few = 16
	var list [few]int
	names := list[:0]
	for k := at + 1; k < int(t.Nodes[at].Next); k = int(t.Nodes[k+1].Next) {
		names = append(names, k)
	}
	if len(names) <= few {
		for i, name := range names {
			for _, before := range names[:i] {
				if t.compare(before, name) == 0 {
					return name
				}
			}
		}
		return -1
	}
	slices.SortFunc(names, func(a, b int) int {
		if order := t.compare(a, b); order != 0 {
			return order
		}
		return a - b
	})
	for i := 1; i < len(names); i++ {
		if t.compare(names[i-1], names[i]) == 0 {
			return names[i]
		}
	}
	return -1
}

// compare orders names with their escapes resolved.
func (t *Text) compare(a, b int) int {
	x, y := t.Raw(a), t.Raw(b)
	x, y = x[1:len(x)-1], y[1:len(y)-1]
	if bytes.IndexByte(x, '\\') >= 0 {
		x = appendUnescaped(nil, x)
	}
	if bytes.IndexByte(y, '\\') >= 0 {
		y = appendUnescaped(nil, y)
	}
	return bytes.Compare(x, y)
}
