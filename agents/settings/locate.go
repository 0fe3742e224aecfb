package settings

import (
	"fmt"
	"strings"
)

// Locate maps every key of a TOML text, as a dotted path with indices ("miners[1].count"), to its
// line, since the TOML library gives lines only for syntax errors. The text must be valid TOML.
func Locate(text string) map[string]int {
	l := locator{lines: map[string]int{}, count: map[string]int{}}
	for i, line := range strings.Split(text, "\n") {
		l.line(i+1, line)
	}
	return l.lines
}

type locator struct {
	lines map[string]int
	count map[string]int // elements of each array of tables so far
	table string         // path of the open table
	depth int            // open brackets of a value that spans lines
	quote string         // the delimiter of an open multi-line string
}

func (l *locator) line(n int, text string) {
	if l.quote == "" && l.depth == 0 {
		text = strings.TrimSpace(text)
		switch {
		case text == "" || text[0] == '#':
			return
		case strings.HasPrefix(text, "[["):
			l.open(n, splitKey(inside(text, "[[", "]]")), true)
			return
		case text[0] == '[':
			l.open(n, splitKey(inside(text, "[", "]")), false)
			return
		}
		key, value, found := CutKey(text)
		if !found {
			return
		}
		path := l.table
		for _, part := range splitKey(key) {
			path = Join(path, part)
			if _, seen := l.lines[path]; !seen {
				l.lines[path] = n
			}
		}
		text = value
	}
	l.scan(text)
}

// open enters the table that a header names; elements of arrays of tables are numbered.
func (l *locator) open(n int, parts []string, element bool) {
	path := ""
	for i, part := range parts {
		path = Join(path, part)
		if i == len(parts)-1 && element {
			if _, seen := l.lines[path]; !seen {
				l.lines[path] = n
			}
			path, l.count[path] = fmt.Sprintf("%s[%d]", path, l.count[path]), l.count[path]+1
		} else if k := l.count[path]; k > 0 {
			path = fmt.Sprintf("%s[%d]", path, k-1)
		}
		if _, seen := l.lines[path]; !seen {
			l.lines[path] = n
		}
	}
	l.table = path
}

// scan follows the strings and brackets of a value to find out whether it ends on this line.
func (l *locator) scan(text string) {
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		if l.quote != "" {
			switch {
			case text[i] == '\\' && l.quote[0] == '"':
				i++
			case strings.HasPrefix(rest, l.quote):
				i += len(l.quote) - 1
				l.quote = ""
			}
			continue
		}
		switch {
		case text[i] == '#':
			return
		case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, "'''"):
			l.quote = rest[:3]
			i += 2
		case text[i] == '"' || text[i] == '\'':
			l.quote = rest[:1]
		case text[i] == '[' || text[i] == '{':
			l.depth++
		case text[i] == ']' || text[i] == '}':
			l.depth--
		}
	}
	if len(l.quote) == 1 {
		l.quote = "" // a simple string cannot span lines
	}
}

func inside(text, open, shut string) string {
	text = strings.TrimPrefix(text, open)
	if i := strings.Index(text, shut); i >= 0 {
		text = text[:i]
	}
	return text
}

// CutKey splits "key = value" at the first equals sign outside quotes.
func CutKey(text string) (key, value string, found bool) {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '=':
			return strings.TrimSpace(text[:i]), text[i+1:], true
		}
	}
	return "", "", false
}

// splitKey splits a dotted key outside quotes and removes the quotes.
func splitKey(key string) []string {
	var parts []string
	var part strings.Builder
	quote := byte(0)
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			part.WriteByte(c)
		case c == '"' || c == '\'':
			quote = c
		case c == '.':
			parts = append(parts, strings.TrimSpace(part.String()))
			part.Reset()
		case c != ' ' && c != '\t':
			part.WriteByte(c)
		}
	}
	return append(parts, strings.TrimSpace(part.String()))
}

// Join returns the path of a key in a table; the empty path is the root.
func Join(path, part string) string {
	if path == "" {
		return part
	}
	return path + "." + part
}
