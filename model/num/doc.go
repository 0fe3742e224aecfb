// Package num is the arithmetic that every other package shares: exponentials, logarithms, powers
// and hyperbolic tangents, a fused multiply-add that rounds once, and random streams with their
// samplers.
//
// It promises the same bits on every processor and with every compiler setting. To keep that promise
// each product stands inside a conversion, `float32(x*y) + z`, so that no compiler may fuse it with a
// sum, and nothing here calls the functions of package math that differ between architectures (Exp,
// Log, Pow, Tanh, Sin, ...). Sqrt, FMA, Trunc, Frexp and bit casts are exact everywhere and are used.
// Each function states its rounding, and that statement is normative: a faster implementation may
// replace it only if it keeps every bit.
//
// Streams are plain data: they marshal to [StreamBytes] bytes and continue where they stopped.
//
// Sources of the mathematics: W. J. Cody and W. Waite, "Software Manual for the Elementary
// Functions" (1980), for the argument reductions; T. J. Dekker, "A floating-point technique for
// extending the available precision" (1971), and D. E. Knuth for the error-free sums; S. Boldo and
// G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to
// odd" (2008); D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (2021),
// for xoshiro256++; D. Lemire, "Fast random integer generation in an interval" (2019); G. Marsaglia's
// polar method for the normal distribution.
package num
