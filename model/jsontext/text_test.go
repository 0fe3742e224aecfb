package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzTextsAreReadAsByAnotherReader compares with encoding/json: what is read here is read there and
// means the same, and a text that only this package refuses has an object with a name twice, bytes
// that are not UTF-8, or too many levels.
func FuzzTextsAreReadAsByAnotherReader(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, -2.5e-3, "\ud83d\ude00\ud800", true, false, null], "b": {}}`, `{"a": 1, "a": 2}`, "\ufeff[1]", "[01]",
		`"\u00`, "[\"\xff\"]", `{"":{"":[[[]]]}}`, "1e5", " -0 ", "[1,]", "\"\x01\"", "{\"a\":1,\"\\u0061\":2}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const depth = 100
		v, err := Read(data, depth)
		plain := bytes.TrimPrefix(data, []byte(Mark))
		if err == nil {
			d := json.NewDecoder(bytes.NewReader(plain))
			d.UseNumber()
			var want any
			if fault := d.Decode(&want); fault != nil {
				t.Fatalf("%q is read; encoding/json: %v", data, fault)
			}
			if got := plainValue(v); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q is read as %v; encoding/json: %v", data, got, want)
			}
			for at := range v.text.Nodes {
				v.text.Path(at)
			}
			return
		}
		var place *Error
		if !errors.As(err, &place) || place.Offset > len(data) || place.Line < 1 || place.Column < 1 {
			t.Fatalf("%q: %#v has no place", data, err)
		}
		if json.Valid(plain) && utf8.Valid(data) && !strings.Contains(err.Error(), "appears twice") &&
			!strings.Contains(err.Error(), "nested deeper") {
			t.Fatalf("%q is JSON and refused: %v", data, err)
		}
		if strings.Contains(err.Error(), "appears twice") && !twice(plain) {
			t.Fatalf("%q: no name appears twice: %v", data, err)
		}
	})
}

// plainValue is a value as encoding/json gives it.
func plainValue(v Value) any {
	switch v.Kind() {
	case '{':
		m := map[string]any{}
		for name, value := range v.Members() {
			m[name] = plainValue(value)
		}
		return m
	case '[':
		list := []any{}
		for _, value := range v.Elements() {
			list = append(list, plainValue(value))
		}
		return list
	case '"':
		s, _ := v.Text()
		return s
	case '0':
		return json.Number(v.Raw())
	case 'n':
		return nil
	}
	b, _ := v.True()
	return b
}

// twice looks for an object with a name twice in the tokens of another reader.
func twice(data []byte) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	type level struct {
		names map[string]bool // nil: an array
		value bool            // comes next
	}
	levels := []level{{}}
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		top := &levels[len(levels)-1]
		if name, ok := token.(string); ok && top.names != nil && !top.value {
			if top.names[name] {
				return true
			}
			top.names[name], top.value = true, true
			continue
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
		levels[len(levels)-1].value = false
	}
}

func TestATextIsReadAgainIntoWhatItHeld(t *testing.T) {
	var text Text
	long := []byte(`{"text": "` + strings.Repeat("word ", 100) + `", "meta": {"pile_set_name": "Github"}}`)
	if err := text.Parse(long, 8); err != nil {
		t.Fatal(err)
	}
	if err := text.Parse([]byte(`[1, [2`), 8); err == nil {
		t.Fatal("a text without end is read")
	}
	if allocs := testing.AllocsPerRun(10, func() {
		if err := text.Parse(long, 8); err != nil {
			t.Fatal(err)
		}
	}); allocs > 0 {
		t.Errorf("%v allocations for a text of a known shape", allocs)
	}
	if got := text.String(4); got != "meta" && len(text.Nodes) != 7 {
		t.Errorf("%d values, %q", len(text.Nodes), got)
	}
}

func TestValuesAreReadAsWhatTheyAreOrRefusedWithTheirPlace(t *testing.T) {
	v, err := Read([]byte(`{"n": [7, 7.0, -1, 99999999999999999999, "7", null], "b": true, "x": 1e-05, "s": "a"}`), 8)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, e := range v.Member("n").Elements() {
		n, err := e.Whole(0, math.MaxInt64)
		got = append(got, fmt.Sprintf("%d: %d %v", i, n, err))
	}
	want := "0: 7 <nil>|1: 0 line 1, column 11: n[1]: found 7.0; expected a whole number from 0 to 9223372036854775807"
	if text := strings.Join(got, "|"); !strings.HasPrefix(text, want) || strings.Count(text, "found") != 5 {
		t.Errorf("%s", text)
	}
	if x, err := v.Member("x").Number(); err != nil || x != 1e-5 {
		t.Error(x, err)
	}
	if b, err := v.Member("b").True(); err != nil || !b {
		t.Error(b, err)
	}
	for _, err := range []error{
		second(v.Member("s").True()), second(v.Member("s").Number()), second(v.Member("b").Text()), second(v.Member("none").Text()),
		second(v.Member("none").Whole(0, 1)), second(v.Member("none").Number()),
	} {
		if err == nil || !strings.Contains(err.Error(), "expected") {
			t.Error(err)
		}
	}
	if !v.Member("none").Null() || v.Member("s").Null() || !(Value{}).Null() {
		t.Error("what is null is not told from what is not")
	}
}

func second[T any](_ T, err error) error { return err }

// Sorting the names of large objects keeps the work near linear, whatever they are.
func TestManyNamesAreComparedInReasonableTime(t *testing.T) {
	var b bytes.Buffer
	b.WriteByte('{')
	const n = 200_000
	for i := range n {
		fmt.Fprintf(&b, `"\u0061%d":1,`, n-i)
	}
	b.WriteString(`"a5":1}`)
	if _, err := Read(b.Bytes(), 2); err == nil || !strings.Contains(err.Error(), "appears twice") {
		t.Error(err)
	}
}

func line(n int) []byte {
	text := strings.Repeat("The court finds that \\\"the plaintiff\\\" has no case\\nand awards the costs. ", n)
	return []byte(`{"text": "` + text + `", "meta": {"pile_set_name": "FreeLaw"}}`)
}

func BenchmarkALineOfAShard(b *testing.B) {
	data := line(80) // the Pile's mean document has 5.9 KiB
	b.Run("jsontext", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		var text Text
		var buffer []byte
		for b.Loop() {
			if err := text.Parse(data, 64); err != nil {
				b.Fatal(err)
			}
			buffer = text.AppendString(buffer[:0], 2)
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var fields struct {
				Text *string         `json:"text"`
				Meta json.RawMessage `json:"meta"`
			}
			if err := json.NewDecoder(bytes.NewReader(data)).Decode(&fields); err != nil && err != io.EOF {
				b.Fatal(err)
			}
		}
	})
}
