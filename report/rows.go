package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"taolab/model/whole"
)

// Kind is the type of a column of a table whose columns are known only when its rows are.
type Kind int

// The kinds of columns.
const (
	Whole Kind = iota // int64
	Real              // float64
	Words             // string
)

var kindTypes = [...]reflect.Type{Whole: reflect.TypeFor[int64](), Real: reflect.TypeFor[float64](), Words: reflect.TypeFor[string]()}

// RowColumn is one such column.
type RowColumn struct {
	name string
	kind Kind
	null bool
}

// Column is a column in which every row has a value.
func (k Kind) Column(name string) RowColumn { return RowColumn{name, k, false} }

// Optional is a column in which rows may have none.
func (k Kind) Optional(name string) RowColumn { return RowColumn{name, k, true} }

// RowSource hands the rows of a table over, one after another: a value a column, nil where there is none. A NaN counts as
// none where the column allows that.
type RowSource func(row func(values ...any) error) error

// rowsInMemory is how many rows are in memory at a time.
const rowsInMemory = 256

// WriteTable writes a table into a file, whole or not at all.
func WriteTable(path string, columns []RowColumn, rows RowSource) error {
	err := whole.Replace(path, 0o644, func(w io.Writer) error { return WriteRows(w, columns, rows) })
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	return nil
}

// WriteRows writes a table as parquet; equal rows give equal bytes.
func WriteRows(w io.Writer, columns []RowColumn, rows RowSource) error {
	out := parquet.NewGenericWriter[any](w, rowSchema(columns), parquet.Compression(&parquet.Zstd), parquet.CreatedBy("taolab", "1", "0"))
	var batch []parquet.Row
	flush := func() error {
		_, err := out.WriteRows(batch)
		batch = batch[:0]
		return err
	}
	err := rows(func(values ...any) error {
		row := make(parquet.Row, len(columns))
		for i, v := range values {
			if x, real := v.(float64); real && math.IsNaN(x) && columns[i].null {
				v = nil
			}
			level := 0
			if columns[i].null && v != nil {
				level = 1
			}
			row[i] = parquet.ValueOf(v).Level(0, level, i)
		}
		if batch = append(batch, row); len(batch) < rowsInMemory {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush(), out.Close())
}

// rowSchema makes a schema whose columns stand in the given order.
func rowSchema(columns []RowColumn) *parquet.Schema {
	fields := make([]reflect.StructField, len(columns))
	for i, c := range columns {
		tag := c.name
		if c.null {
			tag += ",optional"
		}
		if c.kind == Words {
			tag += ",dict"
		}
		fields[i] = reflect.StructField{Name: fmt.Sprintf("C%d", i), Type: kindTypes[c.kind], Tag: reflect.StructTag("parquet:" + strconv.Quote(tag))}
	}
	return parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface())
}
