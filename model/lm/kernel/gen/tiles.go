package main

import (
	"bytes"
	"fmt"
	"math"
)

// A width is tiles of one width, one for each number of rows from 1 to most. A tile is a block of C
// that stays in registers while k runs: rows x vectors accumulators.
type width struct {
	vectors int  // 0: a single column, not a vector
	most    int  // rows of the highest tile
	upTo    int  // products of more rows go without it
	whole   bool // there are tiles all of whose columns count
	masked  bool // there are tiles whose last vector counts in its first lanes only
}

// many is at least as many rows as a product has.
const many = math.MaxInt

// A tileSet is the tiles of one instruction set, narrowest first.
type tileSet struct {
	isa    string // ends the names of its functions
	lanes  int    // float32 per vector register
	widths []width
}

// A tile is one function.
type tile struct {
	rows, vectors int
	masked        bool
}

// Enough chains of multiply-adds to hide the latency of one, few loads for each, all in registers:
// high where C is narrow, wide where it has few rows.
var (
	tilesAVX512 = tileSet{"AVX512", 16, []width{
		{vectors: 1, most: 16, upTo: many, masked: true},
		{vectors: 2, most: 8, upTo: many, whole: true, masked: true},
		{vectors: 4, most: 4, upTo: 4, whole: true},
		{vectors: 8, most: 2, upTo: 2, whole: true},
	}}
	tilesAVX2 = tileSet{"AVX2", 8, []width{
		{vectors: 1, most: 12, upTo: many, whole: true, masked: true},
		{vectors: 2, most: 6, upTo: many, whole: true, masked: true},
		{vectors: 3, most: 4, upTo: 16, whole: true},
		{vectors: 4, most: 3, upTo: 3, whole: true},
		{vectors: 8, most: 1, upTo: 1, whole: true},
	}}
	tilesNEON = tileSet{"NEON", 4, []width{
		{vectors: 0, most: 8, upTo: many, whole: true},
		{vectors: 1, most: 8, upTo: many, whole: true},
		{vectors: 2, most: 8, upTo: many, whole: true},
		{vectors: 4, most: 6, upTo: many, whole: true},
		{vectors: 8, most: 2, upTo: 2, whole: true},
	}}
)

// tiles returns every tile in the order of their numbers.
func (s tileSet) tiles() (list []tile) {
	for _, w := range s.widths {
		for rows := 1; rows <= w.most && w.whole; rows++ {
			list = append(list, tile{rows, w.vectors, false})
		}
		for rows := 1; rows <= w.most && w.masked; rows++ {
			list = append(list, tile{rows, w.vectors, true})
		}
	}
	return list
}

// function is the tile's name, local to the file.
func (s tileSet) function(t tile) string {
	name := fmt.Sprintf("tile%dx%d%s", t.rows, max(1, t.vectors*s.lanes), s.isa)
	if t.masked {
		name += "masked"
	}
	return name + "<>"
}

// table writes the addresses of the tiles.
func (s tileSet) table(e *emitter) {
	tiles := s.tiles()
	e.WriteString("\n")
	for i, t := range tiles {
		fmt.Fprintf(e, "DATA tiles%s<>+%d(SB)/8, $%s(SB)\n", s.isa, 8*i, s.function(t))
	}
	fmt.Fprintf(e, "GLOBL tiles%s<>(SB), RODATA, $%d\n", s.isa, 8*len(tiles))
	fmt.Fprintf(e, "\n// func matmulTile%s(p *panel, number int)\n", s.isa)
	fmt.Fprintf(e, "TEXT ·matmulTile%s(SB), NOSPLIT, $0-16\n", s.isa)
}

// declarations writes what Go must know of the tiles.
func (s tileSet) declarations(out *bytes.Buffer) {
	fmt.Fprintf(out, "\n// matmulTile%s computes a panel with the tile of a number.\n//\n"+
		"//go:noescape\nfunc matmulTile%s(p *panel, number int)\n\n", s.isa, s.isa)
	fmt.Fprintf(out, "var widths%s = [...]width{\n", s.isa)
	number := 0
	for _, w := range s.widths {
		whole, masked := -1, -1
		if w.whole {
			whole, number = number, number+w.most
		}
		if w.masked {
			masked, number = number, number+w.most
		}
		if !w.whole { // all lanes are a mask too
			whole = masked
		}
		fmt.Fprintf(out, "\t{cols: %d, most: %d, upTo: %d, whole: %d, masked: %d},\n",
			max(1, w.vectors*s.lanes), w.most, w.upTo, whole, masked)
	}
	out.WriteString("}\n")
}
