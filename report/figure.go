package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// figure is one picture: panels over each other under a title and a legend, and the numbers that
// it shows.
type figure struct {
	name    string // of the files, without ending
	title   string
	caption string // one sentence for the page
	height  vg.Length
	panels  []*plot.Plot
	legend  []key
	bar     *colourBar // beside the panels, or nil

	columns []string // header of the CSV, units included
	data    [][]string
}

// key is one entry of a legend.
type key struct {
	label string
	line  *draw.LineStyle
	glyph *draw.GlyphStyle
}

// row adds one line to the figure's data; floats are printed so that they read back exactly.
func (f *figure) row(values ...any) {
	line := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case float64:
			line[i] = strconv.FormatFloat(v, 'g', -1, 64)
		case float32:
			line[i] = strconv.FormatFloat(float64(v), 'g', -1, 32)
		default:
			line[i] = fmt.Sprint(v)
		}
	}
	f.data = append(f.data, line)
}

// draw lays the figure out: title, legend, then the panels with their axes aligned.
func (f *figure) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	title := text(titleSize, draw.XLeft, draw.YTop)
	title.Font = face(titleSize, true)
	c.FillText(title, vg.Point{X: c.Min.X, Y: c.Max.Y}, f.title)
	c = draw.Crop(c, 0, 0, 0, -(titleSize + 10))
	c = draw.Crop(c, 0, 0, 0, -f.drawLegend(c))
	if f.bar != nil {
		f.bar.draw(draw.Crop(c, c.Max.X-c.Min.X-colourBarWidth, 0, 0, 0), f.panels[0])
		c = draw.Crop(c, 0, -colourBarWidth, 0, 0)
	}
	c = draw.Crop(c, 0, -6, 0, 0) // half a tick label may stand over the right end of the axis
	grid := make([][]*plot.Plot, len(f.panels))
	for i, p := range f.panels {
		grid[i] = []*plot.Plot{p}
	}
	tiles := draw.Tiles{Rows: len(f.panels), Cols: 1, PadY: 10}
	for i, row := range plot.Align(grid, tiles, c) {
		f.panels[i].Draw(row[0])
	}
}

// drawLegend writes the keys in rows across the canvas and returns the height that they took.
func (f *figure) drawLegend(c draw.Canvas) vg.Length {
	if len(f.legend) == 0 {
		return 0
	}
	const thumb, gap, line = vg.Length(22), vg.Length(16), vg.Length(16)
	style := text(tickSize, draw.XLeft, draw.YCenter)
	x, y := c.Min.X, c.Max.Y-line/2
	for _, k := range f.legend {
		width := thumb + 5 + style.Width(k.label)
		if x+width > c.Max.X && x > c.Min.X {
			x, y = c.Min.X, y-line
		}
		if k.line != nil {
			c.StrokeLine2(*k.line, x, y, x+thumb, y)
		}
		if k.glyph != nil {
			c.DrawGlyph(*k.glyph, vg.Point{X: x + thumb/2, Y: y})
		}
		c.FillText(style, vg.Point{X: x + thumb + 5, Y: y + textLift}, k.label)
		x += width + gap
	}
	return c.Max.Y - y + line/2 + 6
}

func (f *figure) size() (width, height vg.Length) {
	if f.height > 0 {
		return figureWidth, f.height
	}
	return figureWidth, figureHeight
}

func (f *figure) svg() ([]byte, error) {
	w, h := f.size()
	c := vgsvg.NewWith(vgsvg.UseWH(w, h))
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, err
	}
	return []byte(svgMended.Replace(b.String())), nil
}

// svgMended says what the drawing library leaves out: fonts of the same measures for viewers without
// Liberation Sans, and that images fill their frames.
var svgMended = strings.NewReplacer(
	"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arimo,Helvetica,Arial,sans-serif;",
	"<image ", `<image preserveAspectRatio="none" `,
)

func (f *figure) png() ([]byte, error) {
	w, h := f.size()
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(figureDPI))
	f.draw(draw.New(c))
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(&b)
	return b.Bytes(), err
}

func (f *figure) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := errors.Join(w.Write(f.columns), w.WriteAll(f.data))
	return b.Bytes(), err
}

// drawn is a finished figure, for the page.
type drawn struct {
	Name, Title, Caption string
	SVG                  []byte
}

// save writes the figure's three files into dir.
func (f *figure) save(dir string) (drawn, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return drawn{}, err
	}
	d := drawn{Name: f.name, Title: f.title, Caption: f.caption}
	for _, made := range []struct {
		ending string
		make   func() ([]byte, error)
	}{{".svg", f.svg}, {".png", f.png}, {".csv", f.csv}} {
		b, err := made.make()
		if err != nil {
			return drawn{}, fmt.Errorf("figure %s%s: %w", f.name, made.ending, err)
		}
		if made.ending == ".svg" {
			d.SVG = b
		}
		if err := writeWhole(disk(dir), f.name+made.ending, b); err != nil {
			return drawn{}, fmt.Errorf("%s: %w", filepath.Join(dir, f.name+made.ending), err)
		}
	}
	return d, nil
}

// noFigure says why a figure is left out.
type noFigure struct{ name, why string }

func (n *noFigure) Error() string { return n.name + ": " + n.why }

func without(name string, why ...string) error {
	return &noFigure{name, strings.Join(why, " ")}
}

// figures makes every figure that the findings allow, and says of each other why it is left out.
func (f *findings) figures() (made []*figure, left []string) {
	for _, make := range []func() (*figure, error){
		f.lossFigure, f.incentiveFigure, f.emissionFigure, f.validatorsFigure,
		f.weightsFigure, f.bondsFigure, f.serviceFigure, f.routingFigure,
	} {
		fig, err := make()
		if err != nil {
			left = append(left, err.Error())
			continue
		}
		for _, p := range fig.panels {
			roundOut(&p.Y)
		}
		made = append(made, fig)
	}
	return made, left
}
