package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
)

// PageFile is the page's name in a run's folder.
const PageFile = "report.html"

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"count":   count,
	"decimal": decimal,
	"percent": percent,
	"tao":     func(rao uint64) string { return decimal(tao(rao), 3) },
}).Parse(pageText))

// pageFigure is a figure as the page holds it: whole, so that the page needs no other file.
type pageFigure struct {
	Name, Title, Caption string
	Picture              template.HTML
}

// page renders the one self-contained page of a run.
func page(m *Manifest, s *Summary, made []drawn, left []string) ([]byte, error) {
	data := struct {
		Manifest *Manifest
		Summary  *Summary
		Cards    []Line
		Lines    []Line
		Figures  []pageFigure
		Left     []string
		Scenario string
	}{Manifest: m, Summary: s, Cards: cards(s), Lines: s.Lines(), Left: left, Scenario: indented(m.Scenario)}
	for _, d := range made {
		data.Figures = append(data.Figures, pageFigure{d.Name, d.Title, d.Caption, inline(d.SVG)})
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

// cards are the numbers that a reader looks for first.
func cards(s *Summary) []Line {
	var out []Line
	if l := s.Loss; l != nil {
		out = append(out, Line{"median held-out loss, nats/token", decimal(l.Median.Estimate, 3)})
		if l.Base > 0 {
			out = append(out, Line{"below the base models, nats/token", decimal(l.Base-l.Median.Estimate, 3)})
		}
	}
	if len(s.Correlations) > 0 {
		out = append(out, Line{"Spearman of loss and incentive", decimal(s.Correlations[0].Spearman.Estimate, 2)})
	}
	if p := s.Supply; p != nil {
		out = append(out, Line{"of all money unaccounted for", signed(p.DifferenceRao) + " rao"})
	}
	for _, b := range s.Behaviours {
		switch {
		case b.Behaviour == Honest:
		case b.PeerRatio != nil:
			label := fmt.Sprintf("of the incentive of honest miners alike, for %s ones", b.Behaviour)
			out = append(out, Line{label, percent(*b.PeerRatio)})
		case b.Ratio != nil:
			label := fmt.Sprintf("of the incentive of honest miners, for %s ones", b.Behaviour)
			out = append(out, Line{label, percent(*b.Ratio)})
		}
	}
	return out
}
