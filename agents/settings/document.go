package settings

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Document is a parsed TOML text with the places of its keys. It collects the faults that decoding finds.
type Document struct {
	name   string
	tree   map[string]any
	lines  map[string]int    // key path to its line
	sets   map[string]string // key path to the option that set it
	faults []error
}

// Parse reads TOML text. Errors refer to it by name, usually its path; sets are "key=value" overrides,
// applied in order.
func Parse(name, text string, sets []string) (*Document, error) {
	if line := tooDeep(text); line > 0 {
		return nil, &Error{Where: fmt.Sprintf("%s:%d", name, line), Fault: "brackets within brackets within brackets",
			Want: fmt.Sprintf("at most %d open at once", maxDepth)}
	}
	if err := notUTF8(name, text); err != nil {
		return nil, err
	}
	d := Of(name, map[string]any{})
	if _, err := toml.Decode(text, &d.tree); err != nil {
		return nil, syntaxError(name, text, err)
	}
	d.lines = Locate(text)
	for _, set := range sets {
		d.override(set)
	}
	return d, nil
}

// Of makes a document from values that were parsed elsewhere, with the types of the TOML library, and
// overrides.
func Of(name string, tree map[string]any, sets ...string) *Document {
	d := &Document{name: name, tree: tree, lines: map[string]int{}, sets: map[string]string{}}
	for _, set := range sets {
		d.override(set)
	}
	return d
}

// Decode reads all keys into a struct, which must hold the defaults.
func (d *Document) Decode(into any) {
	d.table("", d.tree, reflect.ValueOf(into).Elem())
}

// Faults lists the faults found so far.
func (d *Document) Faults() []error { return d.faults }

// maxDepth bounds the nesting of values, with which the TOML library's time explodes.
const maxDepth = 32

// tooDeep returns the first line with more open brackets than any scenario needs, or 0. It also counts
// brackets in strings and comments, which does no harm: those come in pairs or are few.
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

// Where names the place of a key: the option that set it, or the line of the nearest enclosing key.
func (d *Document) Where(key string) string {
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

// Fault adds a fault of a key.
func (d *Document) Fault(key, fault, want, hint string) {
	d.faults = append(d.faults, &Error{Where: d.Where(key), Key: key, Fault: fault, Want: want, Hint: hint})
}

// override sets one "key=value" option in the tree.
func (d *Document) override(set string) {
	bad := func(fault, want, hint string) {
		d.faults = append(d.faults, &Error{Where: "--set " + set, Fault: fault, Want: want, Hint: hint})
	}
	key, text, found := CutKey(set)
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
		bad("the value is not a TOML value", "a number, true, a word, or a list in brackets", "")
		return
	}
	if strings.Count(key, "[") != strings.Count(key, "]") {
		bad("brackets that do not match", "an index in brackets, as in miners[0].count=3", "")
		return
	}
	parts := strings.Split(strings.ReplaceAll(key, "[", ".["), ".")
	path, at := "", any(d.tree)
	for i, part := range parts {
		last := i == len(parts)-1
		if index, isIndex := strings.CutPrefix(part, "["); isIndex {
			list, isList := Tables(at)
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if !isList || err != nil || n < 0 || n >= len(list) || last {
				want := "an index and a key after it"
				if len(list) > 0 {
					want = fmt.Sprintf("an index from [0] to [%d] and a key after it", len(list)-1)
				}
				bad(fmt.Sprintf("%s has no element %s", path, part), want, "look at the scenario with: taolab scenario show")
				return
			}
			path += fmt.Sprintf("[%d]", n)
			at = list[n]
			continue
		}
		table, isTable := at.(map[string]any)
		if list, isList := Tables(at); isList && len(list) > 0 {
			bad(fmt.Sprintf("%s is a list of %d tables", path, len(list)), fmt.Sprintf("an index, as in %s[0].%s", path, part), "")
			return
		}
		if !isTable {
			bad(fmt.Sprintf("%s is a value, not a table", path), "the key of a value", "")
			return
		}
		path = Join(path, part)
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

// Tables returns the elements of an array of tables.
func Tables(v any) ([]map[string]any, bool) {
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

// wholeNumber matches a decimal integer of TOML.
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
