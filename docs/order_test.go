package docs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// order is what imports.txt says.
type order struct {
	below     map[string][]string // what a folder may import, closed over the chain
	forbidden map[string][]string
	outside   map[string][]string // modules from outside, where a line limits them
	limited   map[string]bool     // folders with such a line
}

// parseOrder reads the lines of imports.txt: "a, b < c, d < e", "forbidden: a -> b, c" and
// "outside: a, b -> c".
func parseOrder(text string) (*order, error) {
	o := &order{map[string][]string{}, map[string][]string{}, map[string][]string{}, map[string]bool{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if kind, rest, ok := strings.Cut(line, ":"); ok {
			from, to, ok := strings.Cut(rest, "->")
			if !ok || kind != "forbidden" && kind != "outside" {
				return nil, fmt.Errorf("imports.txt:%d: %q, expected \"forbidden: a -> b\" or \"outside: a -> b\"", number, line)
			}
			for _, folder := range list(from) {
				if kind == "outside" {
					o.limited[folder] = true
					o.outside[folder] = append(o.outside[folder], list(to)...)
				} else {
					o.forbidden[folder] = append(o.forbidden[folder], list(to)...)
				}
			}
			continue
		}
		floors := strings.Split(line, "<")
		if len(floors) < 2 {
			return nil, fmt.Errorf("imports.txt:%d: %q, expected \"a < b\"", number, line)
		}
		for i, upper := range floors[1:] {
			for _, folder := range list(upper) {
				o.below[folder] = append(o.below[folder], list(floors[i])...)
			}
		}
	}
	return o, o.close()
}

// close lets every folder import what its imports may import.
func (o *order) close() error {
	const open, done = 1, 2
	state := map[string]int{}
	var visit func(folder string) error
	visit = func(folder string) error {
		if state[folder] == open {
			return fmt.Errorf("imports.txt: %s stands above itself", folder)
		}
		if state[folder] == done {
			return nil
		}
		state[folder] = open
		for _, lower := range slices.Clone(o.below[folder]) {
			if err := visit(lower); err != nil {
				return err
			}
			o.below[folder] = append(o.below[folder], o.below[lower]...)
		}
		slices.Sort(o.below[folder])
		o.below[folder] = slices.Compact(o.below[folder])
		state[folder] = done
		return nil
	}
	for _, folder := range slices.Sorted(maps.Keys(o.below)) {
		if err := visit(folder); err != nil {
			return err
		}
	}
	return nil
}

// graph is who imports whom within the module, tests left out.
func graph(all []*source) map[string][]string {
	g := map[string][]string{}
	for _, s := range all {
		if !s.test {
			g[s.folder] = append(g[s.folder], s.own()...)
		}
	}
	return g
}

// own lists the folders of this module that a file imports.
func (s *source) own() []string {
	var folders []string
	for _, spec := range s.syntax.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil && strings.HasPrefix(name, module+"/") {
			folders = append(folders, strings.TrimPrefix(name, module+"/"))
		}
	}
	return folders
}

// reaches reports whether target can be reached from folder along g.
func reaches(g map[string][]string, folder, target string, seen map[string]bool) bool {
	if folder == target {
		return true
	}
	if seen[folder] {
		return false
	}
	seen[folder] = true
	return slices.ContainsFunc(g[folder], func(next string) bool { return reaches(g, next, target, seen) })
}

// imports finds what the order does not allow, in tests too; outside modules count outside tests.
func (o *order) imports(f *finder, g map[string][]string) {
	allowed := o.below[f.folder]
	for _, spec := range f.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		folder, own := strings.CutPrefix(name, module+"/")
		if !own {
			third := strings.Contains(strings.SplitN(name, "/", 2)[0], ".")
			if third && !f.test && o.limited[f.folder] && !slices.Contains(o.outside[f.folder], name) {
				f.report(spec.Pos(), "the standard library or our own, or a line \"outside:\" in docs/imports.txt",
					"%s imports %s from outside", f.folder, name)
			}
			continue
		}
		if folder != f.folder && !slices.Contains(allowed, folder) {
			may := "nothing of this module"
			if len(allowed) > 0 {
				may = strings.Join(allowed, ", ")
			}
			f.report(spec.Pos(), "it may import "+may+" (docs/imports.txt)", "%s imports %s", f.folder, folder)
			continue
		}
		for _, banned := range o.forbidden[f.folder] {
			if reaches(g, folder, banned, map[string]bool{}) {
				f.report(spec.Pos(), "let "+banned+" import what both need, or pass it in",
					"%s reaches %s through %s, which docs/imports.txt forbids", f.folder, banned, folder)
			}
		}
	}
}
