package chain

import "fmt"

var byteInvariants = []Invariant{
	{Name: "bytes-read-back",
		Doc: "a state is decoded from its bytes, and has the same bytes again",
		state: func(s *State) error {
			_, err := s.copied()
			return err
		}},
	{Name: "digest-current",
		Doc: "the digest, of which only what changed is hashed again, is that of the decoded state",
		state: func(s *State) error {
			again, err := s.copied()
			if err != nil {
				return err
			}
			if have, want := s.Digest(), again.Digest(); have != want {
				return fmt.Errorf("digest is %s, want %s", have, want)
			}
			return nil
		}},
}

// copied returns a copy of the state by way of its bytes.
func (s *State) copied() (*State, error) {
	b, err := s.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	again := new(State)
	return again, again.UnmarshalBinary(b)
}
