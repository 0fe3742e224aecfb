package docs

import (
	"go/ast"
	"go/token"
)

const (
	maxFunctionLines = 70
	maxFileLines     = 600
)

// lengths finds functions and files that do not fit in one head.
func lengths(f *finder) {
	if f.test {
		return
	}
	if f.lines > maxFileLines {
		f.report(f.syntax.Package, "one file for each topic", "%d lines, at most %d are allowed in a file", f.lines, maxFileLines)
	}
	for _, d := range f.syntax.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			n := f.position(fn.End()).Line - f.position(fn.Pos()).Line + 1
			if n > maxFunctionLines {
				f.report(fn.Pos(), "a function for each step", "%s has %d lines, at most %d are allowed in a function",
					fn.Name.Name, n, maxFunctionLines)
			}
		}
	}
}

// comments finds packages without a comment; all holds every file of the repository.
func comments(all []*source) []finding {
	var folders []string
	documented := map[string]bool{}
	for _, s := range all {
		if s.test {
			continue
		}
		if _, met := documented[s.folder]; !met {
			folders = append(folders, s.folder)
		}
		documented[s.folder] = documented[s.folder] || s.syntax.Doc != nil
	}
	var found []finding
	for _, folder := range folders {
		if !documented[folder] {
			found = append(found, finding{token.Position{Filename: folder}, "the package has no comment",
				"a doc.go that says what it promises and what it forbids"})
		}
	}
	return found
}
