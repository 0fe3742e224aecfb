package trace

import (
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
)

// rows is one row of every table.
var rows = []Row{
	Node{}, Seat{}, Block{}, Transaction{}, Epoch{}, Weight{}, Bond{}, Query{}, Answer{}, Score{}, Train{},
	Totals{}, Fault{}, Application{},
}

// strange is a row of all column types.
type strange struct {
	Flag   bool
	A      uint8
	B      uint16
	C      uint32
	D      uint64
	E      int64
	F      float32
	G      float64
	Name   string
	Signed int32
}

func (strange) Table() Table { return "strange" }

func TestRowBytesAreLittleEndianFieldByField(t *testing.T) {
	got := AppendRow(nil, strange{true, 2, 0x0304, 5, 6, -1, 1.5, -2, "tao", -2})
	want := "01" + "02" + "0403" + "05000000" + "0600000000000000" + "ffffffffffffffff" +
		"0000c03f" + "00000000000000c0" + "03000000" + "74616f" + "feffffff"
	if hex.EncodeToString(got) != want {
		t.Errorf("row bytes %x, expected %s", got, want)
	}
}

func TestEveryNaNHasTheSameBytesAndSignedZeroesHaveNot(t *testing.T) {
	a := AppendRow(nil, strange{F: math.Float32frombits(0x7fc00000), G: math.NaN()})
	b := AppendRow(nil, strange{F: math.Float32frombits(0xffc12345), G: math.Float64frombits(0xfff8000000000099)})
	if string(a) != string(b) {
		t.Errorf("rows with NaN: %x and %x", a, b)
	}
	if c := AppendRow(nil, strange{G: math.Copysign(0, -1)}); string(c) == string(AppendRow(nil, strange{})) {
		t.Error("0 and -0 have the same bytes")
	}
}

func TestEveryColumnHasAUnitADescriptionAndAPlainType(t *testing.T) {
	for _, r := range rows {
		AppendRow(nil, r) // panics on a type that is not plain
		row := reflect.TypeOf(r)
		for i := range row.NumField() {
			f := row.Field(i)
			if f.Tag.Get("unit") == "" || f.Tag.Get("doc") == "" || !f.IsExported() {
				t.Errorf("%s.%s: unit %q, doc %q", row, f.Name, f.Tag.Get("unit"), f.Tag.Get("doc"))
			}
		}
	}
}

// TestEveryColumnIsInTheDigest sets one field after the other to something else.
func TestEveryColumnIsInTheDigest(t *testing.T) {
	for _, r := range rows {
		for i := range reflect.TypeOf(r).NumField() {
			zero := string(AppendRow(nil, r))
			v := reflect.New(reflect.TypeOf(r)).Elem()
			f := v.Field(i)
			if f.Kind() == reflect.Pointer {
				f.Set(reflect.New(f.Type().Elem()))
				if string(AppendRow(nil, v.Interface().(Row))) == zero {
					t.Errorf("%T: %s: no value and 0 have the same bytes", r, v.Type().Field(i).Name)
				}
				zero = string(AppendRow(nil, v.Interface().(Row)))
				f = f.Elem()
			}
			switch f.Kind() {
			case reflect.Bool:
				f.SetBool(true)
			case reflect.String:
				f.SetString("x")
			case reflect.Float32, reflect.Float64:
				f.SetFloat(1)
			case reflect.Int64, reflect.Int32:
				f.SetInt(1)
			default:
				f.SetUint(1)
			}
			if string(AppendRow(nil, v.Interface().(Row))) == zero {
				t.Errorf("%T: column %s does not change the bytes", r, v.Type().Field(i).Name)
			}
		}
	}
}

type odd struct{ Names []string }

func (odd) Table() Table { return "odd" }

func TestARowWithAFieldThatIsNotPlainPanics(t *testing.T) {
	defer func() {
		want := "trace: column Names of trace.odd is a []string; columns are bool, uint8 to uint64, int32, " +
			"int64, float32, float64 or string, or pointers to those"
		if got := recover(); got != want {
			t.Errorf("panic %v, expected %s", got, want)
		}
	}()
	AppendRow(nil, odd{})
}

func TestTablesAreDigestedApartAndInOrder(t *testing.T) {
	var a, b, c Digester
	first, second, other := Bond{Epoch: 1}, Bond{Epoch: 2}, Weight{Epoch: 1}
	for _, r := range []Row{first, other, second} {
		Tee(&a, Discard).Record(r)
	}
	for _, r := range []Row{other, first, second} {
		b.Record(r)
	}
	for _, r := range []Row{second, first, other} {
		c.Record(r)
	}
	bonds := func(d *Digester) TableDigest {
		for _, t := range d.Tables() {
			if t.Table == Bonds {
				return t
			}
		}
		return TableDigest{}
	}
	if bonds(&a) != bonds(&b) || bonds(&a).Rows != 2 {
		t.Errorf("another table's rows moved the digest: %v, %v", bonds(&a), bonds(&b))
	}
	if bonds(&a) == bonds(&c) {
		t.Error("the order of rows is not in the digest")
	}
	if len(a.Tables()) != 2 {
		t.Errorf("%d tables, expected 2", len(a.Tables()))
	}
}

func ExampleDigester() {
	var d Digester
	d.Record(Bond{Epoch: 1, From: 3, To: 4, Bond: 65535})
	d.Record(Bond{Epoch: 1, From: 3, To: 5, Bond: 100})
	for _, t := range d.Tables() {
		fmt.Printf("%s %d %x\n", t.Table, t.Rows, t.SHA256[:8])
	}
	// Output:
	// bonds 2 7dbe7d704192dd38
}

func BenchmarkAppendRow(b *testing.B) {
	var bytes []byte
	r := Row(Query{Subset: Some("Pile-CC")})
	b.ReportAllocs()
	for range b.N {
		bytes = AppendRow(bytes[:0], r)
	}
}

func TestDigestsGoOnFromTheirBytes(t *testing.T) {
	var straight, first, second Digester
	for i := range 100 {
		var row Row = Block{Height: uint64(i)}
		if i%3 == 0 {
			row = Totals{Block: uint64(i), MintedRao: 7}
		}
		straight.Record(row)
		if i == 41 {
			b, err := first.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			for n := 1; n < len(b); n++ {
				if n%16 == 1 {
					if err := new(Digester).UnmarshalBinary(b[:n]); err == nil {
						t.Errorf("%d of %d bytes were taken", n, len(b))
					}
				}
			}
			if err := second.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
		}
		if i < 41 {
			first.Record(row)
		} else {
			second.Record(row)
		}
	}
	if got, want := second.Tables(), straight.Tables(); !slices.Equal(got, want) {
		t.Errorf("%v, straight %v", got, want)
	}
}
