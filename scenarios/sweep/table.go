package sweep

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"

	"taolab/report"
)

// Names of the tables in the folder of a sweep.
const (
	TableFile = "table.parquet"
	CostsFile = "costs.parquet"
)

// Counts counts the planned runs by state.
type Counts struct{ Planned, OK, Failed, Missing int }

// Table holds the results of a design's runs so far.
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

// Each visits the runs in the order of the design, with one in memory at a time; record and outcome are nil
// if a run has no result.
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

// Write writes both tables. Equal results give equal bytes of the first.
func (t *Table) Write(dir string) error {
	return errors.Join(
		report.WriteTable(filepath.Join(dir, TableFile), t.columns(), t.rows),
		report.WriteTable(filepath.Join(dir, CostsFile), costColumns, t.costs))
}

func (t *Table) columns() []report.RowColumn {
	columns := []report.RowColumn{report.Whole.Column("point"), report.Whole.Column("replication")}
	for i, key := range t.Design.Keys {
		columns = append(columns, t.kind(i).Column(key))
	}
	columns = append(columns, report.Whole.Column("seed"), report.Words.Column("key"), report.Words.Column("status"),
		report.Words.Optional("error"), report.Words.Optional("run_digest"))
	for _, name := range t.Metrics {
		columns = append(columns, report.Real.Optional(name))
	}
	return columns
}

// kind is the type of a swept key's column: numbers if all values are numbers.
func (t *Table) kind(key int) report.Kind {
	for _, p := range t.Design.Points {
		if _, err := strconv.ParseFloat(p[key], 64); err != nil {
			return report.Words
		}
	}
	return report.Real
}

// rows yields the rows of runs that have results; a nil value is NULL.
func (t *Table) rows(row func(values ...any) error) error {
	kinds := make([]report.Kind, len(t.Design.Keys))
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

// swept converts the value of a swept key for its column: a word loses its quotes.
func swept(text string, kind report.Kind) any {
	if kind == report.Real {
		x, _ := strconv.ParseFloat(text, 64) // cannot fail, see kind
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

var costColumns = []report.RowColumn{report.Words.Column("key"), report.Whole.Column("attempt"), report.Real.Column("wall_seconds"),
	report.Real.Column("cpu_seconds"), report.Words.Column("host"), report.Whole.Column("worker")}

func (t *Table) costs(row func(values ...any) error) error {
	return t.records(func(r *record) error {
		return row(r.Key, int64(r.Attempt), r.Cost.WallSeconds, r.Cost.CPUSeconds, r.Cost.Host, int64(r.Cost.Worker))
	})
}

// records visits the newest record of each run once: equal points share their runs.
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
