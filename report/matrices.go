package report

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"taolab/sim/trace"
)

// weightsFigure shows the weights as shares of their rows.
func (f *findings) weightsFigure() (*figure, error) {
	if f.weights.epochs == 0 {
		return nil, without("weights", "table", string(trace.Weights), "was not recorded in the window")
	}
	entries := f.weights.entries()
	for i := range entries {
		entries[i].value *= 100
	}
	return f.matrixFigure(&figure{
		name: "weights", title: "Weights of validators on miners",
		caption: fmt.Sprintf("Weight that each validator puts on each miner as a share of its row, mean over %d epochs of "+
			"the window; grey is not a weight.", f.weights.epochs),
		columns: []string{"validator", "miner", "weight (% of the row)"},
	}, "share of the row (%)", entries)
}

// bondsFigure shows the bonds.
func (f *findings) bondsFigure() (*figure, error) {
	if f.bonds.epochs == 0 {
		return nil, without("bonds", "table", string(trace.Bonds), "was not recorded in the window")
	}
	entries := f.bonds.entries()
	high := 0.0
	for i := range entries {
		entries[i].value /= math.MaxUint16
		high = max(high, entries[i].value)
	}
	scale := "bond (1 = 65535)"
	if high > 1 { // nakamoto bonds are rao
		scale = "bond (TAO)"
		for i := range entries {
			entries[i].value *= math.MaxUint16 / raoPerTAO
		}
	}
	return f.matrixFigure(&figure{
		name: "bonds", title: "Bonds of validators in miners",
		caption: fmt.Sprintf("Bond of each validator in each miner, mean over %d epochs of the window; grey is not a bond.",
			f.bonds.epochs),
		columns: []string{"validator", "miner", scale},
	}, scale, entries)
}

// nameOf is the name of a place in a matrix.
func (f *findings) nameOf(place int) string {
	if place < 0 {
		return fmt.Sprintf("uid %d", -1-place)
	}
	return f.nodes[place].Name
}

// groupOf is the group of a place in a matrix.
func (f *findings) groupOf(place int) string {
	if place < 0 {
		return "no node"
	}
	return f.nodes[place].group()
}

// inGroups sorts places of a matrix by group, in the order of the scenario.
func (f *findings) inGroups(places []int) []int {
	order := func(place int) int {
		if place < 0 {
			return len(f.parties)
		}
		return slices.IndexFunc(f.parties, func(p *party) bool { return p.name == f.nodes[place].group() })
	}
	slices.SortFunc(places, func(a, b int) int { return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a, b)) })
	return slices.Compact(places)
}

func (f *findings) matrixFigure(fig *figure, scale string, entries []entry) (*figure, error) {
	var rows, cols []int
	low, high := math.Inf(1), 0.0
	for _, e := range entries {
		rows, cols = append(rows, e.from), append(cols, e.to)
		low, high = min(low, e.value), max(high, e.value)
		fig.row(f.nameOf(e.from), f.nameOf(e.to), e.value)
	}
	rows, cols = f.inGroups(rows), f.inGroups(cols)
	switch whole := len(rows) * len(cols); {
	case whole < 2:
		return nil, without(fig.name, "one validator and one miner make no picture")
	case len(entries) == whole && high-low <= 1e-9*high:
		return nil, without(fig.name, fmt.Sprintf("all %d of them are %s (%s)", whole, brief(high), scale))
	}
	if high == 0 {
		high = 1
	}
	rowOf, colOf := placesOf(rows), placesOf(cols)
	fields := make([]float64, len(rows)*len(cols))
	for i := range fields {
		fields[i] = math.NaN()
	}
	for _, e := range entries {
		r, c := rowOf[e.from], colOf[e.to]
		fields[r*len(cols)+c] = e.value
		fig.point(0, float64(c), float64(r), "%s on %s: %s", f.nameOf(e.from), f.nameOf(e.to), brief(e.value))
	}
	p := newPanel("miners", "validators")
	p.Add(plotter.NewImage(heat(fields, len(rows), len(cols), high), -0.5, -0.5,
		float64(len(cols))-0.5, float64(len(rows))-0.5))
	across, up := f.bands(cols, 8), f.bands(rows, 12)
	p.Add(&fences{across, up, len(cols), len(rows)})
	p.X.Tick.Marker, p.Y.Tick.Marker = across, up
	p.X.Padding, p.Y.Padding, p.X.Tick.Width, p.Y.Tick.Width = 0, 0, 0, 0
	fig.panels, fig.bar = []*plot.Plot{p}, &colourBar{scale, high, false}
	fig.height = vg.Length(min(max(150+16*float64(len(rows)), 230), 420))
	return fig, nil
}

func placesOf(list []int) map[int]int {
	out := make(map[int]int, len(list))
	for i, v := range list {
		out[v] = i
	}
	return out
}

// band is a group's stretch of a matrix's axis.
type band struct {
	name       string
	from, past int
}

// bands labels an axis of a matrix by group.
type bands []band

func (f *findings) bands(places []int, most int) bands {
	var out bands
	for i, place := range places {
		name := f.groupOf(place)
		if len(out) == 0 || out[len(out)-1].name != name {
			out = append(out, band{name, i, i})
		}
		out[len(out)-1].past = i + 1
	}
	for len(out) > most { // too many to read: every other name goes
		for i := 1; i < len(out); i++ {
			out[i-1].past = out[i].past
			out = slices.Delete(out, i, i+1)
		}
	}
	return out
}

func (b bands) Ticks(_, _ float64) []plot.Tick {
	var out []plot.Tick
	for _, one := range b {
		out = append(out, plot.Tick{Value: float64(one.from+one.past-1) / 2, Label: one.name})
	}
	return out
}

// fences are the lines between the groups of a matrix.
type fences struct {
	across, up bands
	cols, rows int
}

func (g *fences) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := lineStyle(color.White, 1)
	for _, b := range g.across[:len(g.across)-1] {
		at := x(float64(b.past) - 0.5)
		c.StrokeLine2(style, at, c.Min.Y, at, c.Max.Y)
	}
	for _, b := range g.up[:len(g.up)-1] {
		at := y(float64(b.past) - 0.5)
		c.StrokeLine2(style, c.Min.X, at, c.Max.X, at)
	}
}

// heat paints a matrix with its first row at the bottom, each cell as a block of whole pixels: a
// viewer that smooths images would blur single ones.
func heat(cells []float64, rows, cols int, high float64) image.Image {
	dx, dy := max(1, 1600/cols), max(1, 800/rows)
	img := image.NewRGBA(image.Rect(0, 0, cols*dx, rows*dy))
	for y := range rows * dy {
		for x := range cols * dx {
			v := cells[(rows-1-y/dy)*cols+x/dx]
			c := emptyInk
			if !math.IsNaN(v) {
				c = viridis(v / high)
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// colourBarWidth is the room that a colour bar takes with its numbers and label.
const colourBarWidth = vg.Length(84)

// colourBar is the scale next to a matrix, from 0 to high.
type colourBar struct {
	label string
	high  float64
	down  bool // the brightest colour is 0
}

// draw puts the bar into the canvas, as high as the data of the panel next to it.
func (b *colourBar) draw(c draw.Canvas, beside *plot.Plot) {
	const width = vg.Length(13)
	data := beside.DataCanvas(c)
	left, bottom, top := c.Min.X+16, data.Min.Y, data.Max.Y
	const steps = 256
	img := image.NewRGBA(image.Rect(0, 0, 1, steps))
	for y := range steps {
		tone := 1 - float64(y)/(steps-1)
		if b.down {
			tone = 1 - tone
		}
		img.SetRGBA(0, y, viridis(tone))
	}
	frame := vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: left + width, Y: top}}
	c.DrawImage(frame, img)
	line := lineStyle(axisInk, 0.6)
	style := text(tickSize, draw.XLeft, draw.YCenter)
	widest := vg.Length(0)
	for _, t := range ticks(5).Ticks(0, b.high) {
		y := bottom + (top-bottom)*vg.Length(t.Value/b.high)
		c.StrokeLine2(line, left+width, y, left+width+4, y)
		c.FillText(style, vg.Point{X: left + width + 7, Y: y + textLift}, t.Label)
		widest = max(widest, style.Width(t.Label))
	}
	label := text(labelSize, draw.XCenter, draw.YTop)
	label.Rotation = math.Pi / 2
	c.FillText(label, vg.Point{X: left + width + 12 + widest, Y: (bottom + top) / 2}, b.label)
}

// viridis is the colour of a value from 0 to 1, between eleven samples of the map of that name.
func viridis(v float64) color.RGBA {
	at := min(max(v, 0), 1) * float64(len(viridisSamples)-1)
	i := min(int(at), len(viridisSamples)-2)
	t := at - float64(i)
	a, b := viridisSamples[i], viridisSamples[i+1]
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + t*(float64(y)-float64(x)))) }
	return color.RGBA{mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2]), 0xff}
}

var viridisSamples = [11][3]uint8{
	{0x44, 0x01, 0x54}, {0x48, 0x24, 0x75}, {0x41, 0x44, 0x87}, {0x35, 0x5f, 0x8d}, {0x2a, 0x78, 0x8e},
	{0x21, 0x91, 0x8c}, {0x22, 0xa8, 0x84}, {0x44, 0xbf, 0x70}, {0x7a, 0xd1, 0x51}, {0xbd, 0xdf, 0x26},
	{0xfd, 0xe7, 0x25},
}
