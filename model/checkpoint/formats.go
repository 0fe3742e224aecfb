package checkpoint

import (
	"encoding/binary"
	"math"
)

// decoders convert a format's numbers to float32 exactly.
var decoders = map[string]func(raw []byte, x []float32){
	"F32": func(raw []byte, x []float32) {
		for i := range len(raw) / 4 {
			x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	},
	"F16": func(raw []byte, x []float32) {
		for i := range len(raw) / 2 {
			x[i] = half(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	},
	"BF16": func(raw []byte, x []float32) {
		for i := range len(raw) / 2 {
			x[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	},
}

// half is the value of an IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // a multiple of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(float32(fraction)*0x1p-24)))
	case 31: // infinity or NaN
		return math.Float32frombits(sign | 255<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
