package settings

import (
	"fmt"
	"math"
	"strings"
)

// Error is one thing wrong with settings: where, what, what was expected and what to do.
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

// Meant asks whether a word stands for the candidate that is spelled most alike.
func Meant(word string, candidates []string) string {
	return "did you mean " + nearest(word, candidates) + "?"
}

// nearest is the candidate with the smallest edit distance.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", math.MaxInt
	for _, candidate := range candidates {
		if d := editDistance(word, candidate); d < bestDistance && candidate != "" {
			best, bestDistance = candidate, d
		}
	}
	return best
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
