package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"taolab/model/jsontext"
)

// Limits of a document.
const (
	MaxBytes = 64 << 20
	maxDepth = 16
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

// document is a JSON text that is read value by value. The first fault stays: readers return zeros
// from then on, so that callers ask for err once.
type document struct {
	jsontext.Text
	err error
	// annotated documents may hold text for people besides what they are about, see annotations.
	annotated bool
	// quiet documents do not look for the places of faults, which takes time.
	quiet bool
}

// none stands for a value that is missing; the document has its error already.
const none = -1

// errQuiet is the fault of a quiet document.
var errQuiet = errors.New("one fault too many to look for its place")

// parse indexes a JSON text.
func parse(data []byte) (*document, error) {
	d := &document{}
	if len(data) > MaxBytes {
		return nil, &Error{Line: 1, Column: 1, Text: fmt.Sprintf("%d bytes, at most %d are allowed",
			len(data), MaxBytes)}
	}
	err := d.Parse(data, maxDepth)
	if fault := (*jsontext.Error)(nil); errors.As(err, &fault) {
		return nil, &Error{fault.Path, fault.Line, fault.Column, fault.Fault}
	}
	return d, err
}

func (d *document) errorAt(offset int, path, text string) *Error {
	e := d.ErrorAt(offset, path, "%s", text)
	return &Error{path, e.Line, e.Column, text}
}

// fail remembers the first fault.
func (d *document) fail(at int, format string, args ...any) {
	switch {
	case d.err != nil || at == none:
	case d.quiet:
		d.err = errQuiet
	default:
		d.err = d.errorAt(int(d.Nodes[at].Start), d.Path(at), fmt.Sprintf(format, args...))
	}
}

// is reports whether a value is of a kind, and fails if not.
func (d *document) is(at int, kind byte, want string) bool {
	if d.err != nil || at == none {
		return false
	}
	if d.Kind(at) != kind {
		d.fail(at, "found %s, want %s", d.Found(at), want)
		return false
	}
	return true
}

func (d *document) null(at int) bool { return at != none && d.Kind(at) == 'n' }

func (d *document) text(at int) string {
	if !d.is(at, '"', "a string") {
		return ""
	}
	return d.String(at)
}

// unsigned reads a whole number from 0 to most, exactly.
func (d *document) unsigned(at int, most uint64) uint64 {
	if d.err != nil || at == none {
		return 0
	}
	v, err := strconv.ParseUint(string(d.Raw(at)), 10, 64)
	if d.Kind(at) != '0' || err != nil || v > most {
		d.fail(at, "found %s, want a whole number from 0 to %d", d.Found(at), most)
		return 0
	}
	return v
}

// signed reads a whole number from least to most, exactly.
func (d *document) signed(at int, least, most int64) int64 {
	if d.err != nil || at == none {
		return 0
	}
	v, err := strconv.ParseInt(string(d.Raw(at)), 10, 64)
	if d.Kind(at) != '0' || err != nil || v < least || v > most {
		d.fail(at, "found %s, want a whole number from %d to %d", d.Found(at), least, most)
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
	whole, part, _ := strings.Cut(string(d.Raw(at)), ".")
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
		d.fail(at, "found %s, want a decimal number from 0 to %d", d.Found(at), 1<<30-1)
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
	kind := d.Kind(at)
	if kind != 't' && kind != 'f' {
		d.fail(at, "found %s, want true or false", d.Found(at))
	}
	return kind == 't'
}

// bit reads true or false, or 1 or 0.
func (d *document) bit(at int) bool {
	if d.err == nil && at != none && d.Kind(at) == '0' {
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
	for i := at + 1; i < int(d.Nodes[at].Next); i = int(d.Nodes[i].Next) {
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
		for k := at + 1; k < int(d.Nodes[at].Next); k = int(d.Nodes[k+1].Next) {
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

// notes ignores members.
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
