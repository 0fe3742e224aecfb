package chain

import "slices"

// Fork returns a state of its own that is as s is. Whatever happens to one of the two is not seen in the
// other; what neither changes they share, so that a fork costs what changes in it. The two may be used
// by different goroutines.
func (s *State) Fork() *State {
	s.age++
	s.events, s.touched = slices.Clip(s.events), slices.Clip(s.touched) // both would append in the same place
	return &State{
		header: s.header, accounts: s.accounts, neurons: s.neurons, age: s.age,
		rule: s.rule, decayQ32: s.decayQ32, constants: s.constants,
	}
}
