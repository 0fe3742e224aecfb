package chain

import (
	"encoding/hex"
	"fmt"
	"slices"

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

// weakKeys are the points of small order, each without its sign, in all their encodings. Anybody can
// make signatures that are valid under them.
var weakKeys = keysOf(
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)

func keysOf(texts ...string) (keys []Key) {
	for _, text := range texts {
		k, err := ParseKey(text)
		if err != nil {
			panic(err)
		}
		keys = append(keys, k)
	}
	return keys
}

// weak reports whether anybody could sign for the key.
func (k Key) weak() bool {
	k[len(k)-1] &= 0x7f // the sign
	return slices.Contains(weakKeys, k)
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
