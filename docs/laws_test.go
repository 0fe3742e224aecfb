package docs

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"
)

var update = flag.Bool("update", false, "rewrite the expected findings in testdata")

// .ci/run sets it.
var withTypes = flag.Bool("types", false, "type-check the repository and apply the laws that need types, for minutes")

func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		if err := flag.Set("rewrite", "true"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func text(t *testing.T, name string) string {
	return string(must[[]byte](t)(os.ReadFile(name)))
}

func check(t *testing.T, found []finding) {
	t.Helper()
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(strings.Compare(a.at.Filename, b.at.Filename), cmp.Compare(a.at.Line, b.at.Line))
	})
	for _, f := range found {
		t.Error(f)
	}
}

// inEvery applies a law to each file.
func inEvery(all []*source, law func(*finder)) []finding {
	var found []finding
	for _, s := range all {
		f := &finder{source: s}
		law(f)
		found = append(found, f.found...)
	}
	return found
}

// typedSources are all files with types, which takes minutes on a machine that has not compiled them yet;
// what does not type-check is left out, for TestEveryPackageTypeChecks to report.
func typedSources(t *testing.T) []*source {
	t.Helper()
	if !*withTypes {
		t.Skip("it type-checks the whole repository: go test ./docs -types")
	}
	all, _ := typed()
	return all
}

func TestEveryPackageTypeChecks(t *testing.T) {
	typedSources(t)
	all, err := typed()
	if err != nil {
		t.Errorf("these packages are not checked in full:\n%v", err)
	}
	if len(all) < 3 {
		t.Errorf("%d files have types, expected the whole repository", len(all))
	}
}

func TestImportsFollowTheOrder(t *testing.T) {
	o := must[*order](t)(parseOrder(text(t, "imports.txt")))
	all := sources(t)
	g := graph(all)
	check(t, inEvery(all, func(f *finder) { o.imports(f, g) }))
}

func TestBannedImportsCallsAndStatementsStayOut(t *testing.T) {
	bans := must[[]ban](t)(parseBans(text(t, "bans.txt")))
	check(t, inEvery(sources(t), func(f *finder) {
		for _, b := range bans {
			b.find(f)
		}
	}))
}

func TestTheLedgerHoldsNoFloats(t *testing.T) {
	bans := must[[]ban](t)(parseBans(text(t, "bans.txt")))
	bans = slices.DeleteFunc(bans, func(b ban) bool { return b.kind != "type" })
	check(t, inEvery(typedSources(t), func(f *finder) {
		for _, b := range bans {
			b.find(f)
		}
	}))
}

func TestNothingDependsOnTheOrderOfAMap(t *testing.T) {
	check(t, inEvery(typedSources(t), mapOrder))
}

func TestFloatProductsAreRounded(t *testing.T) {
	check(t, inEvery(typedSources(t), products))
}

func TestFunctionsAndFilesStayShort(t *testing.T) {
	check(t, inEvery(sources(t), lengths))
}

func TestPackagesHaveAComment(t *testing.T) {
	check(t, comments(sources(t)))
}

var standard = sync.OnceValue(func() types.Importer {
	return importer.ForCompiler(token.NewFileSet(), "source", nil)
})

// snippet parses and type-checks the input of a script as the file named by its path argument.
func snippet(t *testing.T, d *datadriven.TestData, withTypes bool) *source {
	t.Helper()
	var name string
	d.ScanArgs(t, "path", &name)
	s, err := parse(name, []byte(d.Input))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	if withTypes {
		s.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
			Defs: map[*ast.Ident]types.Object{}}
		config := types.Config{Importer: standard()}
		if _, err := config.Check(name, s.fset, []*ast.File{s.syntax}, s.info); err != nil {
			d.Fatalf(t, "%v", err)
		}
	}
	return s
}

// TestEachLawCatchesItsBreach runs every law over the examples in testdata.
func TestEachLawCatchesItsBreach(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		orders := ""
		var others []*source
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var found []finding
			switch d.Cmd {
			case "order": // sets imports.txt for what follows
				orders, others = d.Input, nil
				if _, err := parseOrder(orders); err != nil {
					return err.Error() + "\n"
				}
				return "ok\n"
			case "file": // adds a file to the graph
				others = append(others, snippet(t, d, false))
				return "ok\n"
			case "imports":
				o := must[*order](t)(parseOrder(orders))
				s := snippet(t, d, false)
				g := graph(append(slices.Clone(others), s))
				found = inEvery([]*source{s}, func(f *finder) { o.imports(f, g) })
			case "bans":
				bans, err := parseBans(d.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				return fmt.Sprintf("%d bans\n", len(bans))
			case "banned":
				bans := must[[]ban](t)(parseBans(text(t, "bans.txt")))
				found = inEvery([]*source{snippet(t, d, true)}, func(f *finder) {
					for _, b := range bans {
						b.find(f)
					}
				})
			case "map-order":
				found = inEvery([]*source{snippet(t, d, true)}, mapOrder)
			case "products":
				found = inEvery([]*source{snippet(t, d, true)}, products)
			case "comments":
				found = comments([]*source{snippet(t, d, false)})
			case "words":
				found = wording("a.md", 1, d.Input, must[[]turn](t)(parseTurns(text(t, "words.txt"))))
			case "code-words":
				turns := must[[]turn](t)(parseTurns(text(t, "words.txt")))
				found = inEvery([]*source{snippet(t, d, false)}, func(f *finder) { wordingOfCode(f, turns) })
			case "turns":
				turns, err := parseTurns(d.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				return fmt.Sprintf("%d turns\n", len(turns))
			default:
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			return told(found)
		})
	})
}

func told(found []finding) string {
	if len(found) == 0 {
		return "nothing found\n"
	}
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

func TestLengthsAreCountedToTheLine(t *testing.T) {
	code := func(lines int) []byte {
		return []byte("package a\nfunc f() {" + strings.Repeat("\n", lines-1) + "}\n")
	}
	for _, c := range []struct {
		name        string
		lines, want int
	}{
		{"a/a.go", maxFunctionLines, 0},
		{"a/a.go", maxFunctionLines + 1, 1},
		{"a/a.go", maxFileLines, 2},
		{"a/a_test.go", maxFileLines, 0},
	} {
		s := must[*source](t)(parse(c.name, code(c.lines)))
		if found := inEvery([]*source{s}, lengths); len(found) != c.want {
			t.Errorf("%s of %d lines: %v, want %d findings", c.name, c.lines, found, c.want)
		}
	}
}
