package docs

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// freeMaps are the folders whose output does not depend on the order of events.
var freeMaps = []string{"report", "cmd/..."}

// mapOrder finds loops over maps and their keys, whose order differs from run to run.
func mapOrder(f *finder) {
	if f.test || within(f.folder, freeMaps) {
		return
	}
	excused := f.commentsWith("order-free:")
	sorted := map[ast.Node]bool{} // arguments of the functions that sort what they collect
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if strings.HasPrefix(f.function(n), "slices.Sorted") && len(n.Args) > 0 {
				sorted[n.Args[0]] = true
			}
			switch name := f.function(n); name {
			case "maps.Keys", "maps.Values", "maps.All":
				if !sorted[n] && !f.excuses(excused, n) {
					f.report(n.Pos(), "slices.Sorted of it, or a slice in a stated order", "%s comes in any order", name)
				}
			}
		case *ast.RangeStmt:
			t := f.info.TypeOf(n.X)
			if t == nil || f.excuses(excused, n) {
				return true
			}
			if mayBe(t, isMap) {
				f.report(n.Pos(), "loop over slices.Sorted(maps.Keys(m)) or over a slice, or say in a comment "+
					"above \"// order-free: why\"", "a loop over a map runs in any order")
			}
		}
		return true
	})
}

// function is the name of the function that a call calls, with its package.
func (s *source) function(call *ast.CallExpr) string {
	fun := call.Fun
	if i, ok := fun.(*ast.IndexExpr); ok {
		fun = i.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	object := s.info.Uses[sel.Sel]
	if object == nil || object.Pkg() == nil {
		return ""
	}
	return object.Pkg().Path() + "." + object.Name()
}

// commentsWith are the lines on which a comment starts with a mark and goes on.
func (s *source) commentsWith(mark string) map[int]bool {
	lines := map[int]bool{}
	for _, group := range s.syntax.Comments {
		for _, c := range group.List {
			rest, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(c.Text, "//")), mark)
			if ok && strings.TrimSpace(rest) != "" {
				lines[s.position(group.End()).Line] = true
			}
		}
	}
	return lines
}

// excuses reports whether the line of n or the one above carries an excuse.
func (s *source) excuses(lines map[int]bool, n ast.Node) bool {
	line := s.position(n.Pos()).Line
	return lines[line] || lines[line-1]
}

// mayBe reports whether is holds for a type or, for a type parameter, for any type it may stand for.
func mayBe(t types.Type, is func(types.Type) bool) bool {
	switch u := t.(type) {
	case *types.TypeParam:
		return mayBe(u.Constraint(), is)
	case *types.Union:
		for term := range u.Terms() {
			if mayBe(term.Type(), is) {
				return true
			}
		}
		return false
	}
	if i, ok := t.Underlying().(*types.Interface); ok {
		for e := range i.EmbeddedTypes() {
			if mayBe(e, is) {
				return true
			}
		}
		return false
	}
	return is(t.Underlying())
}

func isMap(t types.Type) bool {
	_, ok := t.(*types.Map)
	return ok
}

func isFloat(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

// products finds float products that the compiler may fuse into a sum, which some machines do and
// others do not: only a conversion around a product rounds it.
func products(f *finder) {
	if f.test || within(f.folder, []string{"report"}) {
		return
	}
	rounded := map[ast.Expr]bool{}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if tv, ok := f.info.Types[n.Fun]; ok && tv.IsType() && mayBe(tv.Type, isFloat) && len(n.Args) == 1 {
				rounded[ast.Unparen(n.Args[0])] = true
			}
		case *ast.BinaryExpr:
			tv := f.info.Types[n]
			if n.Op == token.MUL && tv.Type != nil && tv.Value == nil && mayBe(tv.Type, isFloat) && !rounded[n] {
				f.report(n.OpPos, f.name(tv.Type)+"(x*y), with the product alone inside",
					"a float product that is not rounded by a conversion")
			}
		case *ast.AssignStmt:
			if n.Tok != token.MUL_ASSIGN {
				return true
			}
			if t := f.info.TypeOf(n.Lhs[0]); t != nil && mayBe(t, isFloat) {
				f.report(n.TokPos, "x = "+f.name(t)+"(x*y)", "*= on a float is not rounded by a conversion")
			}
		}
		return true
	})
}

func (s *source) name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}
