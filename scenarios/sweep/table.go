package sweep

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// Names of the tables in the folder of a sweep.
const (
	TableFile = "table.parquet"
	CostsFile = "costs.parquet"
)

// Counts says how many of the planned runs there are.
type Counts struct{ Planned, OK, Failed, Missing int }

// Table is what the runs of a design came to, as far as there are results.
type Table struct {
	Design  *Design
	Metrics []string // of any run, sorted
	Counts  Counts
	Notes   []string
	results *index
}

// Gather reads the results of a design from the folders of sweeps.
func Gather(d *Design, dirs ...string) (*Table, error) {
	results, err := readResults(dirs...)
	if err != nil {
		return nil, err
	}
	t := &Table{Design: d, results: results, Notes: results.Notes, Counts: Counts{Planned: d.Runs()}}
	names := map[string]bool{}
	err = t.Each(func(_ Run, _ *record, out *Outcome) error {
		switch {
		case out == nil:
			t.Counts.Missing++
			return nil
		case out.Status == OK:
			t.Counts.OK++
		default:
			t.Counts.Failed++
		}
		for name := range out.Metrics { // order-free: sorted below
			names[name] = true
		}
		return nil
	})
	for name := range names { // order-free: sorted below
		t.Metrics = append(t.Metrics, name)
	}
	slices.Sort(t.Metrics)
	return t, err
}

// Each goes through the runs in the order of the design, one in memory at a time; record and outcome are nil
// where a run has no result.
func (t *Table) Each(do func(Run, *record, *Outcome) error) error {
	for i := range t.Design.Runs() {
		r := t.Design.Run(i)
		rec, out, err := t.results.load(r.Key)
		if err == nil {
			err = do(r, rec, out)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// column is a column of a table that is known only when the sweep is.
type column struct {
	name     string
	kind     reflect.Type
	optional bool
}

var (
	whole  = reflect.TypeFor[int64]()
	real64 = reflect.TypeFor[float64]()
	words  = reflect.TypeFor[string]()
)

// Write writes both tables. Equal results give equal bytes of the first.
func (t *Table) Write(dir string) error {
	return errors.Join(
		writeTable(filepath.Join(dir, TableFile), t.columns(), t.rows),
		writeTable(filepath.Join(dir, CostsFile), costColumns, t.costs))
}

func (t *Table) columns() []column {
	columns := []column{{"point", whole, false}, {"replication", whole, false}}
	for i, key := range t.Design.Keys {
		columns = append(columns, column{key, t.kind(i), false})
	}
	columns = append(columns, column{"seed", whole, false}, column{"key", words, false}, column{"status", words, false},
		column{"error", words, true}, column{"run_digest", words, true})
	for _, name := range t.Metrics {
		columns = append(columns, column{name, real64, true})
	}
	return columns
}

// kind is the type of a swept key's column: numbers, where all values are.
func (t *Table) kind(key int) reflect.Type {
	for _, p := range t.Design.Points {
		if _, err := strconv.ParseFloat(p[key], 64); err != nil {
			return words
		}
	}
	return real64
}

// rows hands over the rows of runs that have results; a nil value is NULL.
func (t *Table) rows(row func(values ...any) error) error {
	kinds := make([]reflect.Type, len(t.Design.Keys))
	for i := range kinds {
		kinds[i] = t.kind(i)
	}
	return t.Each(func(r Run, _ *record, out *Outcome) error {
		if out == nil {
			return nil
		}
		values := []any{int64(r.Point), int64(r.Replication)}
		for i, text := range t.Design.Points[r.Point] {
			values = append(values, swept(text, kinds[i]))
		}
		values = append(values, int64(r.Seed), r.Key.String(), out.Status, orNull(out.Error), orNull(out.RunDigest))
		for _, name := range t.Metrics {
			if v, has := out.Metrics[name]; has {
				values = append(values, v)
			} else {
				values = append(values, nil)
			}
		}
		return row(values...)
	})
}

// swept is the value of a swept key as its column has it: a word without its quotes.
func swept(text string, kind reflect.Type) any {
	if kind == real64 {
		x, _ := strconv.ParseFloat(text, 64) // it did parse, see kind
		return x
	}
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	return text
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

var costColumns = []column{{"key", words, false}, {"attempt", whole, false}, {"wall_seconds", real64, false},
	{"cpu_seconds", real64, false}, {"host", words, false}, {"worker", whole, false}}

func (t *Table) costs(row func(values ...any) error) error {
	return t.records(func(r *record) error {
		return row(r.Key, int64(r.Attempt), r.Cost.WallSeconds, r.Cost.CPUSeconds, r.Cost.Host, int64(r.Cost.Worker))
	})
}

// records goes through the newest record of each run once: points may be equal, and then share their runs.
func (t *Table) records(do func(*record) error) error {
	seen := map[Key]bool{}
	return t.Each(func(run Run, r *record, _ *Outcome) error {
		if r == nil || seen[run.Key] {
			return nil
		}
		seen[run.Key] = true
		return do(r)
	})
}

// batchRows is how many rows are in memory at a time.
const batchRows = 256

func writeTable(path string, columns []column, rows func(row func(values ...any) error) error) error {
	return writeWhole(path, func(w io.Writer) error { return fill(w, columns, rows) })
}

func fill(w io.Writer, columns []column, rows func(row func(values ...any) error) error) error {
	out := parquet.NewGenericWriter[any](w, schemaOf(columns), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("taolab", "1", "0"))
	var batch []parquet.Row
	flush := func() error {
		_, err := out.WriteRows(batch)
		batch = batch[:0]
		return err
	}
	err := rows(func(values ...any) error {
		row := make(parquet.Row, len(columns))
		for i, v := range values {
			level := 0
			if columns[i].optional && v != nil {
				level = 1
			}
			row[i] = parquet.ValueOf(v).Level(0, level, i)
		}
		if batch = append(batch, row); len(batch) < batchRows {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush(), out.Close())
}

// schemaOf makes a schema whose columns stand in the given order.
func schemaOf(columns []column) *parquet.Schema {
	fields := make([]reflect.StructField, len(columns))
	for i, c := range columns {
		tag := c.name
		if c.optional {
			tag += ",optional"
		}
		if c.kind == words {
			tag += ",dict"
		}
		fields[i] = reflect.StructField{Name: fmt.Sprintf("C%d", i), Type: c.kind, Tag: reflect.StructTag("parquet:" + strconv.Quote(tag))}
	}
	return parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface())
}
