package base

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"taolab/model/pile"
	"taolab/model/token"
)

// Text is a corpus made ready for use: a tokenizer that was trained on it, and its tokens. It is
// shared and read-only.
type Text struct {
	Tokenizer *token.Tokenizer
	Store     *pile.Store
}

// sampleBytes is the amount of training text that the tokenizer is trained on.
const sampleBytes = 2 << 20

// Read makes a corpus ready with a vocabulary of the given size, or takes it from the cache. It
// returns as soon as ctx ends; the reading stops at the next document.
func Read(ctx context.Context, open func() (pile.Source, error), vocab int, cache Cache) (*Text, error) {
	return readWith(ctx, open, tokenization{vocab: vocab}, cache)
}

// ReadWith does the same with an existing tokenizer.
func ReadWith(ctx context.Context, open func() (pile.Source, error), tokenizer *token.Tokenizer, cache Cache) (*Text, error) {
	return readWith(ctx, open, tokenization{tokenizer.Vocab(), tokenizer}, cache)
}

// tokenization is the tokenizer of a text: a given one, or one that is trained on the text.
type tokenization struct {
	vocab int
	given *token.Tokenizer // nil: it is trained
}

func readWith(ctx context.Context, open func() (pile.Source, error), in tokenization, cache Cache) (*Text, error) {
	type result struct {
		text *Text
		err  error
	}
	ended := make(chan result, 1)
	go func() {
		source, err := open()
		if err != nil {
			ended <- result{nil, err}
			return
		}
		text, err := read(interruptible{source, ctx}, in, cache)
		ended <- result{text, err}
	}()
	select {
	case r := <-ended:
		return r.text, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// interruptible is a corpus that yields no more documents once its context has ended.
type interruptible struct {
	pile.Source
	ctx context.Context
}

func (s interruptible) Documents() iter.Seq2[pile.Document, error] {
	return func(yield func(pile.Document, error) bool) {
		for document, err := range s.Source.Documents() {
			if err == nil {
				err = s.ctx.Err()
			}
			if !yield(document, err) || err != nil {
				return
			}
		}
	}
}

func read(source pile.Source, in tokenization, cache Cache) (*Text, error) {
	digest, err := source.Digest()
	if err != nil {
		return nil, err
	}
	key := cacheKey("text", arithmeticVersion, digest, in.vocab)
	if in.given != nil {
		key = cacheKey("text", arithmeticVersion, digest, in.given.Digest())
	}
	return take(cache.Shelf, "text-"+key, (*Text).bytes, func() (*Text, error) { return makeText(source, in, key, cache) })
}

// bytes estimates the text's memory.
func (t *Text) bytes() int64 {
	total := int64(0)
	for subset := range t.Store.Subsets() {
		for _, split := range []pile.Split{pile.Train, pile.Score, pile.HeldOut} {
			total += 2 * int64(len(t.Store.Tokens(subset, split)))
		}
	}
	return total
}

// makeText takes the text from the cache, where it stands under key, or reads the source.
func makeText(source pile.Source, in tokenization, key string, cache Cache) (*Text, error) {
	if data := cache.get("text", key); data != nil {
		text := new(Text)
		err := text.unmarshal(data)
		if err == nil {
			err = text.check(source, in)
		}
		if err == nil {
			return text, nil
		}
		cache.refuse("text", key, err.Error())
	}
	text, err := &Text{Tokenizer: in.given}, error(nil)
	if in.given == nil {
		sample, err := pile.Sample(source, sampleBytes)
		if err != nil {
			return nil, err
		}
		if text.Tokenizer, err = token.Train(sample, in.vocab); err != nil {
			return nil, err
		}
	}
	if text.Store, err = pile.Build(source, text.Tokenizer); err != nil {
		return nil, err
	}
	if data, err := text.append(nil); err == nil {
		cache.keep("text", key, data)
	}
	return text, nil
}

// append appends the length of the tokenizer (8 bytes, little-endian), the tokenizer as JSON, and the
// store.
func (t *Text) append(b []byte) ([]byte, error) {
	tokenizer, err := t.Tokenizer.MarshalJSON()
	if err != nil {
		return nil, err
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(len(tokenizer)))
	return t.Store.AppendBinary(append(b, tokenizer...))
}

func (t *Text) unmarshal(data []byte) (err error) {
	if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(len(data)-8) {
		return fmt.Errorf("%d bytes are too few", len(data))
	}
	tokenizer := binary.LittleEndian.Uint64(data)
	if t.Tokenizer, err = token.Load(data[8 : 8+tokenizer]); err != nil {
		return err
	}
	t.Store = new(pile.Store)
	return t.Store.UnmarshalBinary(data[8+tokenizer:])
}

// checkedBytes is roughly the amount of text that is tokenised again before a cached store is used.
const checkedBytes = 1 << 18

// check tokenises the first training document of each subset again, up to checkedBytes.
func (t *Text) check(source pile.Source, in tokenization) error {
	digest, err := source.Digest()
	switch {
	case err != nil:
		return err
	case t.Store.Source() != digest || t.Store.Tokenizer() != t.Tokenizer.Digest() || t.Tokenizer.Vocab() != in.vocab,
		in.given != nil && t.Tokenizer.Digest() != in.given.Digest():
		return fmt.Errorf("it holds another corpus or another tokenizer")
	}
	encoder := t.Tokenizer.NewEncoder()
	looked, seen := 0, make([]bool, len(source.Subsets()))
	var tokens []uint16
	for document, err := range source.Documents() {
		if err != nil {
			return err
		}
		if looked += len(document.Text); document.Split == pile.Train && !seen[document.Subset] {
			seen[document.Subset] = true
			tokens = encoder.Encode(tokens[:0], document.Text)
			stored := t.Store.Tokens(document.Subset, pile.Train)
			if !slices.Equal(tokens, stored[:min(len(tokens), len(stored))]) {
				return fmt.Errorf("the text of %s has other tokens", t.Store.Subsets()[document.Subset])
			}
		}
		if looked >= checkedBytes || !slices.Contains(seen, false) {
			break
		}
	}
	return nil
}
