package fixed

// Sum returns the plain sum of v.
func Sum(v []I32F32) I32F32 {
	var s I32F32
	for _, x := range v {
		s += x
	}
	return s
}

// Normalize divides v by its sum, in place; a sum of 0 leaves it as it is.
func Normalize(v []I32F32) {
	s := Sum(v)
	if s == 0 {
		return
	}
	for i, x := range v {
		v[i] = x.SafeDiv(s)
	}
}

// Upscale writes v to dst such that the largest becomes 65535, rounding halves up: the form in
// which the chain stores bonds of a column and, historically, scores.
func Upscale(dst []uint16, v []I32F32) {
	var largest I32F32
	for i, x := range v {
		if i == 0 || x > largest {
			largest = x
		}
	}
	for i, x := range v {
		dst[i] = upscale(x, largest)
	}
}

// upscale returns x in a scale in which largest is 65535.
func upscale(x, largest I32F32) uint16 {
	const full = 65535 << 32
	switch {
	case largest == 0:
		return clampU16(int64(x >> 32))
	case largest > 32768<<32: // the product below would saturate
		return clampU16(x.Mul(I32F32(full).SafeDiv(largest)).Round())
	}
	return clampU16(x.Mul(full).SafeDiv(largest).Round())
}

// UpscaleU16 scales v in place such that the largest becomes 65535: the form in which the chain
// stores a row of weights.
func UpscaleU16(v []uint16) {
	var largest uint16
	for _, x := range v {
		largest = max(largest, x)
	}
	if largest == 0 {
		return
	}
	for i, x := range v {
		v[i] = upscale(FromInt(int64(x)), FromInt(int64(largest)))
	}
}

// WithinLimit reports whether the largest of v is at most limit/65535 of their sum.
func WithinLimit[T uint16 | uint32](v []T, limit uint16) bool {
	var largest, sum uint64
	for _, x := range v {
		largest = max(largest, uint64(x))
		sum += uint64(x)
	}
	if sum == 0 {
		return true
	}
	return I32F32(largest<<32/sum) <= FromU16(limit)
}
