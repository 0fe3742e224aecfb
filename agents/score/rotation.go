package score

import "taolab/model/num"

// Rotation says whom to ask next so that every uid has its turn.
type Rotation struct {
	Selection Selection
	queue     []uint16 // still to be asked, the next one first
	drawn     bool     // a permutation was drawn since the last restart
}

// Next returns at most k of the n uids, fewer when a permutation ends. The result belongs to the caller.
func (r *Rotation) Next(n, k int, s *num.Stream) []uint16 { return nil }

// StartEpoch is called when an epoch starts.
func (r *Rotation) StartEpoch() {}

// AllSeen says whether every uid was handed out since the permutation was drawn.
func (r *Rotation) AllSeen() bool { return r.drawn && len(r.queue) == 0 }

// AppendBinary appends the state, little-endian.
func (r *Rotation) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// UnmarshalBinary replaces the state by what AppendBinary wrote.
func (r *Rotation) UnmarshalBinary(b []byte) error { return nil }
