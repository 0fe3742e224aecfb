package docs

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// turn is a line of words.txt.
type turn struct {
	banned  *regexp.Regexp
	fine    *regexp.Regexp // nil where the turn is never fine
	instead string
}

// anySpace is what a space of words.txt stands for: white space and the signs of comments and quotes.
const anySpace = `(?:\s|//|> )+`

func parseTurns(text string) ([]turn, error) {
	var turns []turn
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		columns := strings.Split(line, " | ")
		if len(columns) != 3 {
			return nil, fmt.Errorf("words.txt: %q has %d columns, want turn | but not within | instead", line, len(columns))
		}
		banned, err := regexp.Compile(strings.ReplaceAll(columns[0], " ", anySpace))
		if err != nil {
			return nil, fmt.Errorf("words.txt: %q is not a regular expression: %w", columns[0], err)
		}
		t := turn{banned: banned, instead: columns[2]}
		if phrases := list(columns[1]); len(phrases) > 0 {
			for i, p := range phrases {
				phrases[i] = strings.ReplaceAll(regexp.QuoteMeta(p), " ", anySpace)
			}
			t.fine = regexp.MustCompile(`(?i)\b(?:` + strings.Join(phrases, "|") + `)\b`)
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// within reports whether a place of the text lies in a phrase that is fine.
func (t turn) within(text string, place []int) bool {
	if t.fine == nil {
		return false
	}
	for _, f := range t.fine.FindAllStringIndex(text, -1) {
		if f[0] < place[1] && place[0] < f[1] {
			return true
		}
	}
	return false
}

// wording finds banned turns in a text that begins on a line of a file.
func wording(name string, line int, text string, turns []turn) []finding {
	var found []finding
	for _, t := range turns {
		for _, place := range t.banned.FindAllStringIndex(text, -1) {
			if t.within(text, place) {
				continue
			}
			words := strings.TrimSpace(text[place[0]:place[1]])
			begin := place[0] + strings.Index(text[place[0]:], words)
			at := token.Position{Filename: name, Line: line + strings.Count(text[:begin], "\n")}
			found = append(found, finding{at, fmt.Sprintf("the words %q", words), t.instead})
		}
	}
	return found
}

// wordingOfCode looks at what a Go file says to people: its comments and its string literals.
func wordingOfCode(f *finder, turns []turn) {
	for _, group := range f.syntax.Comments {
		var text strings.Builder
		for i, c := range group.List {
			if i > 0 {
				text.WriteByte('\n')
			}
			text.WriteString(strings.TrimPrefix(strings.TrimPrefix(c.Text, "//"), " "))
		}
		f.found = append(f.found, wording(f.path, f.position(group.Pos()).Line, text.String(), turns)...)
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			f.found = append(f.found, wording(f.path, f.position(l.Pos()).Line, strings.Trim(l.Value, "\"`"), turns)...)
		}
		return true
	})
}

func TestNobodyWritesTheBannedWords(t *testing.T) {
	turns := must[[]turn](t)(parseTurns(text(t, "words.txt")))
	found := inEvery(sources(t), func(f *finder) { wordingOfCode(f, turns) })
	for _, name := range texts(t) {
		if path := relative(name); path != "docs/words.txt" && !strings.HasSuffix(path, ".go") {
			found = append(found, wording(path, 1, text(t, name), turns)...)
		}
	}
	check(t, found)
}
