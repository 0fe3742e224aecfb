package replica

import (
	"fmt"
	"sync"

	"taolab/sim/chain"
)

// Block is a committed block and what it brought about.
type Block struct {
	chain.Block
	Hash    chain.Digest
	Outcome chain.Outcome
	View    chain.View // after it
}

// feed hands committed blocks to subscribers.
type feed struct {
	mu     sync.Mutex
	all    map[*Subscription]bool
	closed bool
}

// backlog is how many blocks wait for a subscriber. Blocks share what they do not change.
const backlog = 1024

// Subscription hands out every block after From in order.
type Subscription struct {
	C    <-chan Block // closed at the end
	From chain.View   // before the first of them

	c    chan Block
	feed *feed
	err  error
}

// subscribe begins after the newest block, which newest returns.
func (f *feed) subscribe(newest func() chain.View) *Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan Block, backlog)
	s := &Subscription{C: c, From: newest(), c: c, feed: f}
	if f.closed {
		close(c)
		return s
	}
	f.all[s] = true
	return s
}

// publish hands a block to all. It never waits: a subscriber that is too far behind is cut off, or it would
// keep the node from voting.
func (f *feed) publish(b Block, newest func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest()
	for s := range f.all { // order-free: each has its own channel
		select {
		case s.c <- b:
		default:
			s.finish(fmt.Errorf("the subscriber is %d blocks behind, at block %d: subscribe again", backlog, b.Height))
		}
	}
}

// skip ends all subscriptions: the ledger went on without handing out blocks.
func (f *feed) skip(height uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.all { // order-free: each is ended
		s.finish(fmt.Errorf("the node fetched the state after block %d in place of the blocks before it: subscribe again",
			height))
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for s := range f.all { // order-free: each is closed
		s.finish(nil)
	}
}

// finish ends a subscription. The feed is locked.
func (s *Subscription) finish(err error) {
	if s.feed.all[s] {
		delete(s.feed.all, s)
		s.err = err
		close(s.c)
	}
}

// Err says why C was closed; nil: the node stopped, or Close was called.
func (s *Subscription) Err() error {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	return s.err
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	s.finish(nil)
}
