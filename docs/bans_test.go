package docs

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// ban is one line of bans.txt.
type ban struct {
	kind      string // import, use, statement, type
	names     []string
	in, notIn []string
	instead   string
}

func parseBans(text string) ([]ban, error) {
	var bans []ban
	number := 0
	for line := range strings.Lines(text) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		columns := strings.Split(line, "|")
		if len(columns) != 4 {
			return nil, fmt.Errorf("bans.txt:%d: %d columns, expected \"what | where | but not in | instead\"", number, len(columns))
		}
		kind, names, _ := strings.Cut(strings.TrimSpace(columns[0]), " ")
		if !slices.Contains([]string{"import", "use", "statement", "type"}, kind) {
			return nil, fmt.Errorf("bans.txt:%d: kind %q, expected import, use, statement or type", number, kind)
		}
		bans = append(bans, ban{kind, list(names), list(columns[1]), list(columns[2]), strings.TrimSpace(columns[3])})
	}
	return bans, nil
}

func (b ban) binds(folder string) bool { return within(folder, b.in) && !within(folder, b.notIn) }

// find checks one file; only the kind type needs types.
func (b ban) find(f *finder) {
	if f.test || !b.binds(f.folder) {
		return
	}
	switch b.kind {
	case "import":
		for _, spec := range f.syntax.Imports {
			if name, err := strconv.Unquote(spec.Path.Value); err == nil && slices.Contains(b.names, name) {
				f.report(spec.Pos(), b.instead, "%s imports %s", f.folder, name)
			}
		}
	case "use":
		b.findUses(f)
	case "statement":
		b.findStatements(f)
	case "type":
		b.findTypes(f)
	}
}

func (b ban) findUses(f *finder) {
	local := map[string]string{} // the name in this file, the path of the package
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		called := path.Base(name)
		if spec.Name != nil {
			called = spec.Name.Name
		}
		local[called] = name
		banned := func(n string) bool { return strings.HasPrefix(n, name+".") }
		if called == "." && slices.ContainsFunc(b.names, banned) {
			f.report(spec.Pos(), "a named import", "%s imports all of %s into its own names", f.folder, name)
		}
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(b.names, local[x.Name]+"."+sel.Sel.Name) {
				f.report(sel.Pos(), b.instead, "%s uses %s.%s", f.folder, x.Name, sel.Sel.Name)
			}
		}
		return true
	})
}

func (b ban) findStatements(f *finder) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		word := ""
		switch n.(type) {
		case *ast.GoStmt:
			word = "go"
		case *ast.SelectStmt:
			word = "select"
		}
		if slices.Contains(b.names, word) {
			f.report(n.Pos(), b.instead, "%s has a %s statement", f.folder, word)
		}
		return true
	})
}

// findTypes reports values of a banned type, wherever they come from, once a line.
func (b ban) findTypes(f *finder) {
	if f.info == nil {
		return
	}
	last := 0
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		t := f.info.TypeOf(e)
		if t == nil || !slices.Contains(b.names, t.Underlying().String()) {
			return true
		}
		if line := f.position(e.Pos()).Line; line != last {
			f.report(e.Pos(), b.instead, "%s holds a %s", f.folder, t)
			last = line
		}
		return true
	})
}
