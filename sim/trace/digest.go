package trace

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"reflect"
)

// AppendRow appends the canonical bytes of a row: its fields in order, little-endian at their own width;
// bool as one byte 0 or 1; string as its length in 4 bytes and its bytes; every NaN as the one quiet NaN
// without payload; an optional column as one byte 0, or 1 and the value. It panics on a row type with a
// field of another kind.
func AppendRow(b []byte, r Row) []byte {
	v := reflect.ValueOf(r)
	if v.Kind() != reflect.Struct {
		panic(fmt.Sprintf("trace: row %T is not a struct", r))
	}
	for i := range v.NumField() {
		f := v.Field(i)
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				b = append(b, 0)
				continue
			}
			b, f = append(b, 1), f.Elem()
		}
		b = appendField(b, v, i, f)
	}
	return b
}

// appendField appends the value f of a row's column i.
func appendField(b []byte, row reflect.Value, i int, f reflect.Value) []byte {
	le := binary.LittleEndian
	switch f.Kind() {
	case reflect.Bool:
		if f.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Uint8:
		return append(b, byte(f.Uint()))
	case reflect.Uint16:
		return le.AppendUint16(b, uint16(f.Uint()))
	case reflect.Uint32:
		return le.AppendUint32(b, uint32(f.Uint()))
	case reflect.Uint64:
		return le.AppendUint64(b, f.Uint())
	case reflect.Int64:
		return le.AppendUint64(b, uint64(f.Int()))
	case reflect.Int32:
		return le.AppendUint32(b, uint32(f.Int()))
	case reflect.Float32:
		return le.AppendUint32(b, canonical32(float32(f.Float())))
	case reflect.Float64:
		return le.AppendUint64(b, canonical64(f.Float()))
	case reflect.String:
		s := f.String()
		return append(le.AppendUint32(b, uint32(len(s))), s...)
	default:
		panic(fmt.Sprintf("trace: column %s of %s is a %s; columns are bool, uint8 to uint64, int32, int64, "+
			"float32, float64 or string, or pointers to those", row.Type().Field(i).Name, row.Type(), f.Type()))
	}
}

// canonical32 returns the bits of x, with one pattern for all NaNs, since processors differ in the
// payload.
func canonical32(x float32) uint32 {
	if x != x {
		return 0x7fc00000
	}
	return math.Float32bits(x)
}

func canonical64(x float64) uint64 {
	if x != x {
		return 0x7ff8000000000000
	}
	return math.Float64bits(x)
}

// TableDigest is the digest and the number of rows of a table.
type TableDigest struct {
	Table  Table
	Rows   uint64
	SHA256 [32]byte // over the canonical bytes of the rows, in order
}

// Digester is a Recorder that keeps a running digest of each table. The zero value is ready.
type Digester struct {
	tables []tableHash // in order of their first rows
	bytes  []byte
}

type tableHash struct {
	table Table
	rows  uint64
	hash  hash.Hash
}

// Record adds a row to its table's digest.
func (d *Digester) Record(r Row) {
	t := d.open(r.Table())
	d.bytes = AppendRow(d.bytes[:0], r)
	t.hash.Write(d.bytes)
	t.rows++
}

func (d *Digester) open(table Table) *tableHash {
	for i := range d.tables {
		if d.tables[i].table == table {
			return &d.tables[i]
		}
	}
	d.tables = append(d.tables, tableHash{table: table, hash: sha256.New()})
	return &d.tables[len(d.tables)-1]
}

// Tables returns the digests of the tables so far, in the order of their first rows; tables without rows
// are absent. Record may be called again afterwards.
func (d *Digester) Tables() []TableDigest {
	out := make([]TableDigest, len(d.tables))
	for i, t := range d.tables {
		out[i] = TableDigest{Table: t.table, Rows: t.rows}
		t.hash.Sum(out[i].SHA256[:0])
	}
	return out
}

// AppendBinary appends the state of the digests, from which UnmarshalBinary continues: for each table
// its name and the state of its hash, each preceded by its length in four bytes, and the number of its
// rows.
func (d *Digester) AppendBinary(b []byte) ([]byte, error) {
	le := binary.LittleEndian
	for _, t := range d.tables {
		state, err := t.hash.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = append(le.AppendUint32(b, uint32(len(t.table))), t.table...)
		b = append(le.AppendUint32(b, uint32(len(state))), state...)
		b = le.AppendUint64(b, t.rows)
	}
	return b, nil
}

// UnmarshalBinary replaces the digests by those that AppendBinary wrote. On error they are as they were.
func (d *Digester) UnmarshalBinary(b []byte) error {
	short := fmt.Errorf("trace: digests of %d bytes end too early", len(b))
	text := func() ([]byte, bool) {
		if len(b) < 4 || uint64(len(b)-4) < uint64(binary.LittleEndian.Uint32(b)) {
			return nil, false
		}
		n := 4 + int(binary.LittleEndian.Uint32(b))
		s := b[4:n]
		b = b[n:]
		return s, true
	}
	var tables []tableHash
	for len(b) > 0 {
		name, ok := text()
		state, whole := text()
		if !ok || !whole || len(b) < 8 {
			return short
		}
		t := tableHash{table: Table(name), rows: binary.LittleEndian.Uint64(b), hash: sha256.New()}
		if err := t.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			return fmt.Errorf("trace: digest of table %s: %w", name, err)
		}
		tables, b = append(tables, t), b[8:]
	}
	d.tables = tables
	return nil
}

// Discard is a Recorder that forgets all rows.
var Discard Recorder = discard{}

type discard struct{}

func (discard) Record(Row) {}

// Tee is a Recorder that passes each row to all of the given ones, in order.
func Tee(to ...Recorder) Recorder { return tee(to) }

type tee []Recorder

func (t tee) Record(r Row) {
	for _, to := range t {
		to.Record(r)
	}
}
