package registration

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"golang.org/x/crypto/sha3"
)

// Seal names a way to hash work.
type Seal string

// The seals of the eras. A hotkey that is not in the seal does not protect its work: anyone who
// sees it can register with it first.
const (
	SHA256         Seal = "sha256"           // early 2022: SHA-256(nonce, block hash)
	Keccak         Seal = "keccak"           // late 2022: Keccak-256 of that
	KeccakHotkey   Seal = "keccak-hotkey"    // 2023: with Keccak-256(block hash, hotkey) for the block hash
	KeccakHotkeyLE Seal = "keccak-hotkey-le" // 2025: the same, read as a little-endian number
)

// Granted is the seal of laboratories: the work is as with SHA256, and the ledger believes that it was done.
// The effect of hash rates on difficulty can then be studied without hashing.
const Granted Seal = "granted"

// Seals lists the seals of the eras, oldest first.
func Seals() []Seal { return []Seal{SHA256, Keccak, KeccakHotkey, KeccakHotkeyLE} }

// Validate refuses an unknown seal.
func (s Seal) Validate() error {
	if s != Granted && !slices.Contains(Seals(), s) {
		return fmt.Errorf("seal %q: want one of %q", s, Seals())
	}
	return nil
}

// Work returns the hash that a nonce gives. The nonce is hashed as eight bytes, little-endian.
func (s Seal) Work(nonce uint64, blockHash, hotkey [32]byte) [32]byte {
	return s.work(nonce, s.base(blockHash, hotkey))
}

// base is what a nonce is hashed with.
func (s Seal) base(blockHash, hotkey [32]byte) [32]byte {
	if s == KeccakHotkey || s == KeccakHotkeyLE {
		return keccak256(blockHash[:], hotkey[:])
	}
	return blockHash
}

func (s Seal) work(nonce uint64, base [32]byte) [32]byte {
	var b [8 + 32]byte
	binary.LittleEndian.PutUint64(b[:], nonce)
	copy(b[8:], base[:])
	work := sha256.Sum256(b[:])
	if s == SHA256 || s == Granted {
		return work
	}
	return keccak256(work[:])
}

// keccak256 is Keccak-256 as it was before the SHA-3 standard changed the padding.
func keccak256(parts ...[]byte) (digest [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(digest[:0])
	return digest
}

// MeetsDifficulty reports whether work, read as a number of 256 bits, times difficulty stays below
// 2^256: one hash of difficulty many does.
func (s Seal) MeetsDifficulty(work [32]byte, difficulty uint64) bool {
	if s == Granted {
		return true
	}
	if s != KeccakHotkeyLE {
		slices.Reverse(work[:])
	}
	var carry uint64
	for i := 0; i < len(work); i += 8 {
		hi, lo := bits.Mul64(binary.LittleEndian.Uint64(work[i:]), difficulty)
		_, over := bits.Add64(lo, carry, 0)
		carry = hi + over
	}
	return carry == 0
}

// Solve tries the nonces first, first+1 and so on, tries of them at most, and returns the first
// whose work meets the difficulty.
func (s Seal) Solve(blockHash, hotkey [32]byte, difficulty, first, tries uint64) (
	nonce uint64, work [32]byte, ok bool) {
	base := s.base(blockHash, hotkey)
	for nonce = first; tries > 0; nonce, tries = nonce+1, tries-1 {
		if work = s.work(nonce, base); s.MeetsDifficulty(work, difficulty) {
			return nonce, work, true
		}
	}
	return 0, [32]byte{}, false
}

// ZeroBits counts the leading zero bits of work, read as MeetsDifficulty reads it.
func (s Seal) ZeroBits(work [32]byte) int {
	if s == KeccakHotkeyLE {
		slices.Reverse(work[:])
	}
	zeros := 0
	for _, b := range work {
		zeros += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return zeros
}
