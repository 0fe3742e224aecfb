package wire

import "math"

// Pay is a validator's pay for one subset.
type Pay struct {
	Subset string
	Demand float32 // share of its weight that rewards the subset
	Own    float32 // the caller's part of that share
}

// Bounds of a list of pay.
const (
	maxPaid       = 4096 // subsets
	maxSubsetName = 255  // bytes
)

// EncodePayRequest encodes a caller's question about its pay, which has no dimensions.
func EncodePayRequest() []byte { return header(payRequest, 0) }

// DecodePayRequest checks what EncodePayRequest wrote.
func DecodePayRequest(b []byte) error {
	d, err := openBody(b, payRequest)
	if err != nil {
		return err
	}
	return d.left(0)
}

// EncodePay encodes the number of subsets, and for each the length of its name, the name, and demand and own
// part as float32.
func EncodePay(list []Pay) []byte {
	b := header(payAnswer, len(list)*(2+4+4), len(list))
	for _, p := range list {
		b = append(appendSize(b, len(p.Subset)), p.Subset...)
		b = appendFloat(appendFloat(b, p.Demand), p.Own)
	}
	return b
}

// DecodePay decodes what EncodePay wrote. Shares are from 0 to 1, and nobody's part exceeds the whole.
func DecodePay(b []byte) ([]Pay, error) {
	var n int
	d, err := openBody(b, payAnswer, &n)
	if err != nil {
		return nil, err
	}
	if n > maxPaid {
		return nil, d.wrong("%d subsets, expected at most %d", n, maxPaid)
	}
	var list []Pay
	for i := range n {
		if len(d.rest()) < 2 {
			return nil, d.wrong("no bytes left, expected %d subsets, there are %d", n, i)
		}
		length := int(d.uint16())
		if length > maxSubsetName || len(d.rest()) < length+8 {
			return nil, d.wrong("%d bytes left, expected a name of %d bytes, at most %d, and two shares", len(d.rest()), length, maxSubsetName)
		}
		p := Pay{Subset: string(d.rest()[:length])}
		d.at += length
		p.Demand, p.Own = d.float(), d.float()
		if !(p.Demand >= 0 && p.Demand <= 1 && p.Own >= 0 && p.Own <= p.Demand) || math.Signbit(float64(p.Own)) || math.Signbit(float64(p.Demand)) {
			return nil, d.wrong("%v of %v for subset %d, expected a part of a share from 0 to 1", p.Own, p.Demand, i)
		}
		list = append(list, p)
	}
	return list, d.left(0)
}
