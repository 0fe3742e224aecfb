package settings

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// inner are keys that stand among those of outer.
type inner struct {
	Speed Span    `toml:"speed" default:"[1, 4]" unit:"m/s" min:"0" max:"9" doc:"speed of the cart"`
	Limit *uint64 `toml:"limit" max:"7" doc:"most of them; unset: any"`
}

type outer struct {
	Name string `toml:"name" default:"cart" was:"label" doc:"what it is called"`
	inner
	Colour string  `toml:"colour" default:"red" doc:"replaced by the table"`
	Wheels []wheel `toml:"wheels"`
}

type wheel struct {
	Radius float64 `toml:"radius" default:"0.5" min:"0.1" max:"2" doc:"radius of the wheel"`
}

func (outer) Words(key string) ([]string, string) {
	if key == "colour" {
		return []string{"red", "blue"}, "its colour"
	}
	return nil, ""
}

func read(text string, sets ...string) (outer, string) {
	d, err := Parse("f.toml", text, sets)
	if err != nil {
		return outer{}, err.Error()
	}
	o := Default[outer]()
	d.Decode(&o)
	var b strings.Builder
	for _, fault := range d.Faults() {
		fmt.Fprintln(&b, fault)
	}
	return o, b.String()
}

func TestTagsAreTheDefaultsBoundsAndWordsOfTheReader(t *testing.T) {
	o, faults := read("[[wheels]]\n[[wheels]]\nradius = 1\n")
	want := outer{Name: "cart", inner: inner{Speed: Span{1, 4}}, Colour: "red", Wheels: []wheel{{0.5}, {1}}}
	if faults != "" || !reflect.DeepEqual(o, want) {
		t.Errorf("%+v %s", o, faults)
	}
	if o, _ := read("limit = 0\n"); o.Limit == nil || *o.Limit != 0 {
		t.Error("a written 0 is not 0")
	}
	for text, want := range map[string]string{ // order-free: each by itself
		"speed = 10\n":     "f.toml:1: speed: 10 is out of range; expected a number from 0 to 9 m/s",
		"colour = 'gren'":  `f.toml:1: colour: "gren" is not known; expected one of red, blue`,
		"limit = 8\n":      "f.toml:1: limit: 8 is out of range; expected a whole number of at most 7",
		"label = 'x'\n":    "did you mean name?",
		"\nspede = [1, 2]": "f.toml:2: spede: unknown key; expected one of name, speed, limit, colour, wheels; did you mean speed?",
	} {
		if _, faults := read(text); !strings.Contains(faults, want) {
			t.Errorf("%q: %s, want %s", text, faults, want)
		}
	}
}

func TestWhatIsWrittenReadsBack(t *testing.T) {
	before, _ := read("limit = 3\n[[wheels]]\n", "speed=[2, 3]")
	var text bytes.Buffer
	if err := Write(&text, before, true); err != nil {
		t.Fatal(err)
	}
	if after, faults := read(text.String()); faults != "" || !reflect.DeepEqual(before, after) {
		t.Errorf("%+v, then %+v %s\n%s", before, after, faults, text.String())
	}
}
