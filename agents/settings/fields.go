package settings

import (
	"math"
	"reflect"
	"strconv"
	"strings"
)

// Field is a key of a table, described by the tags of its struct field.
type Field struct {
	Key, Unit, Doc string
	Inert          string   // why the key changes nothing in a run; empty: it may
	Was            string   // its name in an earlier release
	Low, High      float64  // bounds of a number; infinite where it has none
	Words          []string // the words that are allowed; nil: any
	Preset         string   // value where the file does not set the key, as TOML or a bare word
	Type           reflect.Type
	Index          []int // of the struct field, for reflect.Value.FieldByIndex
}

// Worded is a struct with keys whose words come from a table of the program. Words returns a key's words and
// their meaning; if it returns none, the tags apply.
type Worded interface {
	Words(key string) (words []string, doc string)
}

// Fields lists the keys of a struct in order, those of embedded structs in their place.
func Fields(t reflect.Type) []Field {
	var fields []Field
	worded, _ := reflect.Zero(t).Interface().(Worded)
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Anonymous {
			for _, f := range Fields(sf.Type) {
				f.Index = append([]int{i}, f.Index...)
				fields = append(fields, f)
			}
			continue
		}
		f := Field{
			Key: sf.Tag.Get("toml"), Unit: sf.Tag.Get("unit"), Doc: sf.Tag.Get("doc"), Inert: sf.Tag.Get("inert"),
			Was: sf.Tag.Get("was"), Preset: sf.Tag.Get("default"), Type: sf.Type, Index: []int{i},
			Low: bound(sf.Tag, "min", math.Inf(-1)), High: bound(sf.Tag, "max", math.Inf(1)),
		}
		if one, ok := sf.Tag.Lookup("one"); ok {
			f.Words = strings.Split(one, ",")
		}
		if worded != nil {
			if words, doc := worded.Words(f.Key); words != nil {
				f.Words, f.Doc = words, doc
			}
		}
		fields = append(fields, f)
	}
	return fields
}

func bound(tag reflect.StructTag, name string, none float64) float64 {
	text, ok := tag.Lookup(name)
	if !ok {
		return none
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("settings: " + string(tag) + ": " + err.Error())
	}
	return x
}

// Choices lists the words that the key takes, without the empty one.
func (f Field) Choices() []string {
	var words []string
	for _, word := range f.Words {
		if word != "" {
			words = append(words, word)
		}
	}
	return words
}

// Range formats the values that the key takes for the reference: its words, or its bounds.
func (f Field) Range() string {
	if low, high := number(f.Low), number(f.High); low != "" || high != "" {
		return low + ".." + high
	}
	return strings.Join(f.Choices(), ", ")
}

// Table reports whether the key is a table or an array of tables.
func (f Field) Table() bool { return nested(f.Type) }

func nested(t reflect.Type) bool {
	if t == reflect.TypeFor[Span]() {
		return false
	}
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Slice && nested(t.Elem())
}

// bounds formats the limits of a number, with a space in front.
func (f Field) bounds() string {
	text := ""
	switch {
	case !math.IsInf(f.Low, -1) && !math.IsInf(f.High, 1):
		text = " from " + number(f.Low) + " to " + number(f.High)
	case !math.IsInf(f.Low, -1):
		text = " of at least " + number(f.Low)
	case !math.IsInf(f.High, 1):
		text = " of at most " + number(f.High)
	}
	if f.Unit != "" && text != "" {
		text += " " + f.Unit
	}
	return text
}

// number formats a bound, without an exponent if possible; "" if it is infinite.
func number(x float64) string {
	switch {
	case math.IsInf(x, 0):
		return ""
	case math.Abs(x) < 1e15:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// Default returns a table in which all keys have their defaults.
func Default[T any]() T { return presets(reflect.TypeFor[T]()).Interface().(T) }

// presets returns a struct whose fields have the defaults of their tags.
func presets(t reflect.Type) reflect.Value {
	table := reflect.New(t).Elem()
	d := Of("default of "+t.String(), nil)
	for _, f := range Fields(t) {
		at := table.FieldByIndex(f.Index)
		if f.Table() {
			if f.Type.Kind() == reflect.Struct {
				at.Set(presets(f.Type))
			}
			continue
		}
		if f.Preset == "" {
			continue
		}
		value, ok := any(f.Preset), true
		if f.Type.Kind() != reflect.String { // words are not TOML
			value, ok = parseValue(f.Preset)
		}
		if !ok {
			panic("settings: " + t.String() + ": the default of " + f.Key + " is not a TOML value: " + f.Preset)
		}
		d.value(f.Key, value, at, f)
	}
	if len(d.faults) > 0 {
		panic("settings: " + d.faults[0].Error())
	}
	return table
}
