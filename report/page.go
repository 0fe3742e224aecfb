package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"sort"
	"strconv"
)

// PageFile is the page's name in a run's folder.
const PageFile = "report.html"

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"count":    count,
	"decimal":  decimal,
	"percent":  percent,
	"percents": func(v *Measure) string { return v.percents() },
	"tao":      func(rao uint64) string { return decimal(tao(rao), 3) },
	"style":    func() template.CSS { return template.CSS(pageStyle) },
	"script":   func() template.JS { return template.JS(pageScript) },
	"exactly":  func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) },
}).Parse(pageText))

// pageFigure is a figure as a page holds it: whole, so that the page needs no other file.
type pageFigure struct {
	Name, Title, Caption string
	Picture              template.HTML
	Marks                [][3]any // x, y and label of what can be pointed at
}

func pageFigures(made []drawn) []pageFigure {
	out := make([]pageFigure, len(made))
	for i, d := range made {
		out[i] = pageFigure{Name: d.Name, Title: d.Title, Caption: d.Caption, Picture: inline(d.SVG), Marks: [][3]any{}}
		for _, p := range d.Places {
			out[i].Marks = append(out[i].Marks, [3]any{p.X, p.Y, p.Label})
		}
	}
	return out
}

// page renders the one self-contained page of a run.
func page(m *Manifest, s *Summary, made []drawn, left []string) ([]byte, error) {
	data := struct {
		Manifest *Manifest
		Summary  *Summary
		Rules    []Line
		Verdict  []string
		Lines    []Line
		Metrics  []Metric
		Figures  []pageFigure
		Left     []string
		Glossary []Line
		Scenario string
	}{
		Manifest: m, Summary: s, Rules: rules(m), Verdict: s.Verdict(), Lines: s.Lines(), Metrics: s.Metrics(),
		Figures: pageFigures(made), Left: left, Glossary: glossary, Scenario: indented(m.Scenario),
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, data)
	return b.Bytes(), err
}

// inline cuts what stands before the svg element, which HTML does not take.
func inline(svg []byte) template.HTML {
	if i := bytes.Index(svg, []byte("<svg")); i > 0 {
		svg = svg[i:]
	}
	return template.HTML(svg)
}

func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) == 0 || json.Indent(&b, raw, "", "  ") != nil {
		return ""
	}
	return b.String()
}

// rules lists what was in force: what the manifest says of it, or, in folders that do not, the keys of
// the chain that the scenario sets.
func rules(m *Manifest) []Line {
	var tree any
	if len(m.InForce) > 0 {
		if json.Unmarshal(m.InForce, &tree) == nil {
			return flat("", tree)
		}
	}
	var scenario struct {
		Chain map[string]any `json:"chain"`
	}
	if len(m.Scenario) == 0 || json.Unmarshal(m.Scenario, &scenario) != nil {
		return nil
	}
	for key, v := range scenario.Chain { // order-free: entries are only deleted
		if v == "" || v == 0.0 {
			delete(scenario.Chain, key)
		}
	}
	return flat("", scenario.Chain)
}

// flat lists the values of a tree of JSON by their paths.
func flat(path string, v any) []Line {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v { // order-free: sorted below
			keys = append(keys, key)
		}
		sort.Strings(keys)
		var out []Line
		for _, key := range keys {
			below := key
			if path != "" {
				below = path + "." + key
			}
			out = append(out, flat(below, v[key])...)
		}
		return out
	case []any:
		var out []Line
		plain := true
		for i, one := range v {
			if _, nested := one.(map[string]any); nested {
				plain = false
				out = append(out, flat(fmt.Sprintf("%s[%d]", path, i), one)...)
			}
		}
		if plain {
			text, _ := json.Marshal(v) // what was just decoded
			return []Line{{path, string(text)}}
		}
		return out
	case float64:
		return []Line{{path, strconv.FormatFloat(v, 'f', -1, 64)}}
	case nil:
		return []Line{{path, "unset"}}
	default:
		return []Line{{path, fmt.Sprint(v)}}
	}
}
