package report

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"reflect"

	"taolab/sim/trace"
)

// digest sums up a table's rows in the order of recording.
type digest struct {
	h   hash.Hash
	buf []byte
}

func newDigest() *digest { return &digest{h: sha256.New()} }

func (d *digest) add(row trace.Row) {
	b := d.buf[:0]
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Bool:
			if f.Bool() {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		case reflect.String:
			b = binary.LittleEndian.AppendUint32(b, uint32(f.Len()))
			b = append(b, f.String()...)
		case reflect.Float32, reflect.Float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f.Float()))
		case reflect.Int64:
			b = binary.LittleEndian.AppendUint64(b, uint64(f.Int()))
		default:
			b = binary.LittleEndian.AppendUint64(b, f.Uint())
		}
	}
	d.h.Write(b)
	d.buf = b
}

func (d *digest) sum() [32]byte { return [32]byte(d.h.Sum(nil)) }
