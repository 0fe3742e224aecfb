package design

import (
	"fmt"
	"math"

	"taolab/model/num"
)

// Kind is the distribution of a Scale's values.
type Kind string

const (
	Uniform Kind = "uniform" // Low to High
	Log     Kind = "log"     // Low to High, evenly in the logarithm
	Int     Kind = "int"     // the integers Low to High, both included
	Choice  Kind = "choice"  // the indices 0 to High of a list
	Normal  Kind = "normal"  // mean Low, standard deviation High
)

// Scale turns a coordinate of the unit cube into a value of a setting.
type Scale struct {
	Kind      Kind
	Low, High float64
}

// Check returns an error if the scale has no values.
func (s Scale) Check() error {
	finite := !math.IsInf(s.Low, 0) && !math.IsInf(s.High, 0) && !math.IsInf(s.High-s.Low, 0)
	whole := s.Low == math.Trunc(s.Low) && s.High == math.Trunc(s.High)
	switch {
	case !finite || math.IsNaN(s.Low) || math.IsNaN(s.High):
		return fmt.Errorf("a scale from %v to %v: expected two finite numbers", s.Low, s.High)
	case s.Kind == Normal && s.High <= 0:
		return fmt.Errorf("a normal scale with standard deviation %v: expected more than 0", s.High)
	case s.Kind == Normal:
		return nil
	case s.Kind != Uniform && s.Kind != Log && s.Kind != Int && s.Kind != Choice:
		return fmt.Errorf("scale %q: expected %q, %q, %q, %q or %q", s.Kind, Uniform, Log, Int, Choice, Normal)
	case s.Low > s.High || s.Low == s.High && s.Kind != Int && s.Kind != Choice:
		return fmt.Errorf("a scale from %v to %v: the lower end must come first", s.Low, s.High)
	case s.Kind == Log && s.Low <= 0:
		return fmt.Errorf("a logarithmic scale from %v: expected more than 0", s.Low)
	case (s.Kind == Int || s.Kind == Choice) && (!whole || max(-s.Low, s.High) > 1<<53):
		return fmt.Errorf("a scale of integers from %v to %v: expected whole numbers up to 2^53", s.Low, s.High)
	case s.Kind == Choice && s.Low != 0:
		return fmt.Errorf("a scale of choices from %v: expected 0", s.Low)
	}
	return nil
}

// Value returns the value at a coordinate in [0, 1]. The scale must pass Check.
func (s Scale) Value(u float64) float64 {
	switch s.Kind {
	case Log:
		return min(max(float64(s.Low*num.Pow(s.High/s.Low, u)), s.Low), s.High)
	case Int, Choice:
		return min(s.Low+math.Floor(float64(u*(s.High-s.Low+1))), s.High)
	case Normal:
		return s.Low + float64(s.High*num.NormalQuantile(u))
	default:
		return min(s.Low+float64((s.High-s.Low)*u), s.High)
	}
}
