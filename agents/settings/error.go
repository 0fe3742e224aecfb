package settings

import (
	"fmt"
	"strings"
)

// Error is a fault in settings: its place, the fault, the expectation and the remedy.
type Error struct {
	Where string // file and line, or the --set option
	Key   string // dotted path of the key
	Fault string // what was wrong
	Want  string // what was expected
	Hint  string // what to do
}

func (e *Error) Error() string {
	var b strings.Builder
	for _, place := range []string{e.Where, e.Key} {
		if place != "" {
			b.WriteString(place + ": ")
		}
	}
	b.WriteString(e.Fault)
	if e.Want != "" {
		fmt.Fprintf(&b, "; expected %s", e.Want)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}
