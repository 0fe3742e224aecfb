package conformance

import (
	"errors"
	"fmt"
	"strings"
)

// Result is what came of a file of vectors.
type Result struct {
	Format string `json:"format"`
	Cases  int    `json:"cases"`
	Passed int    `json:"passed"` // cases without a difference
	Epochs int    `json:"epochs"` // run, or steps; 0 where the format has none
	Checks int    `json:"checks"` // values that were compared
	// First is the first difference; nil: there is none.
	First *Difference `json:"first_difference"`
	// Faulty counts cases, and parts outside of all cases, that are not what the format demands. Such a
	// case has not passed; the others ran all the same.
	Faulty int     `json:"faulty"`
	Faults []Fault `json:"faults"` // the first of them
}

// maxFaults bounds how many faults a Result names.
const maxFaults = 20

// Fault says why a case could not be run.
type Fault struct {
	Case string `json:"case"` // empty: no case
	Error
}

// String is one line: case, place and fault.
func (f *Fault) String() string {
	if f.Case == "" {
		return f.Error.Error()
	}
	return f.Case + ": " + f.Error.Error()
}

// OK reports whether every case passed.
func (r Result) OK() bool { return r.First == nil && r.Passed == r.Cases && r.Faulty == 0 }

// Difference is a value that the file and this ledger do not agree on. Numbers that say nothing
// are -1.
type Difference struct {
	Case   string `json:"case"`
	Epoch  int    `json:"epoch"` // of the case, from 0
	Op     int    `json:"op"`    // place in ops
	Field  string `json:"field"`
	UID    int    `json:"uid"`
	Index  int    `json:"index"` // in the list, or in the uid's row
	Want   string `json:"want"`  // by the file
	Got    string `json:"got"`   // by this ledger
	Line   int    `json:"line"`  // of the expected value in the file, from 1
	Column int    `json:"column"`
}

// String is one line: case, epoch, field, uid, what was wanted and what came.
func (f *Difference) String() string {
	var b strings.Builder
	b.WriteString(f.Case)
	for _, part := range []struct {
		name   string
		number int
	}{{"epoch", f.Epoch}, {"op", f.Op}} {
		if part.number >= 0 {
			fmt.Fprintf(&b, ", %s %d", part.name, part.number)
		}
	}
	fmt.Fprintf(&b, ": %s", f.Field)
	if f.UID >= 0 {
		fmt.Fprintf(&b, ", uid %d", f.UID)
	}
	if f.Index >= 0 {
		fmt.Fprintf(&b, ", index %d", f.Index)
	}
	fmt.Fprintf(&b, ": want %s, got %s (line %d, column %d)", f.Want, f.Got, f.Line, f.Column)
	return b.String()
}

// place says where in a case a value stands.
type place struct {
	field      string
	uid, index int
}

func field(name string) place                 { return place{name, -1, -1} }
func ofUID(name string, uid int) place        { return place{name, uid, -1} }
func ofIndex(name string, i int) place        { return place{name, -1, i} }
func inRow(name string, uid, entry int) place { return place{name, uid, entry} }

// comparison compares the cases of a file one after the other.
type comparison struct {
	*document
	result    Result
	name      string // of the case
	epoch, op int
	differs   bool  // the case
	before    int   // checks before the case
	outer     error // fault of the file, before the case
	work      uint64
}

// maxWork bounds what the epochs of a file may visit: neurons and entries of rows, each once per
// epoch.
const maxWork = 1 << 31

// spend takes from the work that a file may cause.
func (c *comparison) spend(at int, work uint64) {
	c.work += work
	if c.work > maxWork {
		c.fail(at, "the epochs up to here visit more than %d neurons and entries; split the file", maxWork)
	}
}

// begin starts a case.
func (c *comparison) begin(name string) {
	c.name, c.epoch, c.op, c.differs, c.before, c.outer = name, -1, -1, false, c.result.Checks, c.err
}

// finish ends a case, which stands at at. A fault in it is its own, and the next case begins without.
func (c *comparison) finish(at int) {
	if c.result.Checks == c.before {
		c.fail(at, "the case expects nothing")
	}
	c.result.Cases++
	switch {
	case c.err != nil && c.outer == nil:
		c.note(c.name)
	case !c.differs:
		c.result.Passed++
	}
}

// note takes a fault down as that of a case, or, without a name, of what stands outside of all.
func (c *comparison) note(name string) {
	var fault *Error
	if errors.As(c.err, &fault) { // which a quiet document does not give
		c.result.Faults = append(c.result.Faults, Fault{name, *fault})
	}
	c.result.Faulty++
	c.quiet = len(c.result.Faults) == maxFaults
	c.err = nil
}

// same compares a value of the file, which stands at at, with ours.
func same[T comparable](c *comparison, at int, p place, want, got T) {
	if c.err != nil || at == none {
		return
	}
	c.result.Checks++
	if want != got {
		c.differ(at, p, fmt.Sprint(want), fmt.Sprint(got))
	}
}

// differ notes a difference.
func (c *comparison) differ(at int, p place, want, got string) {
	c.differs = true
	if c.result.First != nil {
		return
	}
	e := c.errorAt(int(c.Nodes[at].Start), "", "")
	c.result.First = &Difference{c.name, c.epoch, c.op, p.field, p.uid, p.index, want, got,
		e.Line, e.Column}
}

// numbers compares a list, one number per uid or index, with ours; read reads one of the file's.
func (c *comparison) numbers(at int, where func(i int) place, got []uint64, read func(at int) uint64) {
	values := c.elements(at, max(len(got), 1))
	if c.err == nil && at != none {
		if len(values) != len(got) {
			c.fail(at, "%d values, want %d", len(values), len(got))
		}
		c.result.Checks++
	}
	for i, v := range values {
		same(c, v, where(i), read(v), got[i])
	}
}

// count compares the number that the file states with the one that was found. Where a case could not be
// run, what it would have added is not known.
func (c *comparison) count(root *object, what string, found int) {
	at := root.need("count")
	if stated := c.unsigned(at, 1<<40); c.err == nil && stated != uint64(found) && c.result.Faulty == 0 {
		c.fail(at, "%d, but the file has %d %s", stated, found, what)
	}
}

// Check compares a file of vectors with this ledger. A case that is not what the format demands is a
// fault of the result. An error says that the file as a whole is not; the result then holds what was
// read before it, and none of it has passed.
func Check(data []byte) (Result, error) {
	d, err := parse(data)
	if err != nil {
		return Result{}, err
	}
	d.annotated = true
	c := &comparison{document: d}
	root := d.object(0)
	at := root.need("format")
	c.result.Format = d.text(at)
	if d.err != nil {
		return c.result, d.err
	}
	for _, f := range formats {
		if f.name != c.result.Format {
			continue
		}
		if f.refusal != "" {
			d.fail(at, "%s", f.refusal)
			return c.result, d.err
		}
		f.check(c, root)
		if d.err == nil {
			if root.end(); d.err != nil {
				c.note("")
			}
		}
		if d.err == nil && c.result.Cases == 0 && c.result.Faulty == 0 {
			d.fail(at, "no cases: a file that compares nothing passes for nothing")
		}
		if d.err != nil {
			c.result.Passed = 0 // nothing of a file in doubt counts
		}
		return c.result, d.err
	}
	d.fail(at, "unknown format, want one of %s", strings.Join(Formats(), ", "))
	return c.result, d.err
}

type format struct {
	name    string
	check   func(*comparison, *object)
	refusal string
}

const floats = "holds floating-point or recorded numbers that no integer rule has to meet: " +
	"it is not an integer conformance file"

var formats = []format{
	{name: "epoch-scenarios/1", check: checkEpochScenarios},
	{name: "yuma2-2025-scenarios/1", check: checkEpochScenarios2025},
	{name: "metagraph-sn15/1", check: checkMetagraph},
	{name: "nakamoto-steps/1", check: checkNakamotoSteps},
	{name: "nakamoto-graph/1", check: checkNakamotoGraph},
	{name: "fixed-math/1", check: checkFixedMath},
	{name: "emission/1", check: checkEmission},
	{name: "registration-rules/1", check: checkRegistration},
	{name: "yuma-simulation/1", refusal: floats},
	{name: "retention/1", refusal: floats},
	{name: "nakamoto-snapshot/1", refusal: floats},
}

// Formats lists the formats that Check reads.
func Formats() []string {
	var names []string
	for _, f := range formats {
		if f.check != nil {
			names = append(names, f.name)
		}
	}
	return names
}
