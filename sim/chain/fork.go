package chain

import "slices"

// Fork returns an independent copy of s. A change to one of the two does not show in the other; they
// share what neither changes, so a fork costs only its changes. The two may be used
// by different goroutines.
func (s *State) Fork() *State {
	s.age++
	s.events, s.touched = slices.Clip(s.events), slices.Clip(s.touched) // both would append in the same place
	return &State{
		header: s.header, accounts: s.accounts, neurons: s.neurons, age: s.age,
		rule: s.rule, decayQ32: s.decayQ32, constants: s.constants, nominated: s.nominated,
	}
}
