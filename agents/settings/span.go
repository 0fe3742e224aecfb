package settings

import (
	"fmt"

	"taolab/model/num"
)

// Span is a number, or a pair of numbers between which a group's members are spread in equal
// ratios (in equal steps if one end is zero). The values of a pair move when the group gains a
// member, since they depend on its size; all other properties of a member depend only on its name.
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
