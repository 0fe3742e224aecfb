package jsontext

import (
	"bytes"
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// String is the text of a string, escapes resolved; "" for another value.
func (t *Text) String(at int) string { return string(t.AppendString(nil, at)) }

// AppendString appends the text of a string; of another value it appends nothing.
func (t *Text) AppendString(dst []byte, at int) []byte {
	if t.Kind(at) != '"' {
		return dst
	}
	raw := t.Raw(at)
	return appendUnescaped(dst, raw[1:len(raw)-1])
}

// appendUnescaped appends what stands between the quotes of a string, escapes resolved.
func appendUnescaped(dst, raw []byte) []byte {
	for {
		n := bytes.IndexByte(raw, '\\')
		if n < 0 {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:n]...)
		raw = raw[n:]
		switch raw[1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, raw = character(raw)
			dst = utf8.AppendRune(dst, r)
			continue
		default:
			dst = append(dst, raw[1])
		}
		raw = raw[2:]
	}
}

// character reads one character that is escaped with u, in one part or, beyond U+FFFF, in two. A
// surrogate without its other half reads as U+FFFD.
func character(raw []byte) (rune, []byte) {
	r, _ := hexadecimal(raw[2:])
	raw = raw[6:]
	if !utf16.IsSurrogate(r) {
		return r, raw
	}
	if len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
		low, _ := hexadecimal(raw[2:])
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			return both, raw[6:]
		}
	}
	return utf8.RuneError, raw
}

// hexadecimal reads the four digits that data begins with.
func hexadecimal(data []byte) (r rune, ok bool) {
	if len(data) < 4 {
		return 0, false
	}
	for _, c := range data[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|32 >= 'a' && c|32 <= 'f':
			c = c | 32 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Value is a value of a text. The zero Value stands for a missing member.
type Value struct {
	text *Text
	at   int
}

// Read reads a text and returns its value.
func Read(data []byte, depth int) (Value, error) {
	t := new(Text)
	if err := t.Parse(data, depth); err != nil {
		return Value{}, err
	}
	return Value{t, 0}, nil
}

// Kind is one of { [ " 0 t f n, or 0 for a missing value.
func (v Value) Kind() byte {
	if v.text == nil {
		return 0
	}
	return v.text.Kind(v.at)
}

// Null reports whether a value is null or missing.
func (v Value) Null() bool { return v.Kind() == 0 || v.Kind() == 'n' }

// Members yields the members of an object; another value has none.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != '{' {
			return
		}
		nodes := v.text.Nodes
		for k := v.at + 1; k < int(nodes[v.at].Next); k = int(nodes[k+1].Next) {
			if !yield(v.text.String(k), Value{v.text, k + 1}) {
				return
			}
		}
	}
}

// Member is an object's member of the given name, the zero Value if there is none.
func (v Value) Member(name string) Value {
	for found, value := range v.Members() {
		if found == name {
			return value
		}
	}
	return Value{}
}

// Need is a member that must exist.
func (v Value) Need(name string) (Value, error) {
	member := v.Member(name)
	if member.Kind() == 0 {
		return member, v.Errorf("no %q in it", name)
	}
	return member, nil
}

// Elements yields the elements of an array; another value has none.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != '[' {
			return
		}
		nodes := v.text.Nodes
		for i, k := 0, v.at+1; k < int(nodes[v.at].Next); i, k = i+1, int(nodes[k].Next) {
			if !yield(i, Value{v.text, k}) {
				return
			}
		}
	}
}

// Raw is the value as it is written, nil for a missing one.
func (v Value) Raw() []byte {
	if v.text == nil {
		return nil
	}
	return v.text.Raw(v.at)
}

// Text is the text of a string.
func (v Value) Text() (string, error) {
	if v.Kind() != '"' {
		return "", v.Expected("a string")
	}
	return v.text.String(v.at), nil
}

// Whole is a whole number, written without fraction and exponent, from least to most.
func (v Value) Whole(least, most int64) (int64, error) {
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	if err != nil || n < least || n > most {
		return 0, v.Expected("a whole number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10))
	}
	return n, nil
}

// Number is a number as a float64.
func (v Value) Number() (float64, error) {
	x, err := strconv.ParseFloat(string(v.Raw()), 64)
	if v.Kind() != '0' || err != nil {
		return 0, v.Expected("a number")
	}
	return x, nil
}

// True is the value of true or false.
func (v Value) True() (bool, error) {
	if kind := v.Kind(); kind != 't' && kind != 'f' {
		return false, v.Expected("true or false")
	}
	return v.Kind() == 't', nil
}

// Expected is the error of a value that is not the expected one.
func (v Value) Expected(expected string) error {
	if v.text == nil {
		return &Error{Line: 1, Column: 1, Fault: "a member is missing; expected " + expected}
	}
	return v.Errorf("found %s; expected %s", v.text.Found(v.at), expected)
}

// Errorf is an error about an existing value, with its place and path.
func (v Value) Errorf(format string, args ...any) error {
	return v.text.ErrorAt(int(v.text.Nodes[v.at].Start), v.text.Path(v.at), format, args...)
}
