package fixed

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// forEachVector checks all vectors of a function, of which there are so many. They were made by
// executing the mathematics of opentensor/subtensor.
func forEachVector[In, Out any](t *testing.T, function string, cases int,
	check func(t *testing.T, in In, out Out)) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "vectors", "fixed_point_math.json")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie next to the repository", path)
	}
	var file struct {
		Vectors map[string][]struct{ In, Out json.RawMessage }
	}
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := len(file.Vectors[function]); n != cases {
		t.Fatalf("%d vectors of %s, want %d", n, function, cases)
	}
	for _, v := range file.Vectors[function] {
		var in In
		var out Out
		if err := json.Unmarshal(v.In, &in); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(v.Out, &out); err != nil {
			t.Fatal(err)
		}
		check(t, in, out)
	}
}

type one struct{ X I32F32 }
type two struct{ A, B I32F32 }
type many struct{ V []I32F32 }

func equal[T comparable](t *testing.T, in any, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%+v: %v, want %v", in, got, want)
	}
}

func TestArithmeticHasTheBitsOfTheOriginal(t *testing.T) {
	t.Run("mul", func(t *testing.T) {
		forEachVector(t, "mul", 12, func(t *testing.T, in two, out I32F32) {
			equal(t, in, in.A.Mul(in.B), out)
		})
	})
	t.Run("div", func(t *testing.T) {
		forEachVector(t, "div", 12, func(t *testing.T, in two, out I32F32) {
			equal(t, in, in.A.SafeDiv(in.B), out)
		})
	})
	t.Run("exp", func(t *testing.T) {
		forEachVector(t, "exp_safe", 12, func(t *testing.T, in one, out I32F32) {
			equal(t, in, Exp(in.X), out)
		})
	})
	t.Run("ln", func(t *testing.T) {
		forEachVector(t, "ln", 6, func(t *testing.T, in one, out I32F32) { equal(t, in, Ln(in.X), out) })
	})
	t.Run("sigmoid", func(t *testing.T) {
		forEachVector(t, "sigmoid_safe", 32, func(t *testing.T, in struct {
			X, Rho, Kappa I32F32
		}, out I32F32) {
			equal(t, in, Sigmoid(in.X, in.Rho, in.Kappa), out)
		})
	})
	t.Run("kappa", func(t *testing.T) {
		forEachVector(t, "kappa", 4, func(t *testing.T, in struct {
			Kappa uint16 `json:"kappa_u16"`
		}, out I32F32) {
			equal(t, in, FromU16(in.Kappa), out)
		})
	})
	t.Run("from u16", func(t *testing.T) {
		forEachVector(t, "u16_proportion_to_fixed", 6, func(t *testing.T, in struct{ X uint16 }, out I32F32) {
			equal(t, in, FromU16(in.X), out)
		})
	})
	t.Run("to u16", func(t *testing.T) {
		forEachVector(t, "fixed_proportion_to_u16", 12, func(t *testing.T, in one, out uint16) {
			equal(t, in, in.X.U16(), out)
		})
	})
}

func TestVectorFunctionsHaveTheBitsOfTheOriginal(t *testing.T) {
	t.Run("normalize", func(t *testing.T) {
		forEachVector(t, "normalize", 6, func(t *testing.T, in many, out []I32F32) {
			got := slices.Clone(in.V)
			Normalize(got)
			if !slices.Equal(got, out) {
				t.Errorf("%v: %v, want %v", in.V, got, out)
			}
		})
	})
	t.Run("upscale", func(t *testing.T) {
		forEachVector(t, "vec_max_upscale_to_u16", 10, func(t *testing.T, in many, out []uint16) {
			got := make([]uint16, len(in.V))
			Upscale(got, in.V)
			if !slices.Equal(got, out) {
				t.Errorf("%v: %v, want %v", in.V, got, out)
			}
		})
	})
	t.Run("upscale u16", func(t *testing.T) {
		forEachVector(t, "vec_u16_max_upscale_to_u16", 18, func(t *testing.T, in struct {
			V []uint16
		}, out []uint16) {
			got := slices.Clone(in.V)
			UpscaleU16(got)
			if !slices.Equal(got, out) {
				t.Errorf("%v: %v, want %v", in.V, got, out)
			}
		})
	})
	t.Run("limit", func(t *testing.T) {
		forEachVector(t, "check_vec_max_limited", 7, func(t *testing.T, in struct {
			V     []uint16
			Limit uint16 `json:"max_limit"`
		}, out bool) {
			equal(t, in, WithinLimit(in.V, in.Limit), out)
		})
	})
}
