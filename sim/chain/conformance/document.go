package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxFileBytes = 64 << 20
	maxDepth     = 16
)

// Error says where a document is not what it has to be.
type Error struct {
	Path         string // of the value, as in scenarios[2].ops[0].uid; empty: the whole document
	Line, Column int    // of its first byte, from 1
	Text         string // what is there and what was expected
}

// Error gives line, column, path and text.
func (e *Error) Error() string {
	where := fmt.Sprintf("line %d, column %d", e.Line, e.Column)
	if e.Path != "" {
		where += ": " + e.Path
	}
	return where + ": " + e.Text
}

// document is a JSON text with an index of its values. The first fault stays: readers return zeros
// from then on, so that callers ask for err once.
type document struct {
	data  []byte
	nodes []node
	err   error
	// annotated documents may hold text for people beside what they are about, see annotations.
	annotated bool
}

// node is one value. The members of an object follow it as key, value, key, value; the elements of
// an array one after the other; next is the first node that belongs to neither.
type node struct {
	kind             byte // one of { [ " 0 t f n
	start, end, next int32
}

// none stands for a value that is missing; the document has its error already.
const none = -1

// parse indexes a JSON text: valid UTF-8, one value, nothing after it, no key twice in an object.
func parse(data []byte) (*document, error) {
	d := &document{data: data}
	if len(data) > maxFileBytes {
		return nil, &Error{Line: 1, Column: 1, Text: fmt.Sprintf("%d bytes, at most %d are allowed",
			len(data), maxFileBytes)}
	}
	if !utf8.Valid(data) {
		at := 0
		for r, size := utf8.DecodeRune(data); r != utf8.RuneError || size != 1; {
			at += size
			r, size = utf8.DecodeRune(data[at:])
		}
		return nil, d.errorAt(at, "", "not UTF-8")
	}
	if !json.Valid(data) {
		var syntax *json.SyntaxError
		if errors.As(json.Unmarshal(data, new(struct{})), &syntax) {
			return nil, d.errorAt(max(int(syntax.Offset)-1, 0), "", "not JSON: "+syntax.Error())
		}
		return nil, d.errorAt(0, "", "not JSON")
	}
	d.index()
	for at := range d.nodes {
		d.uniqueKeys(at)
	}
	return d, d.err
}

// index fills nodes from a text that is known to be valid JSON.
func (d *document) index() {
	var open [maxDepth]int
	depth := 0
	for p := 0; p < len(d.data); {
		c := d.data[p]
		switch c {
		case ' ', '\t', '\r', '\n', ',', ':':
			p++
			continue
		case '}', ']':
			p++
			depth--
			at := open[depth]
			d.nodes[at].end, d.nodes[at].next = int32(p), int32(len(d.nodes))
			continue
		}
		at := len(d.nodes)
		d.nodes = append(d.nodes, node{kind: c, start: int32(p), next: int32(at + 1)})
		switch {
		case c == '{' || c == '[':
			if depth == maxDepth {
				d.err = d.errorAt(p, "", fmt.Sprintf("nested deeper than %d levels", maxDepth))
				return
			}
			open[depth] = at
			depth++
			p++
			continue
		case c == '"':
			for p++; d.data[p] != '"'; p++ {
				if d.data[p] == '\\' {
					p++
				}
			}
			p++
		default:
			if c == '-' || c >= '0' && c <= '9' {
				d.nodes[at].kind = '0'
			}
			for p < len(d.data) && !strings.ContainsRune(" \t\r\n,:]}", rune(d.data[p])) {
				p++
			}
		}
		d.nodes[at].end = int32(p)
	}
}

func (d *document) uniqueKeys(at int) {
	if d.err != nil || d.nodes[at].kind != '{' || int(d.nodes[at].next) < at+5 {
		return // not an object, or of fewer than two members
	}
	met := map[string]bool{}
	for k := at + 1; k < int(d.nodes[at].next); k = int(d.nodes[k+1].next) {
		name := d.text(k)
		if met[name] {
			d.fail(k, "the key stands twice in its object")
		}
		met[name] = true
	}
}

func (d *document) errorAt(offset int, path, text string) *Error {
	before := string(d.data[:min(offset, len(d.data))])
	line := strings.Count(before, "\n")
	return &Error{path, line + 1, len(before) - strings.LastIndexByte(before, '\n'), text}
}

// fail remembers the first fault.
func (d *document) fail(at int, format string, args ...any) {
	if d.err == nil && at != none {
		d.err = d.errorAt(int(d.nodes[at].start), d.path(at), fmt.Sprintf(format, args...))
	}
}

// path names a value by the keys and places that lead to it.
func (d *document) path(at int) string {
	var b strings.Builder
	for i := 0; i != at; {
		inObject := d.nodes[i].kind == '{'
		for child, place := i+1, 0; ; place++ {
			value := child
			if inObject {
				value++
			}
			if at >= int(d.nodes[value].next) {
				child = int(d.nodes[value].next)
				continue
			}
			if inObject {
				b.WriteString("." + d.text(child))
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

// found describes a value for an error.
func (d *document) found(at int) string {
	n := d.nodes[at]
	switch n.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	const most = 40
	raw := d.data[n.start:n.end]
	if len(raw) > most {
		return string(raw[:most]) + "..."
	}
	return string(raw)
}

// is says whether a value is of a kind, and fails if not.
func (d *document) is(at int, kind byte, want string) bool {
	if d.err != nil || at == none {
		return false
	}
	if d.nodes[at].kind != kind {
		d.fail(at, "found %s, want %s", d.found(at), want)
		return false
	}
	return true
}

func (d *document) null(at int) bool { return at != none && d.nodes[at].kind == 'n' }

func (d *document) text(at int) string {
	if !d.is(at, '"', "a string") {
		return ""
	}
	raw := d.data[d.nodes[at].start:d.nodes[at].end]
	for _, c := range raw {
		if c == '\\' {
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				d.fail(at, "%v", err)
			}
			return s
		}
	}
	return string(raw[1 : len(raw)-1])
}

// unsigned reads a whole number from 0 to most, exactly.
func (d *document) unsigned(at int, most uint64) uint64 {
	if d.err != nil || at == none {
		return 0
	}
	n := d.nodes[at]
	v, err := strconv.ParseUint(string(d.data[n.start:n.end]), 10, 64)
	if n.kind != '0' || err != nil || v > most {
		d.fail(at, "found %s, want a whole number from 0 to %d", d.found(at), most)
		return 0
	}
	return v
}

// signed reads a whole number from least to most, exactly.
func (d *document) signed(at int, least, most int64) int64 {
	if d.err != nil || at == none {
		return 0
	}
	n := d.nodes[at]
	v, err := strconv.ParseInt(string(d.data[n.start:n.end]), 10, 64)
	if n.kind != '0' || err != nil || v < least || v > most {
		d.fail(at, "found %s, want a whole number from %d to %d", d.found(at), least, most)
		return 0
	}
	return v
}

// scaled reads a decimal number of at least 0 in units of 1/scale, rounded to the nearest; exact
// says that nothing was rounded. Powers of ten are not read.
func (d *document) scaled(at int, scale uint64) (v uint64, exact bool) {
	if !d.is(at, '0', "a number") {
		return 0, false
	}
	const digits = 9
	whole, part, _ := strings.Cut(string(d.data[d.nodes[at].start:d.nodes[at].end]), ".")
	part = strings.TrimRight(part, "0")
	if len(part) > digits {
		d.fail(at, "more than %d decimals", digits)
		return 0, false
	}
	one := uint64(1)
	for range part {
		one *= 10
	}
	w, err := strconv.ParseUint(whole, 10, 30)
	f, partErr := strconv.ParseUint("0"+part, 10, 64)
	if err != nil || partErr != nil {
		d.fail(at, "found %s, want a decimal number from 0 to %d", d.found(at), 1<<30-1)
		return 0, false
	}
	// At most 10^9 x 2^32: no overflow.
	return w*scale + (f*scale+one/2)/one, f*scale%one == 0
}

// flag reads true or false.
func (d *document) flag(at int) bool {
	if d.err != nil || at == none {
		return false
	}
	kind := d.nodes[at].kind
	if kind != 't' && kind != 'f' {
		d.fail(at, "found %s, want true or false", d.found(at))
	}
	return kind == 't'
}

// bit reads true or false, or 1 or 0.
func (d *document) bit(at int) bool {
	if d.err == nil && at != none && d.nodes[at].kind == '0' {
		return d.unsigned(at, 1) == 1
	}
	return d.flag(at)
}

// elements returns the values of a list of at most most.
func (d *document) elements(at, most int) []int {
	if !d.is(at, '[', "a list") {
		return nil
	}
	var places []int
	for i := at + 1; i < int(d.nodes[at].next); i = int(d.nodes[i].next) {
		if len(places) == most {
			d.fail(at, "more than %d elements", most)
			return nil
		}
		places = append(places, i)
	}
	return places
}

// list reads a list of at most most elements.
func list[T any](d *document, at, most int, read func(at int) T) []T {
	var values []T
	for _, i := range d.elements(at, most) {
		values = append(values, read(i))
	}
	return values
}

// object is an object whose members are taken one by one.
type object struct {
	d      *document
	at     int
	names  []string
	values []int
	used   []bool
}

func (d *document) object(at int) *object {
	o := &object{d: d, at: at}
	if d.is(at, '{', "an object") {
		for k := at + 1; k < int(d.nodes[at].next); k = int(d.nodes[k+1].next) {
			o.names = append(o.names, d.text(k))
			o.values = append(o.values, k+1)
		}
	}
	o.used = make([]bool, len(o.names))
	return o
}

// maybe returns a member that need not be there.
func (o *object) maybe(name string) (at int, ok bool) {
	for i, n := range o.names {
		if n == name {
			o.used[i] = true
			return o.values[i], true
		}
	}
	return none, false
}

// need returns a member that has to be there.
func (o *object) need(name string) int {
	at, ok := o.maybe(name)
	if !ok {
		o.d.fail(o.at, "%q is missing", name)
	}
	return at
}

// notes passes over members.
func (o *object) notes(names ...string) {
	for _, name := range names {
		o.maybe(name)
	}
}

// annotations are members that say nothing that could be compared: text for people, and literals
// of tests, rounded or shortened, of which the same file holds the exact values.
var annotations = []string{
	"source", "tolerance", "note", "notes", "comment", "description", "rule", "stored_rule", "missing",
	"test", "asserted", "asserted_by_source_test",
}

func (o *object) isNote(i int) bool {
	name := o.names[i]
	return o.d.annotated && (slices.Contains(annotations, name) || strings.HasSuffix(name, "_dec"))
}

// end refuses members that nobody took.
func (o *object) end() {
	for i, used := range o.used {
		if !used && !o.isNote(i) {
			o.d.fail(o.values[i]-1, "unknown field")
			return
		}
	}
}
