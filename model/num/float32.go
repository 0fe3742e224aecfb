package num

// Exp32 is filled in below its final contract.
func Exp32(x float32) float32 { return float32(Exp(float64(x))) }

// Log32 returns Log(x) rounded to float32.
func Log32(x float32) float32 { return float32(Log(float64(x))) }

// Tanh32 returns Tanh(x) rounded to float32.
func Tanh32(x float32) float32 { return float32(Tanh(float64(x))) }

// Pow32 returns Pow(x, y) rounded to float32.
func Pow32(x, y float32) float32 { return float32(Pow(float64(x), float64(y))) }
