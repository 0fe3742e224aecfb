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

// Meant asks whether a word stands for one of the candidates, where one is spelled alike, or else begins so.
func Meant(word string, candidates []string) string {
	near := alike(word, candidates, math.MaxInt)
	if near == "" && len(word) > 3 {
		near = alike(word, candidates, len(word))
	}
	if near == "" {
		return ""
	}
	return "did you mean " + near + "?"
}

// alike is the candidate with the fewest letters other than the word's, or nothing where those are more than
// one of a short word, two of a longer one and a third of a long one. At most so many letters of each
// candidate are compared.
func alike(word string, candidates []string, most int) string {
	best, fewest := "", max(len(word)/3, min(2, len(word)/2))+1
	for _, candidate := range candidates {
		if changes := editDistance(word, candidate[:min(len(candidate), most)]); candidate != "" && changes < fewest {
			best, fewest = candidate, changes
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
