package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
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
	inForce := rules(m)
	data := struct {
		Manifest *Manifest
		Summary  *Summary
		Rules    []Rule
		Leading  []Rule
		Verdict  []string
		Lines    []Line
		Metrics  []Metric
		Figures  []pageFigure
		Left     []string
		Glossary []Line
		Scenario string
	}{
		Manifest: m, Summary: s, Rules: inForce, Leading: inForce[:min(len(inForce), leading)], Verdict: s.Verdict(), Lines: s.Lines(), Metrics: s.Metrics(),
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

// Rule is one rule or parameter that a run used, as the manifest's in_force lists them.
type Rule struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Note  string `json:"note,omitempty"`
}

// leading is how many rules a page shows unfolded.
const leading = 12

// rules lists what was in force: what the manifest says of it, or, in folders that do not, the keys of
// the chain that the scenario sets.
func rules(m *Manifest) []Rule {
	var list []Rule
	if len(m.InForce) > 0 && json.Unmarshal(m.InForce, &list) == nil {
		return list
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
	keys := slices.Sorted(maps.Keys(scenario.Chain))
	for _, key := range keys {
		list = append(list, Rule{Name: key, Value: fmt.Sprint(scenario.Chain[key])})
	}
	return list
}
