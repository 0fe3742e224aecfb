package fixed

const (
	e        I32F32 = 0x2_B7E1_5000 // 2.718..., cut to 23 fraction bits as in the original
	log2OfE  I32F32 = 0x1_7154_7600 // 1.442..., likewise
	expLimit I32F32 = 20 << 32
)

// Exp returns e^x for x clamped to [-20, 20] by the original's power series of 30 terms, which
// falls short by half a percent at 20.
func Exp(x I32F32) I32F32 {
	x = x.Clamp(-expLimit, expLimit)
	switch x {
	case 0:
		return One
	case One:
		return e
	}
	positive := I32F32(magnitude(x))
	sum, term := positive+One, positive
	for i := int64(2); i < 32; i++ {
		term = term.Mul(positive).SafeDiv(FromInt(i))
		sum = sum.Add(term)
	}
	if x < 0 {
		return One.SafeDiv(sum)
	}
	return sum
}

// Ln returns the natural logarithm by repeated squaring; 0 where it is not defined.
func Ln(x I32F32) I32F32 {
	if x <= 0 {
		return 0
	}
	if x < One {
		inverse, ok := One.Div(x)
		if !ok {
			return 0
		}
		return (-log2(inverse)).SafeDiv(log2OfE)
	}
	return log2(x).SafeDiv(log2OfE)
}

// log2 wants x >= 1.
func log2(x I32F32) I32F32 {
	var whole I32F32
	for x >= 2*One {
		whole++
		x = halve(x)
	}
	if x == One {
		return whole << 32
	}
	for range 32 {
		x = x.Mul(x)
		whole <<= 1
		if x >= 2*One {
			whole |= 1
			x = halve(x)
		}
	}
	return whole
}

func halve(x I32F32) I32F32 { return x>>1 + x&1 }

// Sigmoid returns 1 / (1 + exp(-rho (x - kappa))), every step saturating.
func Sigmoid(x, rho, kappa I32F32) I32F32 {
	exponent := rho.Mul(-One).Mul(x.Sub(kappa))
	return One.SafeDiv(Exp(exponent).Add(One))
}
