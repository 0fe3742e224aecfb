package report

import (
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A figure is 8 inches wide and has 150 pixels to the inch: 1,200 pixels, with text of at least 10
// points.
const (
	figureWidth  = 8 * vg.Inch
	figureHeight = 5 * vg.Inch
	figureDPI    = 150
	titleSize    = vg.Length(13)
	labelSize    = vg.Length(11.5)
	tickSize     = vg.Length(10.5)
	margin       = vg.Length(12)
	textLift     = vg.Length(1) // centred text stands a little low
)

// okabeIto is the colour-blind-safe palette of Okabe and Ito, without its yellow, which is too pale
// for lines on white.
var okabeIto = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x00, 0x9e, 0x73, 0xff}, // bluish green
	{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
	{0xd5, 0x5e, 0x00, 0xff}, // vermillion
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x7a, 0x7a, 0x7a, 0xff}, // grey
}

var (
	ink      = color.RGBA{0x22, 0x22, 0x22, 0xff}
	axisInk  = color.RGBA{0x55, 0x55, 0x55, 0xff}
	gridInk  = color.RGBA{0xe4, 0xe4, 0xe4, 0xff}
	emptyInk = color.RGBA{0xf1, 0xf1, 0xf1, 0xff}
)

// glyphs tell series apart where colours do not.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, polygon{4, math.Pi / 4, 1.2}, polygon{3, math.Pi / 2, 1.4}, polygon{4, 0, 1.3},
	polygon{3, -math.Pi / 2, 1.4}, polygon{6, 0, 1.15}, polygon{5, math.Pi / 2, 1.2},
}

// polygon is a filled regular polygon with its first corner at an angle.
type polygon struct {
	corners     int
	angle, size float64
}

func (g polygon) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.SetColor(s.Color)
	var p vg.Path
	for i := range g.corners {
		sin, cos := math.Sincos(g.angle + 2*math.Pi*float64(i)/float64(g.corners))
		r := s.Radius * vg.Length(g.size)
		corner := vg.Point{X: at.X + r*vg.Length(cos), Y: at.Y + r*vg.Length(sin)}
		if i == 0 {
			p.Move(corner)
		} else {
			p.Line(corner)
		}
	}
	p.Close()
	c.Fill(p)
}

// boldWeight is what the font library calls bold.
const boldWeight = 3

func face(size vg.Length, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = boldWeight
	}
	return f
}

func text(size vg.Length, x draw.XAlignment, y draw.YAlignment) draw.TextStyle {
	return draw.TextStyle{Color: ink, Font: face(size, false), XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler}
}

// newPanel is an empty plot in the house style: a light grid, thin axes, readable numbers.
func newPanel(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = face(labelSize, false)
		axis.Label.TextStyle.Color = ink
		axis.Label.Padding = 4
		axis.Tick.Label.Font = face(tickSize, false)
		axis.Tick.Label.Color = ink
		axis.Tick.LineStyle = draw.LineStyle{Color: axisInk, Width: 0.6}
		axis.Tick.Length = 4
		axis.LineStyle = draw.LineStyle{Color: axisInk, Width: 0.8}
		axis.Padding = 6
		axis.Tick.Marker = ticks(5)
	}
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: gridInk, Width: 0.6}
	grid.Vertical = draw.LineStyle{}
	p.Add(grid)
	return p
}

func lineStyle(c color.Color, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width}
}

func dashed(c color.Color, width vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: width, Dashes: []vg.Length{5, 3}}
}

// pale mixes a colour with white: strength 1 is the colour itself.
func pale(c color.RGBA, strength float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(255 - strength*(255-float64(v))) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

// ticks marks about this many round numbers, labelled with the decimals that their step needs and
// a thin space between thousands.
type ticks int

func (n ticks) Ticks(low, high float64) []plot.Tick {
	if !(high > low) || math.IsInf(high-low, 0) {
		return []plot.Tick{{Value: low, Label: decimal(low, 3)}}
	}
	step := roundStep((high - low) / float64(n))
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var out []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9; i++ {
		out = append(out, plot.Tick{Value: i * step, Label: decimal(i*step, decimals)})
	}
	return out
}

// roundStep is 1, 2 or 5 times a power of ten, about as large as v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v < m*power*math.Sqrt2 {
			return m * power
		}
	}
	return 10 * power
}

// roundOut widens an axis to whole steps of its ticks, so that marks stand at both ends of the data.
func roundOut(a *plot.Axis) {
	n, ok := a.Tick.Marker.(ticks)
	if !ok || math.IsInf(a.Max-a.Min, 0) {
		return
	}
	if a.Min == a.Max {
		wide := max(math.Abs(a.Min)/10, 1e-6)
		a.Min, a.Max = a.Min-wide, a.Max+wide
	}
	for range 4 { // a wider axis may have longer steps
		step := roundStep((a.Max - a.Min) / float64(n))
		a.Min = step * math.Floor(a.Min/step+1e-9)
		a.Max = step * math.Ceil(a.Max/step-1e-9)
	}
}

// decimal prints a number with a real minus sign and thin spaces between thousands.
func decimal(v float64, decimals int) string {
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	out := thousands(whole, "\u2009")
	if v < 0 && strings.Trim(s, "0.") != "" {
		out = "−" + out
	}
	if fraction != "" {
		out += "." + fraction
	}
	return out
}

// thousands parts more than four digits by threes.
func thousands(digits, space string) string {
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && len(digits) > 4 && (len(digits)-i)%3 == 0 {
			b.WriteString(space)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// decades marks powers of ten of an axis whose values are log10 already, with the places between
// unlabelled.
type decades struct{ zero float64 } // where 0 is drawn, if it is; NaN otherwise

func (d decades) Ticks(low, high float64) []plot.Tick {
	var out []plot.Tick
	if !math.IsNaN(d.zero) {
		out = append(out, plot.Tick{Value: d.zero, Label: "0"})
	}
	from := low
	if !math.IsNaN(d.zero) {
		from = max(low, d.zero+0.5)
	}
	every := max(1, int(math.Ceil((high-low)/8)))
	for e := int(math.Floor(from)); float64(e) <= high+1e-9; e++ {
		for m := 1; m < 10; m++ {
			at := float64(e) + math.Log10(float64(m))
			if at < from-1e-9 || at > high+1e-9 {
				continue
			}
			t := plot.Tick{Value: at}
			if label := m == 1 && e%every == 0; label || high-from < 1.5 && (m == 2 || m == 5) {
				t.Label = decimal(float64(m)*math.Pow(10, float64(e)), max(0, -e))
			}
			out = append(out, t)
		}
	}
	return out
}
