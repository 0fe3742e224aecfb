package fixed

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The vectors were made by executing the mathematics of opentensor/subtensor.
func forEachVector[In, Out any](t *testing.T, function string, check func(t *testing.T, in In, out Out)) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "vectors", "fixed_point_math.json")
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not there: the vectors lie beside the repository", path)
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
	if len(file.Vectors[function]) == 0 {
		t.Fatalf("no vectors of %s", function)
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
		forEachVector(t, "mul", func(t *testing.T, in two, out I32F32) { equal(t, in, in.A.Mul(in.B), out) })
	})
	t.Run("div", func(t *testing.T) {
		forEachVector(t, "div", func(t *testing.T, in two, out I32F32) { equal(t, in, in.A.SafeDiv(in.B), out) })
	})
	t.Run("exp", func(t *testing.T) {
		forEachVector(t, "exp_safe", func(t *testing.T, in one, out I32F32) { equal(t, in, Exp(in.X), out) })
	})
	t.Run("ln", func(t *testing.T) {
		forEachVector(t, "ln", func(t *testing.T, in one, out I32F32) { equal(t, in, Ln(in.X), out) })
	})
	t.Run("sigmoid", func(t *testing.T) {
		forEachVector(t, "sigmoid_safe", func(t *testing.T, in struct{ X, Rho, Kappa I32F32 }, out I32F32) {
			equal(t, in, Sigmoid(in.X, in.Rho, in.Kappa), out)
		})
	})
	t.Run("kappa", func(t *testing.T) {
		forEachVector(t, "kappa", func(t *testing.T, in struct {
			Kappa uint16 `json:"kappa_u16"`
		}, out I32F32) {
			equal(t, in, FromU16(in.Kappa), out)
		})
	})
	t.Run("from u16", func(t *testing.T) {
		forEachVector(t, "u16_proportion_to_fixed", func(t *testing.T, in struct{ X uint16 }, out I32F32) {
			equal(t, in, FromU16(in.X), out)
		})
	})
	t.Run("to u16", func(t *testing.T) {
		forEachVector(t, "fixed_proportion_to_u16", func(t *testing.T, in one, out uint16) {
			equal(t, in, in.X.U16(), out)
		})
	})
}

func TestVectorFunctionsHaveTheBitsOfTheOriginal(t *testing.T) {
	t.Run("normalize", func(t *testing.T) {
		forEachVector(t, "normalize", func(t *testing.T, in many, out []I32F32) {
			got := slices.Clone(in.V)
			Normalize(got)
			if !slices.Equal(got, out) {
				t.Errorf("%v: %v, want %v", in.V, got, out)
			}
		})
	})
	t.Run("upscale", func(t *testing.T) {
		forEachVector(t, "vec_max_upscale_to_u16", func(t *testing.T, in many, out []uint16) {
			got := make([]uint16, len(in.V))
			Upscale(got, in.V)
			if !slices.Equal(got, out) {
				t.Errorf("%v: %v, want %v", in.V, got, out)
			}
		})
	})
	t.Run("upscale u16", func(t *testing.T) {
		forEachVector(t, "vec_u16_max_upscale_to_u16", func(t *testing.T, in struct{ V []uint16 }, out []uint16) {
			got := slices.Clone(in.V)
			UpscaleU16(got)
			if !slices.Equal(got, out) {
				t.Errorf("%v: %v, want %v", in.V, got, out)
			}
		})
	})
	t.Run("limit", func(t *testing.T) {
		forEachVector(t, "check_vec_max_limited", func(t *testing.T, in struct {
			V     []uint16
			Limit uint16 `json:"max_limit"`
		}, out bool) {
			equal(t, in, WithinLimit(in.V, in.Limit), out)
		})
	})
	// The rate at which a bond follows a weight, made of the functions here.
	t.Run("alpha", func(t *testing.T) {
		forEachVector(t, "alpha_sigmoid", func(t *testing.T, in struct {
			Consensus, Weight, Bond I32F32
			Low                     I32F32 `json:"alpha_low"`
			High                    I32F32 `json:"alpha_high"`
			Steepness               I32F32
		}, out I32F32) {
			distance := in.Bond.Sub(in.Weight).Clamp(Zero, One)
			if in.Weight >= in.Bond {
				distance = in.Weight.Sub(in.Consensus).Clamp(Zero, One)
			}
			s := Sigmoid(distance, in.Steepness.SafeDiv(100<<32), Half)
			equal(t, in, in.Low.Add(s.Mul(in.High.Sub(in.Low))).Clamp(in.Low, in.High), out)
		})
	})
}
