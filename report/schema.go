package report

import (
	"reflect"
	"strings"
	"unicode"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// Column is one column of a table, as its row struct describes it.
type Column struct {
	Name string // snake_case of the field's name, as it stands in the file
	Type string // bool, uint8 ... int64, float32, float64, string
	Unit string
	Doc  string
	Null bool // a row may have no value in it

	field    string
	encoding string
}

// table is what the package knows about one kind of row.
type table struct {
	name    trace.Table
	columns []Column
	open    func(*table, files) sink
}

// tables lists every table, in the order in which documents list them.
var tables = []*table{
	tableOf[trace.Node](),
	tableOf[trace.Seat](),
	tableOf[trace.Block](),
	tableOf[trace.Transaction](),
	tableOf[trace.Epoch](),
	tableOf[trace.Weight](),
	tableOf[trace.Bond](),
	tableOf[trace.Query](),
	tableOf[trace.Answer](),
	tableOf[trace.Score](),
	tableOf[trace.Train](),
	tableOf[trace.Totals](),
	tableOf[trace.Fault](),
	tableOf[trace.Application](),
	tableOf[trace.Decision](),
}

func tableOf[T trace.Row]() *table {
	var row T
	return &table{name: row.Table(), columns: columnsOf(reflect.TypeFor[T]()), open: openSink[T]}
}

func tableNamed(name trace.Table) (*table, bool) {
	for _, t := range tables {
		if t.name == name {
			return t, true
		}
	}
	return nil, false
}

// Tables lists every table that a run can hold, in the order of the documents.
func Tables() []trace.Table {
	names := make([]trace.Table, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	return names
}

// Columns describes a table's columns in the order of the file; nil for an unknown table.
func Columns(name trace.Table) []Column {
	if t, ok := tableNamed(name); ok {
		return t.columns
	}
	return nil
}

func columnsOf(row reflect.Type) []Column {
	columns := make([]Column, row.NumField())
	for i := range columns {
		f := row.Field(i)
		unit, kind := f.Tag.Get("unit"), f.Type
		null := kind.Kind() == reflect.Pointer
		if null {
			kind = kind.Elem()
		}
		columns[i] = Column{
			Name: snake(f.Name), Type: kind.Kind().String(), Unit: unit, Doc: f.Tag.Get("doc"), Null: null,
			field: f.Name, encoding: encodingOf(f.Type.Kind(), unit),
		}
	}
	return columns
}

// encodingOf picks the parquet encoding: times, heights, counters and sums of money move in small
// steps, and names repeat; digests never do, and small codes and floats are zstd's business.
func encodingOf(kind reflect.Kind, unit string) string {
	switch kind {
	case reflect.Int32, reflect.Int64, reflect.Uint32, reflect.Uint64:
		return ",delta"
	case reflect.String:
		if unit != "hex" {
			return ",dict"
		}
	}
	return ""
}

// options tells parquet the columns' names and encodings, which row structs do not know.
func (t *table) options() []parquet.SchemaOption {
	options := make([]parquet.SchemaOption, len(t.columns))
	for i, c := range t.columns {
		tag := reflect.StructTag(`parquet:"` + c.Name + c.encoding + `"`)
		options[i] = parquet.StructTag(tag, c.field)
	}
	return options
}

// snake turns a Go field name into a column name: TimeNs is time_ns, UID is uid.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			ends := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(runes[i-1]) || ends {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
