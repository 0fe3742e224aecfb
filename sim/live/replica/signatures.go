package replica

import (
	"sync"
	"time"

	"taolab/sim/chain"
)

// signatures remembers which transactions have good signatures, by the hash of their bytes: a transaction is
// met three times, in the pool, in a proposal and in a block. Two generations bound it.
type signatures struct {
	chainID string
	metrics *metrics
	mu      sync.Mutex
	young   map[[32]byte]struct{}
	old     map[[32]byte]struct{}
}

const rememberedSignatures = 60_000 // in a generation

func newSignatures(chainID string, m *metrics) *signatures {
	return &signatures{chainID: chainID, metrics: m, young: map[[32]byte]struct{}{}}
}

// good reports whether a transaction's signature is good, and remembers it.
func (s *signatures) good(tx chain.Tx, hash [32]byte) bool {
	if s.known(hash) {
		return true
	}
	began := time.Now()
	ok := tx.Verify(s.chainID)
	s.metrics.took(verifyStep, began)
	if !ok {
		return false
	}
	s.remember(hash)
	return true
}

func (s *signatures) known(hash [32]byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.young[hash]; ok {
		return true
	}
	_, ok := s.old[hash]
	return ok
}

func (s *signatures) remember(hash [32]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.young) >= rememberedSignatures {
		s.old, s.young = s.young, make(map[[32]byte]struct{}, rememberedSignatures)
	}
	s.young[hash] = struct{}{}
}
