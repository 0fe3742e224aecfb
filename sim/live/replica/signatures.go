package replica

import (
	"crypto/ed25519"
	"sync"
	"time"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"taolab/sim/chain"
)

// signatures remembers which transactions have good signatures, by the hash of their bytes: a transaction is
// met three times, in the pool, in a proposal and in a block. Of keys that signed lately it keeps the form in
// which a check takes half the time.
type signatures struct {
	chainID string
	metrics *metrics
	mu      sync.Mutex
	known   generations[struct{}]
	keys    generations[*voi.ExpandedPublicKey]
}

// In a generation.
const (
	rememberedSignatures = 60_000
	expandedKeys         = 2048 // of 1.5 KiB each
)

func newSignatures(chainID string, m *metrics) *signatures {
	return &signatures{
		chainID: chainID, metrics: m, known: generations[struct{}]{most: rememberedSignatures},
		keys: generations[*voi.ExpandedPublicKey]{most: expandedKeys},
	}
}

// good reports whether a transaction's signature is good, and remembers it.
func (s *signatures) good(tx chain.Tx, hash [32]byte) bool {
	s.mu.Lock()
	_, known := s.known.get(hash)
	s.mu.Unlock()
	if known {
		return true
	}
	began := time.Now()
	ok := tx.VerifyBy(s.chainID, s.verify)
	s.metrics.took(verifyStep, began)
	if !ok {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known.put(hash, struct{}{})
	return true
}

// asStandard are the rules of crypto/ed25519, by which the ledger and every replay of it judge.
var asStandard = &voi.Options{Verify: voi.VerifyOptionsStdLib}

// verify accepts the signatures that crypto/ed25519 accepts, and no others.
func (s *signatures) verify(signer chain.Key, message, signature []byte) bool {
	if key := s.expanded(signer); key != nil {
		return voi.VerifyExpandedWithOptions(key, message, signature, asStandard)
	}
	return ed25519.Verify(signer[:], message, signature)
}

// expanded is a key in the form for repeated checks; nil for bytes that are not a point in canonical form.
func (s *signatures) expanded(signer chain.Key) *voi.ExpandedPublicKey {
	s.mu.Lock()
	key, known := s.keys.get(signer)
	s.mu.Unlock()
	if known {
		return key
	}
	key, err := voi.NewExpandedPublicKey(signer[:])
	if err != nil {
		return nil
	}
	if y := key.CompressedY(); !y.IsCanonicalVartime() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.put(signer, key)
	return key
}

// generations remember what was put or got lately: at least the last so many, at most twice as many.
type generations[V any] struct {
	most       int
	young, old map[[32]byte]V
}

func (g *generations[V]) get(key [32]byte) (V, bool) {
	v, ok := g.young[key]
	if !ok {
		if v, ok = g.old[key]; ok {
			g.put(key, v)
		}
	}
	return v, ok
}

func (g *generations[V]) put(key [32]byte, v V) {
	if g.young == nil || len(g.young) >= g.most {
		g.old, g.young = g.young, map[[32]byte]V{}
	}
	g.young[key] = v
}
