package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// figure is one picture: a grid of panels under a title and a legend, and the numbers that it shows.
type figure struct {
	name    string // of the files, without ending
	title   string
	caption string // a sentence or two for the page
	height  vg.Length
	panels  []*plot.Plot // row by row
	cols    int          // panels in a row; 0 stands for 1
	legend  []key
	bar     *colourBar     // next to the panels, or nil
	marks   []mark         // what a reader can point at
	places  []place        // of the marks, as drawn last
	areas   []vg.Rectangle // of the panels' data, as drawn last

	columns []string // header of the CSV, units included
	data    [][]string
}

// key is one entry of a legend.
type key struct {
	label string
	line  *draw.LineStyle
	glyph *draw.GlyphStyle
}

// mark is a point of a panel's data with the words that tell what it is.
type mark struct {
	panel int
	x, y  float64
	label string
}

// place is where a mark stands in the picture, in points from its upper left corner.
type place struct {
	X, Y  float64
	Label string
}

// maxMarks bounds the marks of one figure; of more every n-th is kept.
const maxMarks = 1500

// point names a place of a panel for readers who point at it.
func (f *figure) point(panel int, x, y float64, format string, values ...any) {
	f.marks = append(f.marks, mark{panel, x, y, fmt.Sprintf(format, values...)})
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
	cols := max(f.cols, 1)
	var grid [][]*plot.Plot
	for from := 0; from < len(f.panels); from += cols {
		row := make([]*plot.Plot, cols)
		copy(row, f.panels[from:])
		grid = append(grid, row)
	}
	_, height := f.size()
	tiles := draw.Tiles{Rows: len(grid), Cols: cols, PadY: 10, PadX: 12}
	canvases := plot.Align(grid, tiles, c)
	f.areas = f.areas[:0]
	for i, p := range f.panels {
		p.Draw(canvases[i/cols][i%cols])
		f.areas = append(f.areas, p.DataCanvas(canvases[i/cols][i%cols]).Rectangle)
	}
	f.locate(canvases, height)
}

// locate finds where the marks stand.
func (f *figure) locate(canvases [][]draw.Canvas, height vg.Length) {
	cols := max(f.cols, 1)
	every := len(f.marks)/maxMarks + 1
	f.places = f.places[:0]
	for i := 0; i < len(f.marks); i += every {
		m := f.marks[i]
		p := f.panels[m.panel]
		area := p.DataCanvas(canvases[m.panel/cols][m.panel%cols])
		x, y := p.Transforms(&area)
		f.places = append(f.places, place{tenths(x(m.x)), tenths(height - y(m.y)), m.label})
	}
}

// tenths rounds to a tenth of a point, which is enough to point at.
func tenths(v vg.Length) float64 { return math.Round(10*v.Points()) / 10 }

// drawLegend writes the keys in rows across the canvas and returns the height that they took.
func (f *figure) drawLegend(c draw.Canvas) vg.Length {
	if len(f.legend) == 0 {
		return 0
	}
	const thumb, gap, line = vg.Length(22), vg.Length(16), vg.Length(16)
	style := text(tickSize, draw.XLeft, draw.YCenter)
	x, y := c.Min.X, c.Max.Y-line/2
	for _, k := range f.legend {
		thumb := thumb + 5
		if k.line == nil && k.glyph == nil {
			thumb = 0
		}
		width := thumb + style.Width(k.label)
		if x+width > c.Max.X && x > c.Min.X {
			x, y = c.Min.X, y-line
		}
		if k.line != nil {
			c.StrokeLine2(*k.line, x, y, x+thumb-5, y)
		}
		if k.glyph != nil {
			c.DrawGlyph(*k.glyph, vg.Point{X: x + (thumb-5)/2, Y: y})
		}
		c.FillText(style, vg.Point{X: x + thumb, Y: y + textLift}, k.label)
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

// svgMended adds to an SVG what the drawing library leaves out: fonts of the same metrics for viewers
// without Liberation Sans, and that images fill their frames.
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
	Places               []place
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
			d.SVG, d.Places = b, slices.Clone(f.places)
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
		f.incomeFigure, f.incentiveFigure, f.earningsFigure, f.moneyFigure, f.validatorsFigure, f.lossFigure,
		f.subsetsFigure, f.topicsFigure, f.abilityFigure, f.choiceFigure, f.routingFigure, f.consensusFigure, f.weightsFigure,
		f.bondsFigure, f.seatsFigure, f.ownersFigure, f.serviceFigure, f.emissionFigure, f.supplyFigure, f.sharesFigure,
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
