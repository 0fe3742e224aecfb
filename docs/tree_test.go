package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "taolab"

// source is one Go file. Its path and folder are relative to the root of the repository.
type source struct {
	path, folder string
	test         bool
	fset         *token.FileSet
	syntax       *ast.File
	lines        int
	info         *types.Info // nil where the law needs no types
}

func (s *source) position(p token.Pos) token.Position {
	at := s.fset.Position(p)
	at.Filename = s.path
	return at
}

// finding is one breach of a law.
type finding struct {
	at             token.Position
	wrong, instead string
}

func (f finding) String() string {
	where := f.at.Filename
	if f.at.Line > 0 {
		where = fmt.Sprintf("%s:%d", where, f.at.Line)
	}
	return fmt.Sprintf("%s: %s; instead: %s", where, f.wrong, f.instead)
}

// finder collects the findings in one file.
type finder struct {
	*source
	found []finding
}

func (f *finder) report(p token.Pos, instead, wrong string, args ...any) {
	f.found = append(f.found, finding{f.position(p), fmt.Sprintf(wrong, args...), instead})
}

func parse(name string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return newSource(name, fset, syntax), nil
}

func newSource(name string, fset *token.FileSet, syntax *ast.File) *source {
	return &source{
		path: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		fset: fset, syntax: syntax, lines: fset.File(syntax.FileStart).LineCount(),
	}
}

// root is the top of the repository as seen from this package.
const root = ".."

// texts returns the paths of the files that people write, Go or not, without testdata.
func texts(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && d.Name() != root
		if d.IsDir() && (hidden || d.Name() == "testdata") {
			return fs.SkipDir
		}
		endings := []string{".go", ".s", ".md", ".toml", ".txt", ".cff"}
		if d.Type().IsRegular() && slices.Contains(endings, filepath.Ext(name)) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func relative(name string) string {
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return name
	}
	return filepath.ToSlash(rel)
}

// sources parses every Go file of the repository, whatever its build constraints.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	for _, name := range texts(t) {
		if filepath.Ext(name) != ".go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parse(relative(name), text)
		if err != nil {
			t.Errorf("%v; a file that does not parse obeys no law", err)
			continue
		}
		all = append(all, s)
	}
	if len(all) < 3 {
		t.Fatalf("found %d Go files below %s, expected the whole repository", len(all), root)
	}
	return all
}

// typed loads the non-test files of the repository with their types. Files that only another
// architecture builds are loaded for that one. The error joins what does not type-check.
var typed = sync.OnceValues(func() (all []*source, err error) {
	again, err := load(&all, "", "./...")
	if len(again) == 0 {
		return all, err
	}
	other := "arm64"
	if runtime.GOARCH == other {
		other = "amd64"
	}
	_, err2 := load(&all, other, again...)
	return all, errors.Join(err, err2)
})

// listed is what "go list" says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, IgnoredGoFiles []string
	Error                   *struct{ Err string }
}

// load appends what it loads to all, each file once, and returns the packages that left files out.
func load(all *[]*source, arch string, patterns ...string) (left []string, err error) {
	args := []string{"list", "-e", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,IgnoredGoFiles,Error"}
	command := exec.Command("go", append(args, patterns...)...)
	command.Dir = root
	if arch != "" {
		command.Env = append(os.Environ(), "GOARCH="+arch, "CGO_ENABLED=0")
	}
	var talk bytes.Buffer
	command.Stderr = &talk
	answer, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, talk.String())
	}
	exports := map[string]string{}
	var own []listed
	for d := json.NewDecoder(bytes.NewReader(answer)); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/") {
			own = append(own, p)
		}
	}
	fset := token.NewFileSet()
	compiled := importer.ForCompiler(fset, "gc", func(name string) (io.ReadCloser, error) {
		if exports[name] == "" {
			return nil, fmt.Errorf("%s does not compile", name)
		}
		return os.Open(exports[name])
	})
	var problems []error
	for _, p := range own {
		problems = append(problems, p.check(all, fset, compiled))
		if len(p.IgnoredGoFiles) > 0 {
			left = append(left, p.ImportPath)
		}
	}
	return left, errors.Join(problems...)
}

// check type-checks a package and appends its files.
func (p listed) check(all *[]*source, fset *token.FileSet, compiled types.Importer) error {
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Defs: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: compiled}).Check(p.ImportPath, fset, files, info); err != nil {
		return fmt.Errorf("%s: %w", p.ImportPath, err)
	}
	folder := strings.TrimPrefix(p.ImportPath, module+"/")
	for i, file := range files {
		s := newSource(path.Join(folder, p.GoFiles[i]), fset, file)
		s.info = info
		if !slices.ContainsFunc(*all, func(met *source) bool { return met.path == s.path }) {
			*all = append(*all, s)
		}
	}
	return nil
}

// within reports whether a folder meets one of the patterns of bans.txt.
func within(folder string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		tree, all := strings.CutSuffix(p, "...")
		tree = strings.TrimSuffix(tree, "/")
		return folder == tree || p == folder || all && (tree == "" || strings.HasPrefix(folder, tree+"/"))
	})
}

// list splits names at commas.
func list(text string) []string {
	var names []string
	for _, n := range strings.Split(text, ",") {
		if n = strings.TrimSpace(n); n != "" && n != "NONE" {
			names = append(names, n)
		}
	}
	return names
}
