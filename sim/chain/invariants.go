package chain

import (
	"fmt"
	"slices"
)

// Invariant is a law that holds for every reachable state, or for every two successive states.
type Invariant struct {
	Name string // words with hyphens
	Doc  string // the sentence

	state func(*State) error           // what is wrong with a state
	step  func(a, b observation) error // what is wrong with b after a
}

// Invariants lists all of them in the order in which they are checked; those that others rely on come
// first.
func Invariants() []Invariant {
	return slices.Concat(moneyInvariants, registryInvariants, rowInvariants, outcomeInvariants,
		seatInvariants, depositInvariants, councilInvariants, byteInvariants, stepInvariants, depositSteps, articleInvariants())
}

// BrokenInvariant says which invariant a state breaks, and how.
type BrokenInvariant struct {
	Invariant
	Err error
}

// Error names the invariant and gives the numbers.
func (e *BrokenInvariant) Error() string {
	return fmt.Sprintf("invariant %s is broken: %v; but %s", e.Name, e.Err, e.Doc)
}

// Unwrap returns the finding.
func (e *BrokenInvariant) Unwrap() error { return e.Err }

// CheckInvariants returns the first invariant that the state breaks as a *BrokenInvariant. It
// reads, writes, decodes and hashes the whole state: some milliseconds for 256 neurons. Those
// about two states are a Watch's to check.
func (s *State) CheckInvariants() error {
	for _, in := range Invariants() {
		if in.state == nil {
			continue
		}
		if err := in.state(s); err != nil {
			return &BrokenInvariant{in, err}
		}
	}
	return nil
}

// Watch follows a chain and checks the invariants about two states of which one follows the other.
type Watch struct{ last observation }

// observation is what a Watch keeps of a state: its header, and tables shared with it as a view has them.
type observation struct {
	header
	accounts accounts
	neurons  *neurons
}

func (s *State) observe() observation {
	s.age++
	return observation{s.header, s.accounts, s.neurons}
}

// Watch starts to follow the state.
func (s *State) Watch() *Watch { return &Watch{s.observe()} }

// Check compares s, which may be a copy of the state that is followed, with what the last call
// saw. It returns the first invariant that is broken as a *BrokenInvariant.
func (w *Watch) Check(s *State) error {
	now := s.observe()
	before := w.last
	w.last = now
	for _, in := range slices.Concat(stepInvariants, depositSteps, articleInvariants()) {
		if err := in.step(before, now); err != nil {
			return &BrokenInvariant{in, err}
		}
	}
	return nil
}
