package design

import (
	_ "embed"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"sync"

	"taolab/model/num"
)

const (
	// MaxDimensions is the number of dimensions that directions.txt covers.
	MaxDimensions = 1024

	// MaxSobolKeys is the number of keys of a Sobol design: each key takes two dimensions.
	MaxSobolKeys = MaxDimensions / 2
)

//go:embed directions.txt
var directionText string

// directions returns the direction integers of all dimensions: bit b from the top of entry j makes stratum 2**-b.
var directions = sync.OnceValue(func() *[MaxDimensions][32]uint32 {
	var v [MaxDimensions][32]uint32
	for j := range v[0] {
		v[0][j] = 1 << (31 - j) // van der Corput
	}
	d := 1
	for line := range strings.Lines(directionText) {
		if !strings.HasPrefix(line, "#") {
			expand(&v[d], strings.Fields(line))
			d++
		}
	}
	return &v
})

// expand fills a dimension's direction integers from its degree, its polynomial and its initial numbers.
func expand(v *[32]uint32, fields []string) {
	number := func(i int) uint32 {
		n, err := strconv.ParseUint(fields[i], 10, 32)
		if err != nil {
			panic("design: directions.txt: " + err.Error())
		}
		return uint32(n)
	}
	s, a := int(number(0)), number(1)
	for j := range v {
		if j < s {
			v[j] = number(2+j) << (31 - j)
			continue
		}
		v[j] = v[j-s] ^ v[j-s]>>s
		for l := 1; l < s; l++ {
			if a>>(s-1-l)&1 == 1 {
				v[j] ^= v[j-l]
			}
		}
	}
}

// Scramble is the method that randomises a Sobol sequence.
type Scramble string

const (
	Shift Scramble = "shift" // all points of a dimension XOR one random number; the default
	Owen  Scramble = "owen"  // nested: each bit is flipped at random by the bits above it
)

// Sobol is a design of a randomised Sobol sequence. Key j takes dimension 2j in matrix A and 2j+1 in matrix B.
type Sobol struct {
	Seed     uint64
	Keys     []string
	Scramble Scramble // Shift if empty

	// Randomisation numbers independent randomisations of the same net, from 0.
	Randomisation int
}

// Points returns the n points of matrix A, a design by themselves, and those of matrix B, which sensitivity needs
// as well. n must be a power of two, and the net's first point is kept: otherwise it would not be a net.
func (s Sobol) Points(n int) (a, b [][]float64, err error) {
	if err := s.check(n); err != nil {
		return nil, nil, err
	}
	a, b = rows(n, len(s.Keys)), rows(n, len(s.Keys))
	for j, key := range s.Keys {
		stream := num.NewStream(s.Seed, "design/sobol/"+key)
		if s.Randomisation > 0 {
			stream = stream.Sub("randomisation/" + strconv.Itoa(s.Randomisation))
		}
		for m, matrix := range [][][]float64{a, b} {
			random := stream.Uint64()
			for i, x := range sequence(2*j+m, n) {
				if s.Scramble == Owen {
					x = owen(random, x)
				} else {
					x ^= uint32(random >> 32)
				}
				matrix[i][j] = (float64(x) + 0.5) / (1 << 32)
			}
		}
	}
	return a, b, nil
}

// check returns an error unless the design has n points.
func (s Sobol) check(n int) error {
	if err := checkSize(s.Keys, n); err != nil {
		return err
	}
	if len(s.Keys) > MaxSobolKeys {
		return fmt.Errorf("%d keys: a Sobol design has at most %d, two dimensions each", len(s.Keys), MaxSobolKeys)
	}
	if n&(n-1) != 0 {
		next := 1 << bits.Len(uint(n))
		return fmt.Errorf("%d points: a Sobol design needs a power of two, or its points are not spread evenly: take %d or %d",
			n, next/2, next)
	}
	if s.Scramble != "" && s.Scramble != Shift && s.Scramble != Owen {
		return fmt.Errorf("scramble %q: expected %q or %q", s.Scramble, Shift, Owen)
	}
	if s.Randomisation < 0 {
		return fmt.Errorf("randomisation %d: expected 0 or more", s.Randomisation)
	}
	return nil
}

// sequence returns the first n numbers of a dimension in Gray-code order, as fractions of 2**32.
func sequence(dimension, n int) []uint32 {
	v := &directions()[dimension]
	x := make([]uint32, n)
	for i := 1; i < n; i++ {
		x[i] = x[i-1] ^ v[bits.TrailingZeros(uint(i))]
	}
	return x
}

// owen scrambles x so that bit b from the top is flipped by a hash of key and of the b bits above it.
func owen(key uint64, x uint32) uint32 {
	scrambled := x
	for b := range 32 {
		above := uint64(1)<<b | uint64(x)>>(32-b)
		scrambled ^= uint32(mix(key+above*0x9E3779B97F4A7C15)>>63) << (31 - b)
	}
	return scrambled
}

// mix is the finaliser of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
