package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"taolab/sim/trace"
)

// entry is one number of a matrix between neurons.
type entry struct {
	from, to uint16
	value    float64
}

// weightsFigure shows the weights of the last epoch as shares of their rows.
func (f *findings) weightsFigure() (*figure, error) {
	if len(f.weights) == 0 {
		return nil, without("weights", "table", string(trace.Weights), "was not recorded")
	}
	sums := make(map[uint16]float64)
	for _, w := range f.weights {
		sums[w.From] += float64(w.Weight)
	}
	var entries []entry
	for _, w := range f.weights {
		entries = append(entries, entry{w.From, w.To, 100 * float64(w.Weight) / max(sums[w.From], 1)})
	}
	return f.matrixFigure(&figure{
		name: "weights", title: fmt.Sprintf("Weights at epoch %d", f.weights[0].Epoch),
		caption: "Weight that each validator puts on each miner at the last recorded epoch, as a share of its " +
			"row; grey is no weight.",
		columns: []string{"validator (uid)", "miner (uid)", "weight (% of the row)"},
	}, "share of the row (%)", entries)
}

// bondsFigure shows the bonds after the last epoch.
func (f *findings) bondsFigure() (*figure, error) {
	if len(f.bonds) == 0 {
		return nil, without("bonds", "table", string(trace.Bonds), "was not recorded")
	}
	var entries []entry
	for _, b := range f.bonds {
		entries = append(entries, entry{b.From, b.To, float64(b.Bond) / math.MaxUint16})
	}
	return f.matrixFigure(&figure{
		name: "bonds", title: fmt.Sprintf("Bonds after epoch %d", f.bonds[0].Epoch),
		caption: "Bond of each validator in each miner after the last recorded epoch, 1 being the largest that " +
			"can be stored; grey is no bond.",
		columns: []string{"validator (uid)", "miner (uid)", "bond"},
	}, "bond (1 = 65535)", entries)
}

func (f *findings) matrixFigure(fig *figure, scale string, entries []entry) (*figure, error) {
	var rows, cols []uint16
	high := 0.0
	for _, v := range f.voters {
		rows = append(rows, v.node.UID)
	}
	for _, m := range f.miners {
		cols = append(cols, m.node.UID)
	}
	for _, e := range entries {
		rows, cols = append(rows, e.from), append(cols, e.to)
		high = max(high, e.value)
		fig.row(e.from, e.to, e.value)
	}
	rows, cols = unique(rows), unique(cols)
	if high == 0 {
		high = 1
	}
	cells := make([]float64, len(rows)*len(cols))
	for i := range cells {
		cells[i] = math.NaN()
	}
	for _, e := range entries {
		r, _ := slices.BinarySearch(rows, e.from)
		c, _ := slices.BinarySearch(cols, e.to)
		cells[r*len(cols)+c] = e.value
	}
	p := newPanel("miner (uid)", "validator (uid)")
	p.Add(plotter.NewImage(heat(cells, len(rows), len(cols), high), -0.5, -0.5,
		float64(len(cols))-0.5, float64(len(rows))-0.5))
	p.X.Tick.Marker, p.Y.Tick.Marker = uidTicks{cols, 16}, uidTicks{rows, 16}
	p.X.Padding, p.Y.Padding = 0, 0
	fig.panels, fig.bar = []*plot.Plot{p}, &colourBar{scale, high}
	fig.height = vg.Length(min(max(150+16*float64(len(rows)), 230), 420))
	return fig, nil
}

func unique(uids []uint16) []uint16 {
	slices.Sort(uids)
	return slices.Compact(uids)
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

// uidTicks labels places of a matrix by uid, about as many as fit.
type uidTicks struct {
	uids []uint16
	most int
}

func (u uidTicks) Ticks(_, _ float64) []plot.Tick {
	every := 1
	for _, step := range []int{1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 200, 256, 500, 512, 1000, 4096} {
		if every = step; len(u.uids) <= u.most*step {
			break
		}
	}
	var out []plot.Tick
	for i := 0; i < len(u.uids); i += every {
		out = append(out, plot.Tick{Value: float64(i), Label: strconv.Itoa(int(u.uids[i]))})
	}
	return out
}

// colourBarWidth is the room that a colour bar takes with its numbers and label.
const colourBarWidth = vg.Length(84)

// colourBar is the scale beside a matrix, from 0 to high.
type colourBar struct {
	label string
	high  float64
}

// draw puts the bar into the canvas, as high as the data of the panel beside it.
func (b *colourBar) draw(c draw.Canvas, beside *plot.Plot) {
	const width = vg.Length(13)
	data := beside.DataCanvas(c)
	left, bottom, top := c.Min.X+16, data.Min.Y, data.Max.Y
	const steps = 256
	img := image.NewRGBA(image.Rect(0, 0, 1, steps))
	for y := range steps {
		img.SetRGBA(0, y, viridis(1-float64(y)/(steps-1)))
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
