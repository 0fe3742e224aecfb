package score

import (
	"encoding/binary"
	"fmt"
	"slices"

	"taolab/model/num"
)

// Rotation chooses the uids to ask next, so that every uid has its turn.
type Rotation struct {
	Selection Selection // a setting, not part of the state's bytes
	queue     []uint16  // uids still to be asked, the next one first
}

// Next returns up to k of the given uids, which must ascend; fewer where a permutation ends. A uid
// that has gone loses its turn; a new one has its first turn in the next permutation. The caller
// owns the result.
func (r *Rotation) Next(uids []uint16, k int, s *num.Stream) []uint16 {
	if len(uids) == 0 || k <= 0 {
		return nil
	}
	var stays [1 << 16 / 64]uint64
	for _, uid := range uids {
		stays[uid/64] |= 1 << (uid % 64)
	}
	r.queue = slices.DeleteFunc(r.queue, func(uid uint16) bool { return stays[uid/64]>>(uid%64)&1 == 0 })
	if len(r.queue) == 0 || r.Selection == FreshEachStep {
		r.queue = r.queue[:0]
		for _, place := range s.Perm(len(uids)) {
			r.queue = append(r.queue, uids[place])
		}
	}
	k = min(k, len(r.queue))
	next := slices.Clone(r.queue[:k])
	r.queue = slices.Delete(r.queue, 0, k)
	return next
}

// StartEpoch notes that an epoch starts.
func (r *Rotation) StartEpoch() {
	if r.Selection != OnceASweep {
		r.queue = r.queue[:0]
	}
}

// Left is the number of uids still to be asked before the next permutation.
func (r *Rotation) Left() int { return len(r.queue) }

// AppendBinary appends the state: the queue's uids as uint16, little-endian.
func (r *Rotation) AppendBinary(b []byte) ([]byte, error) {
	for _, uid := range r.queue {
		b = binary.LittleEndian.AppendUint16(b, uid)
	}
	return b, nil
}

// UnmarshalBinary replaces the state by what AppendBinary wrote; a refused one changes nothing.
func (r *Rotation) UnmarshalBinary(b []byte) error {
	if len(b)%2 != 0 || len(b) > 2<<16 {
		return fmt.Errorf("score: rotation: %d bytes, want two for each of at most %d uids; the state is damaged",
			len(b), 1<<16)
	}
	queue := make([]uint16, len(b)/2)
	for i := range queue {
		queue[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	r.queue = queue
	return nil
}
