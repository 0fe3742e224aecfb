package pile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// storeMagic begins every binary store. A change of the layout changes its last byte.
const storeMagic = "taopile1"

// maxSubsets bounds the subsets of a store.
const maxSubsets = 4096

// AppendBinary appends the store, little-endian: the magic; vocabulary size and end of text as 32-bit
// words; the digests of tokenizer and source; the number of subsets as a 32-bit word; of each subset the
// length of its name (32 bits), the name, its weight (64 bits of a float), and of Train, Score and
// HeldOut the bytes of text, the number of tokens (64 bits each) and the tokens (16 bits each); at the
// end the SHA-256 of all that.
func (s *Store) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, storeMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.vocab))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.endOfText))
	b = append(append(b, s.tokenizer[:]...), s.source[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s.subsets)))
	for i := range s.subsets {
		part := &s.subsets[i]
		b = binary.LittleEndian.AppendUint32(b, uint32(len(part.Name)))
		b = append(b, part.Name...)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(part.Weight))
		for split := range splits {
			b = binary.LittleEndian.AppendUint64(b, uint64(part.bytes[split]))
			b = binary.LittleEndian.AppendUint64(b, uint64(len(part.tokens[split])))
			for _, id := range part.tokens[split] {
				b = binary.LittleEndian.AppendUint16(b, id)
			}
		}
	}
	digest := sha256.Sum256(b[start:])
	return append(b, digest[:]...), nil
}

// Digest is the SHA-256 at the end of the binary store. It covers every token, the weights, and which
// tokenizer and source they came from.
func (s *Store) Digest() [32]byte {
	b, _ := s.AppendBinary(nil) // never fails
	return [32]byte(b[len(b)-sha256.Size:])
}

var errStoreShort = errors.New("it ends too early")

// UnmarshalBinary reads what AppendBinary wrote. It refuses changed bytes, and content that [Build]
// cannot produce: tokens outside the vocabulary, an empty split, unusable weights.
func (s *Store) UnmarshalBinary(data []byte) error {
	read, err := decodeStore(data)
	if err != nil {
		return fmt.Errorf("pile: binary store of %d bytes: %w", len(data), err)
	}
	*s = *read
	return nil
}

func decodeStore(data []byte) (*Store, error) {
	if len(data) < len(storeMagic)+sha256.Size {
		return nil, errStoreShort
	}
	if !bytes.HasPrefix(data, []byte(storeMagic)) {
		return nil, fmt.Errorf("it begins with %q; wanted %q", data[:len(storeMagic)], storeMagic)
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if sha256.Sum256(body) != [32]byte(sum) {
		return nil, errors.New("its SHA-256 is wrong: the file is damaged, delete it")
	}
	r := &storeReader{rest: body[len(storeMagic):]}
	s := &Store{vocab: int(r.uint32())}
	end := r.uint32()
	s.endOfText = uint16(end)
	copy(s.tokenizer[:], r.take(32))
	copy(s.source[:], r.take(32))
	count := r.uint32()
	if r.short {
		return nil, errStoreShort
	}
	if s.vocab > 1<<16 || end >= uint32(s.vocab) || count == 0 || count > maxSubsets {
		return nil, fmt.Errorf("%d tokens in the vocabulary, end of text %d, %d subsets; wanted at most 65536, "+
			"less than that, and 1 to %d", s.vocab, end, count, maxSubsets)
	}
	for range count {
		part, err := r.subset(s.vocab)
		if err != nil {
			return nil, err
		}
		s.subsets = append(s.subsets, part)
	}
	if len(r.rest) > 0 {
		return nil, fmt.Errorf("%d bytes too many", len(r.rest))
	}
	return s, nil
}

// storeReader takes values off the front. Past the end it yields zeros.
type storeReader struct {
	rest  []byte
	short bool
}

func (r *storeReader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.short = nil, true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *storeReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *storeReader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *storeReader) subset(vocab int) (part stored, err error) {
	part.Name = string(r.take(uint64(r.uint32())))
	part.Weight = math.Float64frombits(r.uint64())
	if !r.short && !(0 < part.Weight && part.Weight <= 1) {
		return part, fmt.Errorf("subset %q weighs %v; wanted more than 0, 1 at most", part.Name, part.Weight)
	}
	for split := range splits {
		textBytes, count := r.uint64(), r.uint64()
		if count > uint64(len(r.rest)) {
			r.short = true
		}
		raw := r.take(2 * min(count, math.MaxInt64/2))
		if r.short {
			return part, errStoreShort
		}
		if count < minSplitTokens || textBytes > math.MaxInt64 {
			return part, fmt.Errorf("subset %q, %v: %d tokens of %d bytes; wanted %d tokens at least",
				part.Name, split, count, textBytes, minSplitTokens)
		}
		tokens := make([]uint16, count)
		for i := range tokens {
			tokens[i] = binary.LittleEndian.Uint16(raw[2*i:])
			if int(tokens[i]) >= vocab {
				return part, fmt.Errorf("subset %q, %v: token %d is %d; wanted less than %d",
					part.Name, split, i, tokens[i], vocab)
			}
		}
		part.tokens[split], part.bytes[split] = tokens, int64(textBytes)
	}
	return part, nil
}
