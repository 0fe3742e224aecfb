package scenarios

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Error is one thing wrong with a scenario: where, what, what was expected and what to do.
type Error struct {
	Where string // file and line, or the --set option
	Key   string // dotted path of the key
	Fault string // what was wrong
	Want  string // what was expected
	Hint  string // what to do
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Where)
	if e.Key != "" {
		fmt.Fprintf(&b, ": %s", e.Key)
	}
	fmt.Fprintf(&b, ": %s", e.Fault)
	if e.Want != "" {
		fmt.Fprintf(&b, "; expected %s", e.Want)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Decode reads a scenario from TOML text. Name is what errors call the text, usually its path;
// sets are "key=value" overrides, applied in order. All faults are reported, joined.
func Decode(name string, text string, sets []string) (*Scenario, error) {
	if line := tooDeep(text); line > 0 {
		return nil, &Error{Where: fmt.Sprintf("%s:%d", name, line), Fault: "brackets within brackets within brackets",
			Want: fmt.Sprintf("at most %d open at once", maxDepth)}
	}
	if err := notUTF8(name, text); err != nil {
		return nil, err
	}
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		return nil, syntaxError(name, text, err)
	}
	d := decoder{name: name, lines: locate(text), sets: map[string]string{}}
	for _, set := range sets {
		d.override(tree, set)
	}
	sc := Default()
	d.table("", tree, reflect.ValueOf(&sc).Elem())
	d.faults = append(d.faults, besides(d.faults, validate(&sc, d.where))...)
	if len(d.faults) > 0 {
		return nil, errors.Join(d.faults...)
	}
	return &sc, nil
}

// maxDepth bounds how deep values nest: the TOML library's time grows out of bounds with it.
const maxDepth = 32

// tooDeep is the line at which more brackets are open than any scenario needs, or 0. It counts the
// brackets in strings and comments too, which closes no door: those come in pairs or are few.
func tooDeep(text string) int {
	line, depth := 1, 0
	for i := range len(text) {
		switch text[i] {
		case '\n':
			line++
		case '[', '{':
			if depth++; depth > maxDepth {
				return line
			}
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return 0
}

type decoder struct {
	name   string
	lines  map[string]int
	sets   map[string]string // key path to the option that set it
	faults []error
}

// where names the place of a key: the option that set it, or the line of the nearest enclosing key.
func (d *decoder) where(key string) string {
	for path := key; ; {
		if set, ok := d.sets[path]; ok {
			return "--set " + set
		}
		if n, ok := d.lines[path]; ok {
			return fmt.Sprintf("%s:%d", d.name, n)
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return d.name
		}
		path = path[:i]
	}
}

func (d *decoder) fault(key, fault, want, hint string) {
	d.faults = append(d.faults, &Error{Where: d.where(key), Key: key, Fault: fault, Want: want, Hint: hint})
}

// override puts one "key=value" option into the tree.
func (d *decoder) override(tree map[string]any, set string) {
	bad := func(fault, want, hint string) {
		d.faults = append(d.faults, &Error{Where: "--set " + set, Fault: fault, Want: want, Hint: hint})
	}
	key, text, found := cutKey(set)
	if !found || key == "" {
		bad("no key and value", "key=value", "write for example --set seed=7")
		return
	}
	if tooDeep(text) > 0 {
		bad("brackets within brackets within brackets", fmt.Sprintf("at most %d open at once", maxDepth), "")
		return
	}
	if wholeNumber.MatchString(strings.TrimSpace(text)) {
		if _, err := strconv.ParseInt(strings.ReplaceAll(strings.TrimSpace(text), "_", ""), 10, 64); err != nil {
			bad("the whole number does not fit 64 bits", fmt.Sprintf("%d to %d", math.MinInt64, math.MaxInt64), "")
			return
		}
	}
	value, ok := parseValue(text)
	if !ok {
		bad("the value is no TOML value", "a number, true, a word, or a list in brackets", "")
		return
	}
	if strings.Count(key, "[") != strings.Count(key, "]") {
		bad("brackets that do not match", "an index in brackets, as in miners[0].count=3", "")
		return
	}
	parts := strings.Split(strings.ReplaceAll(key, "[", ".["), ".")
	path, at := "", any(tree)
	for i, part := range parts {
		last := i == len(parts)-1
		if index, isIndex := strings.CutPrefix(part, "["); isIndex {
			list, isList := asTables(at)
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if !isList || err != nil || n < 0 || n >= len(list) || last {
				want := "an index and a key behind it"
				if len(list) > 0 {
					want = fmt.Sprintf("an index from [0] to [%d] and a key behind it", len(list)-1)
				}
				bad(fmt.Sprintf("%s has no element %s", path, part), want, "look at the scenario with: taolab scenario show")
				return
			}
			path += fmt.Sprintf("[%d]", n)
			at = list[n]
			continue
		}
		table, isTable := at.(map[string]any)
		if list, isList := asTables(at); isList && len(list) > 0 {
			bad(fmt.Sprintf("%s is a list of %d tables", path, len(list)), fmt.Sprintf("an index, as in %s[0].%s", path, part), "")
			return
		}
		if !isTable {
			bad(fmt.Sprintf("%s is a value, not a table", path), "the key of a value", "")
			return
		}
		path = joinPath(path, part)
		if last {
			table[part] = value
			d.sets[path] = set
			return
		}
		if table[part] == nil {
			table[part] = map[string]any{}
			d.sets[path] = set
		}
		at = table[part]
	}
}

func asTables(v any) ([]map[string]any, bool) {
	switch v := v.(type) {
	case []map[string]any:
		return v, true
	case []any:
		list := make([]map[string]any, len(v))
		for i, e := range v {
			table, ok := e.(map[string]any)
			if !ok {
				return nil, false
			}
			list[i] = table
		}
		return list, len(list) > 0
	}
	return nil, false
}

// wholeNumber is what a decimal integer looks like in TOML.
var wholeNumber = regexp.MustCompile(`^[+-]?[0-9]+(_[0-9]+)*$`)

// parseValue reads the value of an option: TOML, or a bare word.
func parseValue(text string) (any, bool) {
	text = strings.TrimSpace(text)
	for _, try := range []string{text, strconv.Quote(text)} {
		one := map[string]any{}
		if _, err := toml.Decode("x = "+try, &one); err == nil && len(one) == 1 {
			return one["x"], true
		}
	}
	return nil, false
}

// table decodes a TOML table into a struct, key by key in the struct's order.
func (d *decoder) table(path string, tree map[string]any, into reflect.Value) {
	known := make([]string, 0, into.NumField())
	for i := range into.NumField() {
		field := into.Type().Field(i)
		name := field.Tag.Get("toml")
		known = append(known, name)
		if value, ok := tree[name]; ok {
			d.value(joinPath(path, name), value, into.Field(i), field.Tag)
		}
	}
	var unknown []string
	for name := range tree { // order-free: sorted below
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		hint := meant(name, known)
		if now := renamed[name]; slices.Contains(known, now) {
			hint = "did you mean " + now + "?"
		}
		if section := sectionWith(name); path == "" && section != "" {
			hint = "did you mean " + section + "." + name + "?"
		}
		d.fault(joinPath(path, name), "unknown key", "one of "+strings.Join(known, ", "), hint)
	}
}

// renamed are keys of an earlier release and the ones that took their place.
var renamed = map[string]string{"explore": "score_peers"}

// sectionWith names the section that has a key, for those who left it out.
func sectionWith(key string) string {
	top := reflect.TypeFor[Scenario]()
	for i := range top.NumField() {
		section := top.Field(i)
		if section.Type.Kind() != reflect.Struct {
			continue
		}
		for k := range section.Type.NumField() {
			if section.Type.Field(k).Tag.Get("toml") == key {
				return section.Tag.Get("toml")
			}
		}
	}
	return ""
}

func (d *decoder) value(path string, value any, into reflect.Value, tag reflect.StructTag) {
	switch into.Interface().(type) {
	case Span:
		d.span(path, value, into, tag)
		return
	case [][]float64:
		d.matrix(path, value, into)
		return
	case []float64:
		d.numbers(path, value, into)
		return
	}
	switch into.Kind() {
	case reflect.Struct:
		tree, ok := value.(map[string]any)
		if !ok {
			d.fault(path, found(value), "a table", "write ["+path+"] and the keys below it")
			return
		}
		d.table(path, tree, into)
	case reflect.Slice:
		d.list(path, value, into)
	case reflect.String:
		text, ok := value.(string)
		if set, given := d.sets[path]; !ok && given { // chain.era=2026 means the word
			_, text, _ = cutKey(set)
			_, isList := value.([]any)
			text, ok = strings.TrimSpace(text), !isList
		}
		if !ok {
			d.fault(path, found(value), "a string", "put it in quotes")
			return
		}
		if words, limited := tag.Lookup("one"); limited && !slices.Contains(strings.Split(words, ","), text) {
			choices := strings.Split(words, ",")
			d.fault(path, strconv.Quote(text)+" is not known", "one of "+strings.ReplaceAll(strings.TrimPrefix(words, ","), ",", ", "), meant(text, choices))
			return
		}
		into.SetString(text)
	case reflect.Pointer: // a key whose absence means something else than zero
		element := reflect.New(into.Type().Elem())
		before := len(d.faults)
		if d.value(path, value, element.Elem(), tag); len(d.faults) == before {
			into.Set(element)
		}
	case reflect.Bool:
		on, ok := value.(bool)
		if !ok {
			d.fault(path, found(value), "true or false", "")
			return
		}
		into.SetBool(on)
	case reflect.Int, reflect.Uint64:
		d.integer(path, value, into, tag)
	case reflect.Float64:
		if x, ok := d.number(path, value, tag); ok {
			into.SetFloat(x)
		}
	default:
		panic("scenarios: field " + path + " has a kind that no scenario can hold: " + into.Kind().String())
	}
}

func (d *decoder) integer(path string, value any, into reflect.Value, tag reflect.StructTag) {
	n, ok := value.(int64)
	if !ok {
		d.fault(path, found(value), "a whole number"+bounds(tag), "")
		return
	}
	low, high := limits(tag)
	if n < 0 && into.Kind() == reflect.Uint64 && math.IsInf(low, -1) {
		low = 0
	}
	if float64(n) < low || float64(n) > high {
		d.fault(path, fmt.Sprintf("%d is out of range", n), "a whole number"+boundsOf(low, high, tag.Get("unit")), "")
		return
	}
	if into.Kind() == reflect.Int {
		into.SetInt(n)
	} else {
		into.SetUint(uint64(n))
	}
}

func (d *decoder) number(path string, value any, tag reflect.StructTag) (float64, bool) {
	var x float64
	switch v := value.(type) {
	case int64:
		x = float64(v)
	case float64:
		x = v
	default:
		d.fault(path, found(value), "a number"+bounds(tag), "")
		return 0, false
	}
	low, high := limits(tag)
	if !(x >= low && x <= high) { // also refuses NaN
		d.fault(path, fmt.Sprintf("%g is out of range", x), "a number"+bounds(tag), "")
		return 0, false
	}
	return x, true
}

func (d *decoder) span(path string, value any, into reflect.Value, tag reflect.StructTag) {
	ends := []any{value, value}
	if list, ok := value.([]any); ok {
		if len(list) != 2 {
			d.fault(path, fmt.Sprintf("a list of %d", len(list)), "a number, or a pair [from, to]", "")
			return
		}
		ends = list
	}
	from, ok1 := d.number(path, ends[0], tag)
	if !ok1 {
		return
	}
	if to, ok2 := d.number(path, ends[1], tag); ok2 {
		into.Set(reflect.ValueOf(Span{from, to}))
	}
}

// numbers decodes a number, or a list of at most two.
func (d *decoder) numbers(path string, value any, into reflect.Value) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	if len(list) > 2 {
		d.fault(path, fmt.Sprintf("a list of %d", len(list)), "a number, or a pair [low, high]", "")
		return
	}
	var numbers []float64
	for _, element := range list {
		x, ok := d.number(path, element, `min:"-1e300" max:"1e300"`) // no infinity
		if !ok {
			return
		}
		numbers = append(numbers, x)
	}
	into.Set(reflect.ValueOf(numbers))
}

func (d *decoder) matrix(path string, value any, into reflect.Value) {
	rows, ok := value.([]any)
	if !ok {
		d.fault(path, found(value), "a list of rows of numbers, as in [[10, 45], [45, 15]]", "")
		return
	}
	matrix := make([][]float64, len(rows))
	for i, row := range rows {
		cells, ok := row.([]any)
		if !ok {
			d.fault(path, fmt.Sprintf("in row %d %s", i, found(row)), "a list of numbers", "")
			return
		}
		for _, cell := range cells {
			x, ok := d.number(path, cell, `min:"0" max:"600000" unit:"ms"`)
			if !ok {
				return
			}
			matrix[i] = append(matrix[i], x)
		}
	}
	into.Set(reflect.ValueOf(matrix))
}

func (d *decoder) list(path string, value any, into reflect.Value) {
	if into.Type().Elem().Kind() == reflect.Struct {
		tables, ok := asTables(value)
		if list, isList := value.([]any); isList && len(list) == 0 {
			into.SetZero()
			return
		}
		if !ok {
			d.fault(path, found(value), "tables", "write [["+path+"]] and the keys below it")
			return
		}
		if len(tables) > 256 {
			d.fault(path, fmt.Sprintf("%d tables", len(tables)), "at most 256", "use count")
			return
		}
		list := reflect.MakeSlice(into.Type(), len(tables), len(tables))
		for i, tree := range tables {
			list.Index(i).Set(defaultElement(into.Type().Elem()))
			d.table(fmt.Sprintf("%s[%d]", path, i), tree, list.Index(i))
		}
		into.Set(list)
		return
	}
	words, ok := value.([]any)
	if !ok {
		d.fault(path, found(value), `a list of strings, as in ["a", "b"]`, "")
		return
	}
	list := make([]string, len(words))
	for i, word := range words {
		if list[i], ok = word.(string); !ok {
			d.fault(path, fmt.Sprintf("in element %d %s", i, found(word)), "a string", "put it in quotes")
			return
		}
	}
	into.Set(reflect.ValueOf(list))
}

func defaultElement(t reflect.Type) reflect.Value {
	for _, element := range []any{defaultMiners(), defaultValidators(), defaultApplications(), defaultFault(), defaultExpectation()} {
		if reflect.TypeOf(element) == t {
			return reflect.ValueOf(element)
		}
	}
	panic("scenarios: no default for " + t.String())
}

// limits are the bounds that a field's tags set.
func limits(tag reflect.StructTag) (low, high float64) {
	low, high = math.Inf(-1), math.Inf(1)
	if text, ok := tag.Lookup("min"); ok {
		low, _ = strconv.ParseFloat(text, 64)
	}
	if text, ok := tag.Lookup("max"); ok {
		high, _ = strconv.ParseFloat(text, 64)
	}
	return low, high
}

func bounds(tag reflect.StructTag) string {
	low, high := limits(tag)
	return boundsOf(low, high, tag.Get("unit"))
}

func boundsOf(low, high float64, unit string) string {
	text := ""
	switch {
	case !math.IsInf(low, -1) && !math.IsInf(high, 1):
		text = fmt.Sprintf(" from %g to %g", low, high)
	case !math.IsInf(low, -1):
		text = fmt.Sprintf(" of at least %g", low)
	case !math.IsInf(high, 1):
		text = fmt.Sprintf(" of at most %g", high)
	}
	if unit != "" && text != "" {
		text += " " + unit
	}
	return text
}

// found says what kind of value stands in the file.
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

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := corner
			if a[i-1] != b[j-1] {
				change++
			}
			corner = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
