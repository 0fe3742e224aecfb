package token

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// ID names a token. Ids are dense: 0 to Vocab()-1.
type ID = uint16

// Sizes of a vocabulary: at least every byte and the end of text, at most the number of IDs.
const (
	MinVocab = 256 + 1
	MaxVocab = 1 << 16
)

// endOfText is the text of the token that stands between documents, as GPT-2 spells it.
const endOfText = "<|endoftext|>"

// merge joins two neighbouring tokens into one.
type merge struct{ left, right, result ID }

// rule is the result of merging a pair of tokens, and how early the merge was learned.
type rule struct {
	rank   uint32
	result ID
}

// Tokenizer turns bytes into tokens and back. It is immutable: build one with [Train] or [Load].
type Tokenizer struct {
	text      [][]byte // of each token; the end of text is spelled out
	bytes     [256]ID  // the token of each single byte
	merges    []merge  // in the order in which they were learned
	rules     map[uint32]rule
	endOfText ID
	special   []ID // other tokens that no text makes, such as [PAD]; ascending
}

// newTokenizer indexes the merges of an otherwise complete tokenizer.
func newTokenizer(text [][]byte, bytes [256]ID, merges []merge, end ID) *Tokenizer {
	t := &Tokenizer{text: text, bytes: bytes, merges: merges, endOfText: end}
	t.rules = make(map[uint32]rule, len(merges))
	for i, m := range merges {
		t.rules[pair(m.left, m.right)] = rule{uint32(i), m.result}
	}
	return t
}

// pair packs two neighbours into one key, which sorts as (left, right).
func pair(left, right ID) uint32 { return uint32(left)<<16 | uint32(right) }

// Vocab is the number of tokens.
func (t *Tokenizer) Vocab() int { return len(t.text) }

// Reach is one more than the largest id that a text or its end has. A model with that many tokens can read
// every text; special tokens may lie beyond it.
func (t *Tokenizer) Reach() int {
	reach := t.endOfText
	for _, id := range t.bytes {
		reach = max(reach, id)
	}
	for _, m := range t.merges {
		reach = max(reach, m.result)
	}
	return int(reach) + 1
}

// EndOfText is the token that stands between documents. [Tokenizer.Encode] never makes it.
func (t *Tokenizer) EndOfText() ID { return t.endOfText }

// Bytes is the text of one token, nil if there is no such token. Callers must not modify it.
func (t *Tokenizer) Bytes(id ID) []byte {
	if int(id) >= len(t.text) {
		return nil
	}
	return t.text[id]
}

// Decode appends the text of ids to dst. The end of text is spelled <|endoftext|>, and other special tokens
// as their file spells them; an id outside the vocabulary reads as U+FFFD.
func (t *Tokenizer) Decode(dst []byte, ids []ID) []byte {
	for _, id := range ids {
		if int(id) < len(t.text) {
			dst = append(dst, t.text[id]...)
		} else {
			dst = append(dst, "\uFFFD"...)
		}
	}
	return dst
}

// Encode appends the tokens of text to dst. It keeps no cache between calls: to encode many texts, use one
// [Encoder]. The spelling of <|endoftext|> or of another special token has no special meaning in text.
func (t *Tokenizer) Encode(dst []ID, text []byte) []ID { return t.NewEncoder().Encode(dst, text) }

// Digest identifies the tokenizer: SHA-256 over "taolab tokenizer 1", the number of tokens, the end of
// text and the number of merges as 32-bit words, each token's length as a 32-bit word and its bytes,
// and the three ids of each merge as 16-bit words; all little-endian.
func (t *Tokenizer) Digest() [32]byte {
	b := []byte("taolab tokenizer 1")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.text)))
	b = binary.LittleEndian.AppendUint32(b, uint32(t.endOfText))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.merges)))
	for _, text := range t.text {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	for _, m := range t.merges {
		b = binary.LittleEndian.AppendUint16(b, m.left)
		b = binary.LittleEndian.AppendUint16(b, m.right)
		b = binary.LittleEndian.AppendUint16(b, m.result)
	}
	return sha256.Sum256(b)
}

// String describes the tokenizer's size.
func (t *Tokenizer) String() string {
	return fmt.Sprintf("byte-level BPE, %d tokens, %d merges", len(t.text), len(t.merges))
}
