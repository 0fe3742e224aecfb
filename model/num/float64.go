package num

import "math"

// Exp returns e**x.
func Exp(x float64) float64 { return math.Exp(x) }

// Log returns the natural logarithm of x.
func Log(x float64) float64 { return math.Log(x) }

// Tanh returns the hyperbolic tangent of x.
func Tanh(x float64) float64 { return math.Tanh(x) }

// Pow returns x**y.
func Pow(x, y float64) float64 { return math.Pow(x, y) }
