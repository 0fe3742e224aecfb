package conformance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"taolab/model/golden"
	"taolab/sim/chain"
	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
	"taolab/sim/chain/registration"
)

// TestTheReferenceOfTransitionsIsCurrent makes docs/reference/transition.md of its frame in
// testdata: tables of fields with their comments, samples, codes.
func TestTheReferenceOfTransitionsIsCurrent(t *testing.T) {
	frame, err := os.ReadFile("testdata/transition.md")
	if err != nil {
		t.Fatal(err)
	}
	structs := structsOf(t, "..", ".")
	holes := regexp.MustCompile(`\{\{(.*?)\}\}`)
	want := holes.ReplaceAllStringFunc(string(frame), func(hole string) string {
		words := strings.Fields(strings.Trim(hole, "{}"))
		switch words[0] {
		case "fields":
			return fieldTable(t, structs, words[1], words[2])
		case "messages":
			return namedTables(t, structs, messages)
		case "events":
			return namedTables(t, structs, events)
		case "codes":
			return codeTable()
		case "texts":
			return textTable()
		case "version":
			b, err := sampleState(t).AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(b[0])
		case "sample":
			return strings.TrimSpace(string(sampleFiles(words[1])[0].Text))
		case "outcome":
			done, err := sampleBlock(t).Apply(sampleState(t))
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimSpace(string(done.AppendJSON(nil, nil)))
		}
		t.Fatalf("%s: no such hole", hole)
		return ""
	})
	golden.Compare(t, filepath.Join("..", "..", "..", "docs", "reference", "transition.md"), want)
}

type fieldDoc struct{ name, kind, doc string }

type structDoc struct {
	doc    string
	fields []fieldDoc
}

// structsOf reads the structs of packages with their comments.
func structsOf(t *testing.T, folders ...string) map[string]structDoc {
	found := map[string]structDoc{}
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if d, ok := n.(*ast.GenDecl); ok {
					for _, spec := range d.Specs {
						if t, ok := spec.(*ast.TypeSpec); ok {
							if s, ok := t.Type.(*ast.StructType); ok {
								found[t.Name.Name] = structDoc{t.Doc.Text(), fieldsOf(s)}
								if t.Doc == nil { // of a type on its own
									found[t.Name.Name] = structDoc{d.Doc.Text(), fieldsOf(s)}
								}
							}
						}
					}
				}
				return true
			})
		}
	}
	return found
}

func fieldsOf(s *ast.StructType) (fields []fieldDoc) {
	for _, f := range s.Fields.List {
		doc := strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text())
		for _, name := range f.Names {
			kind := types.ExprString(f.Type)
			if kind == "string" || !strings.ContainsAny(kind, "[]") && strings.ToLower(kind) != kind &&
				reflectsText(kind) {
				kind = "text"
			}
			fields = append(fields, fieldDoc{key(name.Name), kind, strings.Join(strings.Fields(doc), " ")})
		}
	}
	return fields
}

// reflectsText reports whether a type of the parameters is a kind of text.
func reflectsText(kind string) bool {
	p := reflect.TypeFor[chain.Params]()
	for i := range p.NumField() {
		if f := p.Field(i).Type; f.Kind() == reflect.String && (f.Name() == kind || f.String() == kind) {
			return true
		}
	}
	return false
}

func fieldTable(t *testing.T, structs map[string]structDoc, name, title string) string {
	s, ok := structs[name]
	if !ok {
		t.Fatalf("no struct %s", name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | type | meaning |\n| --- | --- | --- |\n", title)
	for _, f := range s.fields {
		kind := f.kind
		if list, ok := strings.CutPrefix(kind, "[]"); ok {
			kind = "list of `" + list + "`"
		} else if kind != "text" {
			kind = "`" + kind + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, kind, f.doc)
	}
	return strings.TrimSpace(b.String())
}

// namedTables has a table for each kind of message or event.
func namedTables(t *testing.T, structs map[string]structDoc, kinds []any) string {
	var parts []string
	for _, k := range kinds {
		name := reflect.TypeOf(k).Name()
		s, ok := structs[name]
		if !ok {
			t.Fatalf("no struct %s", name)
		}
		text := fmt.Sprintf("`%s`", key(name))
		if m, ok := k.(chain.Msg); ok {
			text += fmt.Sprintf(" (%d)", kindNumber(t, m))
		}
		doc := strings.TrimPrefix(strings.Join(strings.Fields(s.doc), " "), name+" ")
		text += ": " + doc
		if len(s.fields) > 0 {
			text += "\n\n" + fieldTable(t, structs, name, "member")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n\n")
}

// kindNumber is the byte that says the kind in a transaction.
func kindNumber(t *testing.T, m chain.Msg) byte {
	k, _ := keyOf(1)
	b, err := chain.Sign(sampleChain, k, 0, 0, m).AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b[1]
}

func textTable() string {
	var b strings.Builder
	b.WriteString("| params | one of |\n| --- | --- |\n")
	for _, row := range []struct {
		name   string
		values string
	}{
		{"rule", fmt.Sprintf("%q", consensus.Names())},
		{"epoch_due", fmt.Sprintf("%q", []chain.EpochDue{chain.DueSinceLast, chain.DueByHeight})},
		{"prune_by", fmt.Sprintf("%q", []chain.PruneBy{chain.PruneByEmission, chain.PruneByScore,
			chain.PruneByScoreLast, chain.PruneByStakeOrIncentive})},
		{"seal", fmt.Sprintf("%q", registration.Seals())},
		{"adjust_by", fmt.Sprintf("%q", []chain.AdjustBy{chain.AdjustByTarget, chain.AdjustByTarget2023, chain.AdjustByDoubleHalve})},
		{"burn_rule", fmt.Sprintf("%q", []chain.BurnRule{chain.BurnByDemand, chain.BurnByInterval})},
		{"emission", fmt.Sprintf("%q", emission.Rules())},
	} {
		list := strings.ReplaceAll(strings.Trim(row.values, "[]"), "\" \"", "`, `")
		fmt.Fprintf(&b, "| `%s` | %s |\n", row.name, strings.ReplaceAll(list, "\"", "`"))
	}
	return strings.TrimSpace(b.String())
}

func codeTable() string {
	var b strings.Builder
	b.WriteString("| code | text, with `have` and `want` as n in this order |\n| --- | --- |\n")
	for _, c := range chain.Codes() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Name(), c.Error())
	}
	return strings.TrimSpace(b.String())
}
