package num

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// StreamBytes is the length of a marshalled [Stream].
const StreamBytes = 64

// Stream is a sequence of random numbers: xoshiro256++ seeded by SHA-256, with a period of 2**256-1.
// It is plain data, two 32-byte halves: the key it was derived from, which never changes, and the
// generator's state. The zero Stream is not usable; streams come from [NewStream] and
// [Stream.Sub], or from [Stream.UnmarshalBinary]. Not safe for concurrent use.
type Stream struct {
	key   [32]byte
	state [4]uint64
}

// NewStream returns the stream of a name under a master seed. Its key is the SHA-256 of the text
// "taolab stream 1", the seed as 8 little-endian bytes, and the name.
func NewStream(seed uint64, name string) *Stream {
	text := binary.LittleEndian.AppendUint64([]byte("taolab stream 1"), seed)
	return fromKey(sha256.Sum256(append(text, name...)))
}

// Sub returns the stream of a name under s. It depends on the seed and names that led to s, not on
// how many numbers s has given, and leaves s as it is. Its key is the SHA-256 of the text
// "taolab substream 1", the key of s, and the name.
func (s *Stream) Sub(name string) *Stream {
	text := append([]byte("taolab substream 1"), s.key[:]...)
	return fromKey(sha256.Sum256(append(text, name...)))
}

// fromKey starts a stream whose state is the key read as four little-endian words.
func fromKey(key [32]byte) *Stream {
	s := &Stream{key: key}
	for i := range s.state {
		s.state[i] = binary.LittleEndian.Uint64(key[8*i:])
	}
	return s
}

// Uint64 returns 64 random bits.
func (s *Stream) Uint64() uint64 {
	a, b, c, d := s.state[0], s.state[1], s.state[2], s.state[3]
	out := bits.RotateLeft64(a+d, 23) + a
	c ^= a
	d ^= b
	s.state = [4]uint64{a ^ d, b ^ c, c ^ b<<17, bits.RotateLeft64(d, 45)}
	return out
}

// Uint32 returns 32 random bits, the upper half of one [Stream.Uint64].
func (s *Stream) Uint32() uint32 { return uint32(s.Uint64() >> 32) }

// IntN returns a number in [0, n), every one equally likely. It panics if n <= 0.
//
// It takes the upper word of n times a random word and draws again, with probability below
// n/2**64, where the lower word says that the draw belongs to the uneven rest.
func (s *Stream) IntN(n int) int {
	if n <= 0 {
		panic(fmt.Sprintf("num: IntN(%d): the range must hold at least one number", n))
	}
	bound := uint64(n)
	high, low := bits.Mul64(s.Uint64(), bound)
	if low < bound {
		for uneven := -bound % bound; low < uneven; {
			high, low = bits.Mul64(s.Uint64(), bound)
		}
	}
	return int(high)
}

// Float64 returns a multiple of 2**-53 in [0, 1).
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) / (1 << 53) }

// Float32 returns a multiple of 2**-24 in [0, 1).
func (s *Stream) Float32() float32 { return float32(s.Uint64()>>40) / (1 << 24) }

// AppendBinary appends the stream's key and state, little-endian, [StreamBytes] bytes.
func (s *Stream) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, s.key[:]...)
	for _, word := range s.state {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b, nil
}

// UnmarshalBinary restores what [Stream.AppendBinary] wrote, exactly [StreamBytes] bytes.
func (s *Stream) UnmarshalBinary(data []byte) error {
	if len(data) != StreamBytes {
		return fmt.Errorf("num: a stream is %d bytes, got %d", StreamBytes, len(data))
	}
	var read Stream
	copy(read.key[:], data)
	for i := range read.state {
		read.state[i] = binary.LittleEndian.Uint64(data[32+8*i:])
	}
	if read.state == [4]uint64{} {
		return fmt.Errorf("num: bytes 32 to 63 of a stream are all zero, a state it never reaches")
	}
	*s = read
	return nil
}
