package score

import (
	"encoding/binary"
	"fmt"
	"slices"

	"taolab/model/num"
)

// Rotation says whom to ask next so that every uid has its turn.
type Rotation struct {
	Selection Selection
	queue     []uint16 // still to be asked, the next one first
	seen      bool     // a permutation came to its end since the epoch started
}

// Next returns up to k of the n uids, fewer where a permutation ends. The result is the caller's.
func (r *Rotation) Next(n, k int, s *num.Stream) []uint16 {
	n = min(n, 1<<16)
	if n <= 0 || k <= 0 {
		return nil
	}
	r.queue = slices.DeleteFunc(r.queue, func(uid uint16) bool { return int(uid) >= n })
	if len(r.queue) == 0 || r.Selection == FreshEachStep {
		r.queue = r.queue[:0]
		for _, uid := range s.Perm(n) {
			r.queue = append(r.queue, uint16(uid))
		}
	}
	k = min(k, len(r.queue))
	next := slices.Clone(r.queue[:k])
	r.queue = slices.Delete(r.queue, 0, k)
	r.seen = r.seen || len(r.queue) == 0
	return next
}

// StartEpoch is called when an epoch starts.
func (r *Rotation) StartEpoch() {
	r.seen = false
	if r.Selection != OnceASweep {
		r.queue = r.queue[:0]
	}
}

// AllSeen says whether a permutation came to its end since the epoch started.
func (r *Rotation) AllSeen() bool { return r.seen }

const rotationHeader = 4 // selection, seen, length of the queue

// AppendBinary appends the state: selection and whether all were seen, a byte each, then the
// length of the queue and its uids as uint16, little-endian.
func (r *Rotation) AppendBinary(b []byte) ([]byte, error) {
	seen := byte(0)
	if r.seen {
		seen = 1
	}
	b = append(b, byte(r.Selection), seen)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(r.queue)))
	for _, uid := range r.queue {
		b = binary.LittleEndian.AppendUint16(b, uid)
	}
	return b, nil
}

// UnmarshalBinary replaces the state by what AppendBinary wrote; a refused one changes nothing.
func (r *Rotation) UnmarshalBinary(b []byte) error {
	if len(b) < rotationHeader || b[0] > byte(OnceASweep) || b[1] > 1 {
		return fmt.Errorf("score: rotation: want a selection up to %d, a flag and a length, got % x; the state is damaged",
			OnceASweep, b[:min(len(b), rotationHeader)])
	}
	count := int(binary.LittleEndian.Uint16(b[2:]))
	if len(b) != rotationHeader+2*count {
		return fmt.Errorf("score: rotation: %d uids take %d bytes, got %d; the state is cut or damaged",
			count, 2*count, len(b)-rotationHeader)
	}
	queue := make([]uint16, count)
	for i := range queue {
		queue[i] = binary.LittleEndian.Uint16(b[rotationHeader+2*i:])
	}
	*r = Rotation{Selection: Selection(b[0]), queue: queue, seen: b[1] == 1}
	return nil
}
