package script

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

func ExampleFormula() {
	f, err := Parse("pick(t < 30, none, 1000 * (j + 1))")
	if err != nil {
		panic(err)
	}
	fmt.Println(f.Value(Variables{T: 29, J: 4}), f.Value(Variables{T: 30, J: 4}), f.Moves())
	// Output: -1 5000 true
}

func TestFormulasComeToWholeNumbers(t *testing.T) {
	v := Variables{T: 7, Step: 2, I: 3, K: 1, J: 5, M: 4, Seed: 1}
	for text, want := range map[string]int64{ // order-free: each is looked at
		"1 + 2 * 3": 7, "(1 + 2) * 3": 9, "-7 / 2": -4, "7 / -2": -4, "-7 % 3": 2, "7 % -3": -2, "1 / 0": 0, "1 % 0": 0,
		"t": 7, "step": 2, "i": 3, "k": 1, "j": 5, "m": 4, "seed": 1, "none": -1, "-j": -5, "!j": 0, "!0": 1,
		"t == 7 && j != 5": 0, "t < 7 || i >= 3": 1, "pick(j > 4, 10, 20)": 10, "pick(j > 5, 10, 20)": 20,
		"min(3, 1, 2)": 1, "max(3, 1, 2)": 3, "draw(0, 1)": 0, "draw(-5, 1)": 0,
		"9223372036854775807 + 1": math.MaxInt64, "-9223372036854775807 - 2": math.MinInt64,
		"9223372036854775807 * -2": math.MinInt64, "3037000500 * 3037000500": math.MaxInt64,
		"(-9223372036854775807 - 1) / -1": math.MaxInt64, "(-9223372036854775807 - 1) % -1": 0,
	} {
		f, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := f.Value(v); got != want {
			t.Errorf("%s is %d, expected %d", text, got, want)
		}
	}
}

// SplitMix64 of the published test vector, state 1234567: its first output.
func TestDrawsAreOfSplitMix64(t *testing.T) {
	if got := mixed(1234567); got != 6457827717110365317 {
		t.Errorf("%d, expected 6457827717110365317", got)
	}
	counts := map[int64]int{}
	f, err := Parse("draw(10, seed, i, j)")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(100) {
		for j := range int64(100) {
			counts[f.Value(Variables{I: i, J: j, Seed: 1})]++
		}
	}
	for n := range int64(10) {
		if counts[n] < 850 || counts[n] > 1150 {
			t.Errorf("%d is drawn %d times of 10000", n, counts[n])
		}
	}
}

func TestFormulasThatCannotBeReadSayWhy(t *testing.T) {
	for text, want := range map[string]string{ // order-free: each is looked at
		"": "cannot be read", "1 +": "cannot be read", "q": `no name "q"`, "f(1)": `no function "f"`, "min()": "min of 0 arguments",
		"pick(1, 2)": "pick of 2 arguments", "1.5": "whole decimal number", `"a"`: "whole decimal number", "0x10": "whole decimal number",
		"1 << 3": "operator <<", "^1": "operator ^", "a.b": "something other", "a.b()": "call without a function",
		"99999999999999999999": "whole decimal number", strings.Repeat("1+", 600) + "1": "at most 1000", "func() {}": "something other",
	} {
		if f, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; expected %q", text, f, err, want)
		}
	}
}

// FuzzOperators compares the operators with numbers of any size.
func FuzzOperators(f *testing.F) {
	for _, pair := range [][2]int64{{0, 0}, {1, -1}, {-7, 2}, {math.MinInt64, -1}, {math.MaxInt64, math.MaxInt64}, {math.MinInt64, math.MinInt64}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b int64) {
		x, y := big.NewInt(a), big.NewInt(b)
		clamp := func(z *big.Int) int64 {
			switch {
			case z.IsInt64():
				return z.Int64()
			case z.Sign() > 0:
				return math.MaxInt64
			}
			return math.MinInt64
		}
		check := func(name string, got int64, want *big.Int) {
			if got != clamp(want) {
				t.Errorf("%d %s %d is %d, expected %v", a, name, b, got, want)
			}
		}
		check("+", add(a, b), new(big.Int).Add(x, y))
		check("-", subtract(a, b), new(big.Int).Sub(x, y))
		check("*", multiply(a, b), new(big.Int).Mul(x, y))
		if b != 0 {
			q, r := new(big.Int).QuoRem(x, y, new(big.Int))
			if r.Sign() != 0 && r.Sign() != y.Sign() {
				q.Sub(q, big.NewInt(1))
				r.Add(r, y)
			}
			check("/", divide(a, b), q)
			check("%", remainder(a, b), r)
		}
	})
}

// FuzzFormulasAreReadOrRefused: no text ends the program, and what is read has a value.
func FuzzFormulasAreReadOrRefused(f *testing.F) {
	for _, text := range []string{"1", "draw(3, t, j)", "pick(t<3,none,1)", "((((", "-!-1", "min(1,2,3,4,5,6,7,8,9)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if formula, err := Parse(text); err == nil {
			formula.Value(Variables{T: 1, J: math.MaxInt64, Seed: math.MinInt64})
		}
	})
}
