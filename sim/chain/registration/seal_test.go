package registration

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// Digests that everybody knows: of nothing, of "abc", and of a line of text.
func TestKeccakGivesItsKnownDigests(t *testing.T) {
	for message, want := range map[string]string{
		"":    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
		"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
		"The quick brown fox jumps over the lazy dog": "" +
			"4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15",
	} {
		got := keccak256([]byte(message))
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%q: %x, want %s", message, got, want)
		}
	}
}

func TestSealsHashWhatTheyPromise(t *testing.T) {
	block, hotkey := [32]byte{1, 2, 3}, [32]byte{9}
	const nonce = 0x0123456789abcdef
	le := []byte{0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01}
	plain := sha256.Sum256(append(slices.Clone(le), block[:]...))
	bound := keccak256(block[:], hotkey[:])
	inner := sha256.Sum256(append(slices.Clone(le), bound[:]...))
	for seal, want := range map[Seal][32]byte{
		SHA256: plain, Keccak: keccak256(plain[:]),
		KeccakHotkey: keccak256(inner[:]), KeccakHotkeyLE: keccak256(inner[:]),
	} {
		if got := seal.Work(nonce, block, hotkey); got != want {
			t.Errorf("%s: %x, want %x", seal, got, want)
		}
	}
}

func TestOnlyTheLaterSealsBindTheHotkey(t *testing.T) {
	for _, seal := range Seals() {
		same := seal.Work(7, [32]byte{1}, [32]byte{2}) == seal.Work(7, [32]byte{1}, [32]byte{3})
		if want := seal == SHA256 || seal == Keccak; same != want {
			t.Errorf("%s: equal work for two hotkeys %v, want %v", seal, same, want)
		}
	}
}

func TestWorkIsReadFromTheEndThatTheSealSays(t *testing.T) {
	low, high := [32]byte{31: 1}, [32]byte{0: 1} // 1 read from the one end, 2^248 from the other
	for _, seal := range Seals() {
		little := seal == KeccakHotkeyLE
		if got := seal.MeetsDifficulty(low, 1<<63); got == little {
			t.Errorf("%s: %x meets 2^63: %v", seal, low, got)
		}
		if got := seal.MeetsDifficulty(high, 1<<63); got != little {
			t.Errorf("%s: %x meets 2^63: %v", seal, high, got)
		}
	}
}

func FuzzMeetsDifficultyEqualsItsTwin(f *testing.F) {
	f.Add(bytes.Repeat([]byte{255}, 32), uint64(1))
	f.Add(bytes.Repeat([]byte{255}, 32), uint64(2))
	f.Add(append([]byte{0x7f}, bytes.Repeat([]byte{255}, 31)...), uint64(2))
	f.Add(append([]byte{0x80}, make([]byte, 31)...), uint64(2))
	f.Add(make([]byte, 32), uint64(all))
	f.Fuzz(func(t *testing.T, b []byte, difficulty uint64) {
		var work [32]byte
		copy(work[:], b)
		below := func(number *big.Int) bool {
			return number.Mul(number, new(big.Int).SetUint64(difficulty)).BitLen() <= 256
		}
		backward := work
		slices.Reverse(backward[:])
		for _, seal := range Seals() {
			want := below(new(big.Int).SetBytes(work[:]))
			if seal == KeccakHotkeyLE {
				want = below(new(big.Int).SetBytes(backward[:]))
			}
			if got := seal.MeetsDifficulty(work, difficulty); got != want {
				t.Errorf("%s: %x meets %d: %v, want %v", seal, work, difficulty, got, want)
			}
		}
	})
}

func TestZeroBitsAreCountedFromTheSameEnd(t *testing.T) {
	work := [32]byte{0, 0x13, 31: 0x40}
	for _, seal := range Seals() {
		want := 8 + 3
		if seal == KeccakHotkeyLE {
			want = 1
		}
		if got := seal.ZeroBits(work); got != want {
			t.Errorf("%s: %d leading zero bits, want %d", seal, got, want)
		}
		if got := seal.ZeroBits([32]byte{}); got != 256 {
			t.Errorf("%s: %d leading zero bits of nothing, want 256", seal, got)
		}
	}
}

func TestSolveFindsTheFirstNonceWithinItsTries(t *testing.T) {
	block, hotkey := [32]byte{4}, [32]byte{5}
	for _, seal := range Seals() {
		const difficulty = 200
		nonce, work, ok := seal.Solve(block, hotkey, difficulty, 10, 1e5)
		if !ok || work != seal.Work(nonce, block, hotkey) || !seal.MeetsDifficulty(work, difficulty) {
			t.Fatalf("%s: nonce %d, %v", seal, nonce, ok)
		}
		for earlier := uint64(10); earlier < nonce; earlier++ {
			if seal.MeetsDifficulty(seal.Work(earlier, block, hotkey), difficulty) {
				t.Errorf("%s: nonce %d is earlier than %d", seal, earlier, nonce)
			}
		}
		if _, _, ok := seal.Solve(block, hotkey, difficulty, 10, nonce-10); ok {
			t.Errorf("%s: found with one try too few", seal)
		}
		if _, _, ok := seal.Solve(block, hotkey, difficulty, 10, nonce-9); !ok {
			t.Errorf("%s: not found with just enough tries", seal)
		}
	}
	if _, _, ok := Keccak.Solve(block, hotkey, 0, all, 2); !ok {
		t.Error("a difficulty of 0 is met by any nonce, the largest too")
	}
}

func TestAnUnknownSealIsRefusedByName(t *testing.T) {
	for _, seal := range Seals() {
		if err := seal.Validate(); err != nil {
			t.Error(err)
		}
	}
	err := Seal("blake").Validate()
	if err == nil || !strings.Contains(err.Error(), `seal "blake": want one of ["sha256"`) {
		t.Errorf("unknown seal: %v", err)
	}
}

// BenchmarkSolve is the cost of a hash of each seal.
func BenchmarkSolve(b *testing.B) {
	for _, seal := range Seals() {
		b.Run(string(seal), func(b *testing.B) {
			b.ReportAllocs()
			seal.Solve([32]byte{1}, [32]byte{2}, all, 0, uint64(b.N))
		})
	}
}
