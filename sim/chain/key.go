package chain

import (
	"encoding/hex"
	"fmt"

	"taolab/sim/chain/consensus"
)

// RaoPerTAO is the number of rao in one TAO. All amounts of the ledger are integers in rao.
const RaoPerTAO = 1_000_000_000

// Key is an ed25519 public key: a hotkey, a coldkey or an axon key.
type Key [32]byte

// String returns the key as 64 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// ParseKey reads what String writes.
func ParseKey(s string) (Key, error) {
	var k Key
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(k) {
		return k, fmt.Errorf("key %q: want %d hexadecimal digits", s, 2*len(k))
	}
	return Key(b), nil
}

// Digest is a SHA-256 digest of a state.
type Digest [32]byte

// String returns the digest as 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// UID is a neuron's slot in the network.
type UID = consensus.UID

// WeightEntry is one entry of a neuron's weights; the row's largest is 65535, or, for nakamoto, its
// sum about 2^32-1.
type WeightEntry = consensus.WeightEntry

// BondEntry is one entry of a neuron's bonds.
type BondEntry = consensus.BondEntry
