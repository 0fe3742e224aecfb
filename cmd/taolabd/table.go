package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"taolab/cmd/internal/command"
)

// A table is text in columns: numbers stand to the right.
type table struct {
	heads []string
	left  map[int]bool // columns of words
	rows  [][]string
}

// columns begins a table; a head that begins with < is of words.
func columns(heads ...string) *table {
	t := &table{left: map[int]bool{}}
	for i, head := range heads {
		name, words := strings.CutPrefix(head, "<")
		t.left[i] = words
		t.heads = append(t.heads, name)
	}
	return t
}

func (t *table) row(cells ...any) {
	var texts []string
	for _, c := range cells {
		texts = append(texts, fmt.Sprint(c))
	}
	t.rows = append(t.rows, texts)
}

// write writes the table with its heads.
func (t *table) write(w io.Writer) error {
	widths := make([]int, len(t.heads))
	all := append([][]string{t.heads}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range all {
		line := ""
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line += "  "
			}
			if t.left[i] {
				line += cell + pad
			} else {
				line += pad + cell
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return command.Code(command.Failure, err)
}
