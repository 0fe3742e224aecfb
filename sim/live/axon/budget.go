package axon

import (
	"context"
	"errors"
	"sync"
)

// budget bounds the bytes of answers that a client reads. Where they run short, the answer that holds most of
// them and is not whole gives way: a peer that sends much, or begins and does not end, takes no room from the
// short answers of others.
type budget struct {
	mu     sync.Mutex
	left   int64
	shares map[*share]bool
	freed  chan struct{} // closed, and another put in its place, when bytes come back
}

// share is what one call holds of a budget.
type share struct {
	bytes int64
	whole bool // an answer that waits for its reader, and soon ends
	cut   bool // told to give way, and soon ends
	end   context.CancelCauseFunc
}

// errGaveWay ends the reading of an answer.
var errGaveWay = errors.New("gave way")

func newBudget(bytes int64) *budget {
	return &budget{left: bytes, shares: map[*share]bool{}, freed: make(chan struct{})}
}

// take adds bytes to a share. It waits while others end, at most until ctx does; then the share gives way.
func (b *budget) take(ctx context.Context, s *share, bytes int64) error {
	for {
		b.mu.Lock()
		b.shares[s] = true
		if b.left >= bytes && !s.cut {
			b.left -= bytes
			s.bytes += bytes
			b.mu.Unlock()
			return nil
		}
		waits, freed := b.waits(s), b.freed
		b.mu.Unlock()
		if waits {
			select {
			case <-freed:
				continue
			case <-ctx.Done():
			}
		}
		b.give(s, 0)
		return errGaveWay
	}
}

// waits reports whether a share that wants more waits for others, of which the longest is told to give way if it
// is longer. Otherwise the share itself gives way.
func (b *budget) waits(s *share) bool {
	longest, ending := s, false
	for other := range b.shares { // order-free: of two alike either may give way
		switch {
		case other.whole || other.cut:
			ending = ending || other != s
		case other.bytes > longest.bytes:
			longest = other
		}
	}
	switch {
	case s.cut:
		return false
	case longest != s:
		longest.cut = true
		longest.end(errGaveWay)
		return true
	default:
		return ending
	}
}

// give takes bytes back from a share.
func (b *budget) give(s *share, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += bytes
	s.bytes -= bytes
	if s.bytes == 0 {
		delete(b.shares, s)
	}
	close(b.freed)
	b.freed = make(chan struct{})
}

// keep reports whether the answer of a share is whole: then it no longer gives way.
func (b *budget) keep(s *share, whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.whole = whole
}
