package scenarios

import (
	"errors"
	"slices"
	"strings"

	"taolab/agents/settings"
)

// measures are keys by which others are judged: if one of them is faulty, a fault found elsewhere may be
// a mere consequence.
var measures = []string{"count", "name", "joins_h", "hours", "block_s", "kind", "subsets", "vocab", "regions", "width", "context", "tokens"}

// independent returns the faults that involve several keys and are not consequences of told, the faults of
// single keys. Those checks use the values in force, and a key that could not be read has its default
// there.
func independent(told, found []error) []error {
	if len(told) == 0 {
		return found
	}
	consequences := false
	var sections []string
	for _, err := range told {
		key := keyOf(err)
		consequences = consequences || slices.Contains(measures, key[strings.LastIndexByte(key, '.')+1:]) || !strings.Contains(key, ".")
		sections = append(sections, sectionOf(key))
	}
	return slices.DeleteFunc(found, func(err error) bool {
		key := keyOf(err)
		switch {
		case key == "" || slices.Contains(sections, sectionOf(key)):
			return true
		case consequences:
			return key != "chain.era"
		}
		return !strings.Contains(key, ".") && key != "miners" && key != "validators"
	})
}

// keyOf is the key that an error is about, or "".
func keyOf(err error) string {
	var fault *settings.Error
	if errors.As(err, &fault) {
		return fault.Key
	}
	return ""
}

// sectionOf is the table that holds a key.
func sectionOf(key string) string {
	section, _, _ := strings.Cut(key, ".")
	return section
}
