package kernel

// kBlock is how many rows of B a panel runs through before the next panel follows: 256 rows of 32
// columns are 32 KiB, which stay in the first-level cache while the rows of A pass by.
const kBlock = 256

// A panel is as many columns of C as a tile is wide, blocks of rows one below the other, over k steps.
// Strides are in bytes.
type panel struct {
	a, b, c                          *float32
	start                            *float32 // what C starts from, row by row; nil: zero
	plus                             *float32 // a row to add to that, or nil
	blocks, k                        int
	aRow, aCol, bRow, cRow, startRow int
	lanes                            int // of the last vector of a masked tile
}

// A width is tiles of one width, with one row to most rows. Their numbers follow each other; whole is
// that of one row where all columns count, masked where only the first of the last vector do.
type width struct {
	cols, most    int
	upTo          int // rows of the products that use it
	whole, masked int // -1: there are none
}

// fit returns the width for the next columns of a product of m rows: the narrowest that covers what
// is left, or else the widest.
func fit(widths []width, m, left int) (w *width) {
	for i := range widths {
		next := &widths[i]
		if left < next.cols && next.masked < 0 {
			break
		}
		if m > next.upTo {
			continue
		}
		if w = next; w.cols >= left {
			break
		}
	}
	return w
}

// size is that of an element in bytes.
const size = 4

// matmulTiles is MatMul in assembly, for sizes above zero that need has checked. It works off C
// panel by panel, a panel in blocks of equal height or nearly so.
func matmulTiles(of *Product) {
	m, n, k := of.sizes()
	aRow, aCol := of.strides()
	a, b, c, bRow, cRow, start := of.A.Data, of.B.Data, of.C.Data, of.B.Stride, of.C.Stride, of.Start
	widths, lanes := tiles()
	p := panel{aRow: size * aRow, aCol: size * aCol, bRow: size * bRow, cRow: size * cRow}
	for from := 0; from < k; from += kBlock {
		p.k = min(kBlock, k-from)
		for j := 0; j < n; {
			w := fit(widths, m, n-j)
			number := w.whole
			if n-j < w.cols {
				number = w.masked
			}
			p.lanes = min(n-j-w.cols+lanes, lanes)
			p.b = &b[from*bRow+j]
			height := m
			for i := 0; i < m; i += p.blocks * height {
				height, p.blocks = cut(m, i, w.most)
				p.a, p.c = &a[i*aRow+from*aCol], &c[i*cRow+j]
				p.begin(start, of.Bias, j)
				matmulTile(&p, number+height-1)
			}
			j += w.cols
		}
		start = Keep
	}
}

// cut divides m rows into as few blocks as possible, whose heights differ by at most one, the higher
// ones first, and returns the height of the block at row i and the number of its kind.
func cut(m, i, most int) (height, blocks int) {
	if m <= most {
		return m, 1
	}
	blocks = (m + most - 1) / most
	height, higher := m/blocks, m%blocks
	if i == 0 && higher > 0 {
		return height + 1, higher
	}
	return height, blocks - higher
}

// begin sets what the panel starts from, whose first column is column j of C.
func (p *panel) begin(start Start, bias []float32, j int) {
	p.plus = nil
	switch start {
	case Zero:
		p.start = nil
	case Bias:
		p.start, p.startRow = &bias[j], 0
	case KeepPlusBias:
		p.plus = &bias[j]
		fallthrough
	case Keep:
		p.start, p.startRow = p.c, p.cRow
	}
}
