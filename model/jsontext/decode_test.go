package jsontext

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type inner struct {
	Path  string   `json:"path"`
	Names []string `json:"names,omitempty"`
}

type outer struct {
	inner
	Format string    `json:"format"`
	Steps  uint8     `json:"steps"`
	Large  uint64    `json:"large"`
	Signed int8      `json:"signed"`
	Rate   float64   `json:"rate"`
	Done   bool      `json:"done"`
	Maybe  *int      `json:"maybe"`
	Curve  []inner   `json:"curve"`
	Grid   [][]int64 `json:"grid"`
	Plain  string
}

func TestWhatIsWrittenIsDecoded(t *testing.T) {
	seven := 7
	want := outer{
		inner: inner{"a/b", []string{"x", "é"}}, Format: "1", Steps: 255, Large: math.MaxUint64, Signed: -128, Rate: 1e-300,
		Done: true, Maybe: &seven, Curve: []inner{{"c", nil}, {"d", nil}}, Grid: [][]int64{{1, -2}, {}}, Plain: "p",
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got outer
	if err := Decode(text, 8, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outer{}, inner{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatDoesNotFitIsNamed(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"Format": "1"}`, "line 1, column 12: Format: unknown member"},
		{`{"format": 1}`, "format: found 1; expected a string"},
		{`{"steps": 256}`, "steps: found 256; expected a whole number from 0 to 255"},
		{`{"large": -1}`, "large: found -1; expected a whole number from 0 to 18446744073709551615"},
		{`{"signed": -129}`, "signed: found -129; expected a whole number from -128 to 127"},
		{`{"rate": "1"}`, `rate: found "1"; expected a number`},
		{`{"done": 0}`, "done: found 0; expected true or false"},
		{`{"curve": {}}`, "curve: found an object; expected a list"},
		{`{"curve": [{"path": "a"}, 3]}`, "curve[1]: found 3; expected an object"},
		{`{"grid": [[1], [1.5]]}`, "grid[1][0]: found 1.5; expected a whole number"},
		{`{"path": "a", "path": "b"}`, "path: the key appears twice"},
		{`[]`, "found a list; expected an object"},
		{`{`, "the text ends here"},
	} {
		if err := Decode([]byte(c.text), 8, new(outer)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.text, err, c.want)
		}
	}
	got := outer{Format: "stays", Steps: 3}
	if err := Decode([]byte(`{"format": null}`), 8, &got); err != nil || got.Format != "stays" || got.Steps != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

func ExampleDecode() {
	var point struct {
		Step int     `json:"step"`
		Loss float64 `json:"loss"`
	}
	fmt.Println(Decode([]byte(`{"step": 7, "loss": 2.5}`), 8, &point), point)
	fmt.Println(Decode([]byte(`{"step": 7, "Loss": 2.5}`), 8, &point))
	// Output:
	// <nil> {7 2.5}
	// line 1, column 21: Loss: unknown member
}

func ExampleValue() {
	v, err := Read([]byte(`{"shape": [2, 3], "dtype": "F32"}`), 8)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, side := range v.Member("shape").Elements() {
		n, err := side.Whole(0, 100)
		fmt.Println(i, n, err)
	}
	_, err = v.Member("dtype").Whole(0, 100)
	fmt.Println(err)
	// Output:
	// 0 2 <nil>
	// 1 3 <nil>
	// line 1, column 28: dtype: found "F32"; expected a whole number from 0 to 100
}

func ExampleText() {
	var t Text
	if err := t.Parse([]byte(`{"text": "a\nb", "meta": {}}`), 8); err != nil {
		fmt.Println(err)
		return
	}
	for at := range t.Nodes {
		fmt.Printf("%q %s\n", t.Path(at), t.Raw(at))
	}
	// Output:
	// "" {"text": "a\nb", "meta": {}}
	// "text" "text"
	// "text" "a\nb"
	// "meta" "meta"
	// "meta" {}
}
