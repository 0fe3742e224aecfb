package scenarios

import (
	"errors"
	"slices"
	"strings"

	"taolab/agents/settings"
)

// measures are keys by which others are judged: where one of them is faulty, a fault found elsewhere may
// be a mere consequence.
var measures = []string{"count", "name", "joins_h", "hours", "block_s", "kind", "subsets", "vocab", "regions", "width", "context", "tokens"}

// besides are the faults that a scenario has besides those by which single keys were found out: what no
// single key shows is judged by the values in force, and a key that could not be read has its default.
// Faults that may only follow from one already reported are left out.
func besides(told, found []error) []error {
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
		return consequences && key != "chain.era" || key == "" || !strings.Contains(key, ".") && key != "miners" && key != "validators" ||
			slices.Contains(sections, sectionOf(key))
	})
}

// keyOf is the key that an error is about, or nothing.
func keyOf(err error) string {
	var fault *settings.Error
	if errors.As(err, &fault) {
		return fault.Key
	}
	return ""
}

// sectionOf is the table that a key stands in.
func sectionOf(key string) string {
	section, _, _ := strings.Cut(key, ".")
	return section
}
