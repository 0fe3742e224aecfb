package settings

import (
	"fmt"

	"taolab/model/num"
)

// Span is a number, or a pair of numbers that a group's members are spread between in equal
// ratios (equal steps where one end is zero). Who is spread moves when the group gains a member:
// between two ends there is no place that does not depend on how many share them. Whatever else is
// a member's own depends on its name only.
type Span struct{ From, To float64 }

// At is the value for member i of n.
func (s Span) At(i, n int) float64 {
	if n <= 1 || s.From == s.To {
		return s.From
	}
	t := float64(i) / float64(n-1)
	if s.From > 0 && s.To > 0 {
		return float64(s.From * num.Pow(s.To/s.From, t))
	}
	return s.From + float64(t*(s.To-s.From))
}

func (s Span) String() string {
	if s.From == s.To {
		return fmt.Sprintf("%g", s.From)
	}
	return fmt.Sprintf("[%g, %g]", s.From, s.To)
}
