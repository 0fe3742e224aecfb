package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"taolab/sim/trace"
)

// comparisons compares each table, in the order in which differences are listed. Where two tables
// differ first at the same block, the one that stands earlier is nearer to the cause: at the end of
// a block the ledger reads weights, pays and counts, and only then do agents see the block.
var comparisons = []struct {
	table   trace.Table
	compare func(a, b *Run) (TableDifference, error)
}{
	{trace.Nodes, compareTable[trace.Node]},
	{trace.Transactions, compareTable[trace.Transaction]},
	{trace.Seats, compareTable[trace.Seat]},
	{trace.Weights, compareTable[trace.Weight]},
	{trace.Epochs, compareTable[trace.Epoch]},
	{trace.Bonds, compareTable[trace.Bond]},
	{trace.Ledger, compareTable[trace.Totals]},
	{trace.Blocks, compareTable[trace.Block]},
	{trace.Faults, compareTable[trace.Fault]},
	{trace.Training, compareTable[trace.Train]},
	{trace.Queries, compareTable[trace.Query]},
	{trace.Answers, compareTable[trace.Answer]},
	{trace.Scores, compareTable[trace.Score]},
	{trace.Applications, compareTable[trace.Application]},
	{trace.Decisions, compareTable[trace.Decision]},
}

// Results of the comparison of a table.
const (
	TableEqual   = "equal"
	TableDiffers = "differs"
	TableOnlyInA = "only in A"
	TableOnlyInB = "only in B"
)

// Difference lists where two runs differ.
type Difference struct {
	A          string            `json:"a"` // folder
	B          string            `json:"b"`
	Equal      bool              `json:"equal"`                 // run and state digests, and every row of the tables that both have
	Made       []Change          `json:"made"`                  // how they were made: seed, versions, length, keys of the scenario
	Digests    []Change          `json:"digests"`               // of run and state, as run.json has them
	FirstBlock *uint64           `json:"first_block,omitempty"` // height of the first row of the table blocks that differs
	First      *RowDifference    `json:"first,omitempty"`       // the earliest of all tables; a row that differs in more than its digest, where there is one
	Tables     []TableDifference `json:"tables"`
}

// Change is one value that differs. A value that a run does not have is empty.
type Change struct {
	Key string `json:"key"`
	A   string `json:"a"`
	B   string `json:"b"`
}

// TableDifference compares one table of two runs. Rows and digests are counted and computed from
// the rows themselves.
type TableDifference struct {
	Table   trace.Table    `json:"table"`
	Status  string         `json:"status"`
	RowsA   uint64         `json:"rows_a"`
	RowsB   uint64         `json:"rows_b"`
	DigestA string         `json:"digest_a,omitempty"`
	DigestB string         `json:"digest_b,omitempty"`
	Damaged []string       `json:"damaged,omitempty"` // folders whose rows are not those that run.json lists
	First   *RowDifference `json:"first,omitempty"`

	telling *RowDifference // the first row that differs in more than digests: those do not say why
}

// RowDifference is the first row of a table that differs.
type RowDifference struct {
	Table  trace.Table `json:"table"`
	Row    uint64      `json:"row"`   // its place in the table, from 0
	Block  uint64      `json:"block"` // at which the row was recorded
	Key    string      `json:"key"`   // which row it is, in words
	Fields []Change    `json:"fields"`
	Ended  string      `json:"ended,omitempty"` // the folder whose table ends before this row
}

// Diff compares two runs table by table in one pass over both, holding a bounded number of rows in
// memory however long they are. Tables that only one run recorded do not make them different, as
// what is written changes nothing that happens; neither do versions.
func Diff(a, b *Run) (*Difference, error) {
	d := &Difference{A: a.Dir, B: b.Dir, Digests: []Change{}, Tables: []TableDifference{}}
	d.Made = madeDifferently(&a.Manifest, &b.Manifest)
	d.Digests = appendChange(d.Digests, "run digest", a.Manifest.RunDigest, b.Manifest.RunDigest)
	d.Digests = appendChange(d.Digests, "state digest", a.Manifest.LedgerDigest, b.Manifest.LedgerDigest)
	d.Equal = len(d.Digests) == 0
	for _, c := range comparisons {
		if !a.Has(c.table) && !b.Has(c.table) {
			continue
		}
		compared, err := c.compare(a, b)
		if err != nil {
			return nil, err
		}
		d.Tables = append(d.Tables, compared)
		d.Equal = d.Equal && len(compared.Damaged) == 0 && compared.Status != TableDiffers
		if first := compared.First; first != nil && c.table == trace.Blocks {
			d.FirstBlock = &first.Block
		}
		d.First = earlier(d.First, compared.telling)
	}
	for _, t := range d.Tables {
		if d.First == nil {
			d.First = t.First
		}
	}
	return d, nil
}

// earlier is the difference at the lower block; ties go to the one found first.
func earlier(a, b *RowDifference) *RowDifference {
	if a == nil || b != nil && b.Block < a.Block {
		return b
	}
	return a
}

// compareTable walks through a table of both runs side by side.
func compareTable[T trace.Row](a, b *Run) (TableDifference, error) {
	var zero T
	d := TableDifference{Table: zero.Table(), Status: TableEqual}
	switch {
	case !b.Has(d.Table) && !b.Recorded(d.Table):
		d.Status = TableOnlyInA
	case !a.Has(d.Table) && !a.Recorded(d.Table):
		d.Status = TableOnlyInB
	}
	left, stopLeft := newWalk[T](a)
	defer stopLeft()
	right, stopRight := newWalk[T](b)
	defer stopRight()
	for left.step() && right.step() && (left.more || right.more) {
		if d.telling != nil || bytes.Equal(left.bytes, right.bytes) && left.more == right.more {
			continue
		}
		found := rowDifference(left, right)
		if d.Status == TableEqual {
			d.Status, d.First = TableDiffers, found
		}
		if d.Status == TableDiffers && !found.opaque() {
			d.telling = found
		}
	}
	if err := errors.Join(left.err, right.err); err != nil {
		return d, err
	}
	d.RowsA, d.DigestA = left.finish(d.Table, &d.Damaged)
	d.RowsB, d.DigestB = right.finish(d.Table, &d.Damaged)
	return d, nil
}

// walk goes through one run's table and hashes it.
type walk[T trace.Row] struct {
	run   *Run
	next  func() (recorded[T], error, bool)
	row   T
	bytes []byte // canonical bytes of the row; none after the last
	old   []byte // of the row as it was recorded, where that is not the same
	rows  uint64
	hash  hash.Hash
	sum   string // of the rows that run.json lists
	more  bool
	err   error

	listed TableInfo // what run.json says of the table
}

func newWalk[T trace.Row](r *Run) (*walk[T], func()) {
	var zero T
	next, stop := iter.Pull2(each[T](r))
	return &walk[T]{run: r, next: next, hash: sha256.New(), more: true, listed: r.listed(zero.Table())}, stop
}

// recorded is a row, and the row as it was written, which is another where the first release did.
type recorded[T trace.Row] struct {
	row T
	was trace.Row
}

// errEnough ends a pass over rows of which no more are wanted.
var errEnough = errors.New("enough rows")

// each goes through a table's rows; a table without rows or that was not recorded has none.
func each[T trace.Row](r *Run) iter.Seq2[recorded[T], error] {
	return func(yield func(recorded[T], error) bool) {
		err := scan(r, func(row T, was trace.Row) error {
			if !yield(recorded[T]{row, was}, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) && !errors.Is(err, ErrNoTable) {
			yield(recorded[T]{}, err)
		}
	}
}

// step goes on by a row; false is a failure.
func (w *walk[T]) step() bool {
	w.bytes = w.bytes[:0]
	if !w.more || w.err != nil {
		return w.err == nil
	}
	var next recorded[T]
	if next, w.err, w.more = w.next(); w.err != nil || !w.more {
		return w.err == nil
	}
	w.row = next.row
	w.bytes = trace.AppendRow(w.bytes, w.row)
	if w.run.Manifest.Format == firstFormat {
		w.old = trace.AppendRow(w.old[:0], next.was)
		w.hash.Write(w.old)
	} else {
		w.hash.Write(w.bytes)
	}
	w.rows++
	if w.rows == w.listed.Rows {
		w.sum = hex.EncodeToString(w.hash.Sum(nil))
	}
	return true
}

// finish compares what was walked through with what the run's manifest says of it. The tables of a
// run that did not end in order may go further than its manifest.
func (w *walk[T]) finish(name trace.Table, damaged *[]string) (rows uint64, digest string) {
	if w.rows == 0 && !w.run.Has(name) {
		return 0, ""
	}
	if w.listed.Digest != w.sum || w.run.Manifest.Whole() && w.listed.Rows != w.rows {
		*damaged = append(*damaged, w.run.Dir)
	}
	return w.rows, hex.EncodeToString(w.hash.Sum(nil))
}

// opaque says that only digests differ: the cause stands elsewhere.
func (r *RowDifference) opaque() bool {
	for _, c := range r.Fields {
		if c.Key != "digest" {
			return false
		}
	}
	return r.Ended == ""
}

func rowDifference[T trace.Row](a, b *walk[T]) *RowDifference {
	d := &RowDifference{Table: a.row.Table(), Row: max(a.rows, b.rows) - 1}
	shown := a
	switch {
	case !a.more:
		d.Ended, shown = a.run.Dir, b
	case !b.more:
		d.Ended = b.run.Dir
	}
	d.Key, d.Block = describeRow(shown.row, shown.run)
	if d.Ended == "" {
		_, other := describeRow(b.row, b.run)
		d.Block = min(d.Block, other)
		d.Fields = changedFields(a.row, b.row)
	}
	return d
}

// keyColumns are the columns that say which row of its table a row is, where a table has them.
var keyColumns = []string{"epoch", "block", "height", "uid", "node", "from", "to", "validator", "step", "lane", "row", "peer",
	"place", "session", "position", "subset", "kind"}

// describeRow names a row by its key columns, and tells the block at which it was recorded.
func describeRow(row trace.Row, r *Run) (key string, block uint64) {
	var parts []string
	v := reflect.ValueOf(row)
	t, _ := tableNamed(row.Table())
	for i, c := range t.columns {
		value := v.Field(i)
		switch c.Name {
		case "block", "height":
			block = value.Uint()
		case "time_ns":
			if m := &r.Manifest; m.Blocks > 0 && m.VirtualNs > 0 && value.Int() > 0 {
				block = max(block, uint64(value.Int())/max(uint64(m.VirtualNs)/m.Blocks, 1))
			}
		}
		if slices.Contains(keyColumns, c.Name) && !(c.Null && value.IsNil()) {
			parts = append(parts, fmt.Sprintf("%s %s", c.Name, plain(value)))
		}
	}
	return strings.Join(parts, ", "), block
}

// changedFields lists the columns in which two rows differ, floats with all their digits.
func changedFields[T trace.Row](a, b T) []Change {
	var out []Change
	t, _ := tableNamed(a.Table())
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i, c := range t.columns {
		x, y := plain(va.Field(i)), plain(vb.Field(i))
		out = appendChange(out, c.Name, x, y)
	}
	return out
}

func plain(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "none"
		}
		return plain(v.Elem())
	case reflect.Float32:
		return strconv.FormatFloat(v.Float(), 'g', -1, 32)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

func appendChange(list []Change, key, a, b string) []Change {
	if a == b {
		return list
	}
	return append(list, Change{key, a, b})
}

// madeDifferently lists the differences in how the runs were made, by their manifests.
func madeDifferently(a, b *Manifest) []Change {
	out := []Change{}
	for _, c := range []struct {
		key  string
		a, b any
	}{
		{"seed", a.Seed, b.Seed},
		{"versions.module", a.Versions.Module, b.Versions.Module},
		{"versions.go", a.Versions.Go, b.Versions.Go},
		{"versions.goarch", a.Versions.GOARCH, b.Versions.GOARCH},
		{"versions.isa", a.Versions.ISA, b.Versions.ISA},
		{"corpus digest", a.CorpusDigest, b.CorpusDigest},
		{"blocks", a.Blocks, b.Blocks},
		{"finished", a.Finished, b.Finished},
		{"interrupted", a.Interrupted, b.Interrupted},
	} {
		out = appendChange(out, c.key, fmt.Sprint(c.a), fmt.Sprint(c.b))
	}
	keysA, keysB := flatten(a.Scenario), flatten(b.Scenario)
	var keys []string
	for key := range keysA { // order-free: sorted below
		keys = append(keys, key)
	}
	for key := range keysB { // order-free: sorted below
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if key != "seed" && !strings.HasPrefix(key, "expect[") {
			out = appendChange(out, "scenario."+key, keysA[key], keysB[key])
		}
	}
	return out
}

// flatten gives every value of a JSON text its path, as in "miners[0].count".
func flatten(text json.RawMessage) map[string]string {
	values := map[string]string{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree any
	if len(text) == 0 || d.Decode(&tree) != nil {
		return values
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v { // order-free: each value has a path of its own
				walk(strings.TrimPrefix(path+"."+key, "."), value)
			}
		case []any:
			for i, value := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), value)
			}
		default:
			values[path] = fmt.Sprint(v)
		}
	}
	walk("", tree)
	return values
}
