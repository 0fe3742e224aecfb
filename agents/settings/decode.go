package settings

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// table decodes a TOML table into a struct, key by key in the struct's order.
func (d *Document) table(path string, tree map[string]any, into reflect.Value) {
	fields := Fields(into.Type())
	for _, f := range fields {
		if value, ok := tree[f.Key]; ok {
			d.value(Join(path, f.Key), value, into.FieldByIndex(f.Index), f)
		}
	}
	var unknown []string
	for key := range tree { // order-free: sorted below
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Key == key }) {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	for _, key := range unknown {
		d.unknown(path, key, fields)
	}
}

// unknown refuses a key and suggests the intended one: the present name of a former key, a key whose
// section was left out, or the one with the most similar spelling.
func (d *Document) unknown(path, key string, fields []Field) {
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.Key
	}
	hint := Meant(key, known)
	for _, f := range fields {
		switch {
		case f.Was == key:
			hint = "did you mean " + f.Key + "?"
		case path == "" && f.Type.Kind() == reflect.Struct && f.Table() &&
			slices.ContainsFunc(Fields(f.Type), func(in Field) bool { return in.Key == key }):
			hint = "did you mean " + f.Key + "." + key + "?"
		}
	}
	d.Fault(Join(path, key), "unknown key", "one of "+strings.Join(known, ", "), hint)
}

func (d *Document) value(path string, value any, into reflect.Value, f Field) {
	switch into.Interface().(type) {
	case Span:
		d.span(path, value, into, f)
		return
	case [][]float64:
		d.matrix(path, value, into, f)
		return
	case []float64:
		d.numbers(path, value, into)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		tree, ok := value.(map[string]any)
		if !ok {
			d.Fault(path, found(value), "a table", "write ["+path+"] and the keys below it")
			return
		}
		d.table(path, tree, into)
	case reflect.Slice:
		d.list(path, value, into)
	case reflect.String:
		text, ok := value.(string)
		if set, given := d.sets[path]; !ok && given { // chain.era=2026 means the word
			_, text, _ = CutKey(set)
			_, isList := value.([]any)
			text, ok = strings.TrimSpace(text), !isList
		}
		if !ok {
			d.Fault(path, found(value), "a string", "put it in quotes")
			return
		}
		if f.Words != nil && !slices.Contains(f.Words, text) {
			d.Fault(path, strconv.Quote(text)+" is not known", "one of "+strings.Join(f.Choices(), ", "), Meant(text, f.Words))
			return
		}
		into.SetString(text)
	case reflect.Pointer: // a key whose absence does not mean zero
		element := reflect.New(into.Type().Elem())
		before := len(d.faults)
		if d.value(path, value, element.Elem(), f); len(d.faults) == before {
			into.Set(element)
		}
	case reflect.Bool:
		on, ok := value.(bool)
		if !ok {
			d.Fault(path, found(value), "true or false", "")
			return
		}
		into.SetBool(on)
	case reflect.Int, reflect.Uint64:
		d.integer(path, value, into, f)
	case reflect.Float64:
		if x, ok := d.number(path, value, f); ok {
			into.SetFloat(x)
		}
	default:
		panic("settings: field " + path + " has a kind that no setting can hold: " + into.Kind().String())
	}
}

func (d *Document) integer(path string, value any, into reflect.Value, f Field) {
	n, ok := value.(int64)
	if !ok {
		d.Fault(path, found(value), "a whole number"+f.bounds(), "")
		return
	}
	if n < 0 && into.Kind() == reflect.Uint64 && math.IsInf(f.Low, -1) {
		f.Low = 0
	}
	if float64(n) < f.Low || float64(n) > f.High {
		d.Fault(path, fmt.Sprintf("%d is out of range", n), "a whole number"+f.bounds(), "")
		return
	}
	if into.Kind() == reflect.Int {
		into.SetInt(n)
	} else {
		into.SetUint(uint64(n))
	}
}

func (d *Document) number(path string, value any, f Field) (float64, bool) {
	var x float64
	switch v := value.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		d.Fault(path, found(value), "a number"+f.bounds(), "")
		return 0, false
	}
	if !(x >= f.Low && x <= f.High) { // also refuses NaN
		d.Fault(path, fmt.Sprintf("%g is out of range", x), "a number"+f.bounds(), "")
		return 0, false
	}
	return x, true
}

func (d *Document) span(path string, value any, into reflect.Value, f Field) {
	ends := []any{value, value}
	if list, ok := value.([]any); ok {
		if len(list) != 2 {
			d.Fault(path, fmt.Sprintf("a list of %d", len(list)), "a number, or a pair [from, to]", "")
			return
		}
		ends = list
	}
	from, ok1 := d.number(path, ends[0], f)
	if !ok1 {
		return
	}
	if to, ok2 := d.number(path, ends[1], f); ok2 {
		into.Set(reflect.ValueOf(Span{from, to}))
	}
}

// maxNumbers bounds a list of numbers.
const maxNumbers = 1024

// numbers decodes a number, or a list of them.
func (d *Document) numbers(path string, value any, into reflect.Value) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	if len(list) > maxNumbers {
		d.Fault(path, fmt.Sprintf("a list of %d", len(list)), fmt.Sprintf("a number, or a list of at most %d", maxNumbers), "")
		return
	}
	var numbers []float64
	for _, element := range list {
		x, ok := d.number(path, element, Field{Low: -1e300, High: 1e300}) // no infinity
		if !ok {
			return
		}
		numbers = append(numbers, x)
	}
	into.Set(reflect.ValueOf(numbers))
}

func (d *Document) matrix(path string, value any, into reflect.Value, f Field) {
	rows, ok := value.([]any)
	if !ok {
		d.Fault(path, found(value), "a list of rows of numbers, as in [[10, 45], [45, 15]]", "")
		return
	}
	matrix := make([][]float64, len(rows))
	for i, row := range rows {
		cells, ok := row.([]any)
		if !ok {
			d.Fault(path, fmt.Sprintf("in row %d %s", i, found(row)), "a list of numbers", "")
			return
		}
		for _, cell := range cells {
			x, ok := d.number(path, cell, f)
			if !ok {
				return
			}
			matrix[i] = append(matrix[i], x)
		}
	}
	into.Set(reflect.ValueOf(matrix))
}

func (d *Document) list(path string, value any, into reflect.Value) {
	if into.Type().Elem().Kind() == reflect.Struct {
		tables, ok := Tables(value)
		if list, isList := value.([]any); isList && len(list) == 0 {
			into.SetZero()
			return
		}
		if !ok {
			d.Fault(path, found(value), "tables", "write [["+path+"]] and the keys below it")
			return
		}
		if len(tables) > 256 {
			d.Fault(path, fmt.Sprintf("%d tables", len(tables)), "at most 256", "use count")
			return
		}
		list := reflect.MakeSlice(into.Type(), len(tables), len(tables))
		for i, tree := range tables {
			list.Index(i).Set(presets(into.Type().Elem()))
			d.table(fmt.Sprintf("%s[%d]", path, i), tree, list.Index(i))
		}
		into.Set(list)
		return
	}
	words, ok := value.([]any)
	if !ok {
		d.Fault(path, found(value), `a list of strings, as in ["a", "b"]`, "")
		return
	}
	list := make([]string, len(words))
	for i, word := range words {
		if list[i], ok = word.(string); !ok {
			d.Fault(path, fmt.Sprintf("in element %d %s", i, found(word)), "a string", "put it in quotes")
			return
		}
	}
	into.Set(reflect.ValueOf(list))
}

// found describes a value of the file.
func found(value any) string {
	switch v := value.(type) {
	case string:
		return "found the string " + strconv.Quote(v)
	case int64:
		return fmt.Sprintf("found the whole number %d", v)
	case float64:
		return fmt.Sprintf("found the number %g", v)
	case bool:
		return fmt.Sprintf("found %t", v)
	case []any:
		return "found a list"
	case map[string]any, []map[string]any:
		return "found a table"
	}
	return fmt.Sprintf("found a %T", value)
}
