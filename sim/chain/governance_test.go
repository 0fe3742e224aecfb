package chain

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
)

// governed is a chain whose governor is "gov", with liquid alpha on.
func governed(t testing.TB) *State {
	g := testGenesis(3, func(p *Params) { p.LiquidAlpha = true })
	g.Governor = pub("gov")
	return mustNew(t, g)
}

func decree(s *State, name string, value uint64) error {
	return s.Apply(Sign("test", testKey("gov"), s.Nonce(pub("gov")), s.Height()+1, SetParams{name, value}))
}

func TestEveryGovernableParameterIsAField(t *testing.T) {
	if !slices.IsSorted(Governable()) {
		t.Error("the names are not sorted")
	}
	for _, name := range Governable() {
		s := governed(t)
		before := s.params
		field := reflect.ValueOf(&before).Elem().FieldByName(name)
		if !field.IsValid() {
			t.Errorf("%s is not a field of Params", name)
			continue
		}
		value := uint64(0)
		switch field.Kind() {
		case reflect.Bool:
			if !field.Bool() {
				value = 1
			}
			field.SetBool(value == 1)
		case reflect.Int16:
			value = uint64(field.Int()) + 1
			field.SetInt(int64(value))
		default:
			value = other(field.Uint(), name)
			field.SetUint(value)
		}
		if err := decree(s, name, value); err != nil {
			t.Errorf("%s = %d: %v", name, value, err)
			continue
		}
		if s.params != before {
			t.Errorf("%s = %d: parameters are\n%+v, want\n%+v", name, value, s.params, before)
		}
		if s.View().Params() != s.params {
			t.Errorf("%s: views show other parameters", name)
		}
	}
}

// other is an allowed value that is not v.
func other(v uint64, name string) uint64 {
	switch name {
	case "AlphaLow", "BondsMovingAveragePPM", "BondsPenalty", "MaxBurnRao", "MaxDifficulty", "MinBurnRao",
		"CapRao", "MaxWeight", "MaxNominators", "MinDifficulty", "MaxRegistrationsPerBlock":
		return v - 1
	}
	return v + 1
}

// Whatever the governor asks for, the chain stays one that its own bytes describe.
func TestNoDecreeMakesAnImpossibleChain(t *testing.T) {
	values := []uint64{0, 1, 2, 3, 100, 1638, 65535, 65536, 1 << 20, 1e9, 1 << 32, 21e15, 1 << 62,
		math.MaxUint64}
	for _, name := range Governable() {
		for _, value := range values {
			s := governed(t)
			before := encode(t, s)
			err := decree(s, name, value)
			var refusal *Error
			switch {
			case err == nil:
				decode(t, encode(t, s))
				s.Advance(20)
				if err := s.CheckInvariants(); err != nil {
					t.Errorf("%s = %d: %v", name, value, err)
				}
			case !errors.As(err, &refusal):
				t.Errorf("%s = %d: untyped: %v", name, value, err)
			case string(before) != string(encode(t, s)):
				t.Errorf("%s = %d: refused but changed", name, value)
			case refusal.Code == ParameterTooLow && decree(s, name, refusal.Want) != nil,
				refusal.Code == ParameterTooHigh && decree(s, name, refusal.Want) != nil:
				t.Errorf("%s = %d: the allowed %d is refused too", name, value, refusal.Want)
			}
		}
	}
}
