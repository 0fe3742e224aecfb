package token

import (
	"encoding/json"
	"fmt"
)

// check refuses settings under which this package would encode differently from what the file asks.
func (f *file) check() error {
	null := func(value json.RawMessage) bool { return value == nil || string(value) == "null" }
	m := &f.Model
	for _, rule := range []struct {
		ok          bool
		field, want string
	}{
		{m.Type == "BPE" || m.Type == "", "model.type", "\"BPE\""}, // files older than the field lack it
		{null(m.Dropout), "model.dropout", "null"},
		{null(m.UnknownToken), "model.unk_token", "null: every byte has a token"},
		{m.SubwordPrefix == "", "model.continuing_subword_prefix", "an empty string"},
		{m.WordSuffix == "", "model.end_of_word_suffix", "an empty string"},
		{!m.ByteFallback, "model.byte_fallback", "false"},
		{!m.IgnoreMerges, "model.ignore_merges", "false"},
		{null(f.Truncation), "truncation", "null"},
		{null(f.Padding), "padding", "null"},
		{null(f.Normalizer), "normalizer", "null: text is encoded as it is"},
		{f.PreTokenizer.is("ByteLevel"), "pre_tokenizer", "ByteLevel with its own regular expression"},
		{f.PreTokenizer != nil && !f.PreTokenizer.AddPrefixSpace, "pre_tokenizer.add_prefix_space", "false"},
		{f.PostProcessor == nil || f.PostProcessor.is("ByteLevel"), "post_processor", "null or ByteLevel"},
		{f.Decoder.is("ByteLevel"), "decoder", "ByteLevel"},
		{len(f.AddedTokens) == 1, "added_tokens", "one token, " + endOfText},
		{len(m.Vocab) <= MaxVocab, "model.vocab", fmt.Sprintf("%d tokens at most", MaxVocab)},
	} {
		if !rule.ok {
			return fmt.Errorf("%s: wanted %s", rule.field, rule.want)
		}
	}
	if got := f.AddedTokens[0].Content; got != endOfText {
		return fmt.Errorf("added_tokens: %q; wanted %q", got, endOfText)
	}
	return nil
}

func (b *byteLevel) is(kind string) bool {
	return b != nil && b.Type == kind && (b.UseRegex == nil || *b.UseRegex)
}

// tokenizer builds a tokenizer of a file whose settings are right.
func (f *file) tokenizer() (*Tokenizer, error) {
	text, byText, end, err := f.tokens()
	if err != nil {
		return nil, err
	}
	made := make([]bool, len(text)) // tokens that encoding can reach
	var bytes [256]ID
	for b := range bytes {
		id, ok := byText[string([]byte{byte(b)})]
		if !ok {
			return nil, fmt.Errorf("model.vocab: no token for the byte %#02x, written %q", b, runeOfByte[b])
		}
		bytes[b], made[id] = id, true
	}
	merges := make([]merge, 0, len(f.Model.Merges))
	seen := make(map[uint32]int, len(f.Model.Merges))
	for i, spelled := range f.Model.Merges {
		m, err := resolve(spelled, byText, made)
		if err != nil {
			return nil, fmt.Errorf("model.merges[%d]: %w", i, err)
		}
		if first, again := seen[pair(m.left, m.right)]; again {
			return nil, fmt.Errorf("model.merges[%d]: the same pair as merge %d", i, first)
		}
		if m.result == end {
			return nil, fmt.Errorf("model.merges[%d]: yields %s, which no text may", i, endOfText)
		}
		seen[pair(m.left, m.right)] = i
		made[m.result] = true
		merges = append(merges, m)
	}
	for id, ok := range made {
		if !ok && ID(id) != end {
			return nil, fmt.Errorf("model.vocab: token %d %q is made by no merge", id, spell(text[id]))
		}
	}
	return newTokenizer(text, bytes, merges, end), nil
}

// tokens lists the tokens by id and finds the end of text among them, or puts it after them.
func (f *file) tokens() (text [][]byte, byText map[string]ID, end ID, err error) {
	entries := f.Model.Vocab
	added := f.AddedTokens[0]
	listed := false
	for _, e := range entries {
		listed = listed || e.token == endOfText
	}
	if !listed {
		entries = append(entries[:len(entries):len(entries)], entry{endOfText, added.ID})
	}
	if len(entries) > MaxVocab {
		return nil, nil, 0, fmt.Errorf("model.vocab: %d tokens; wanted %d at most", len(entries), MaxVocab)
	}
	text = make([][]byte, len(entries))
	byText = make(map[string]ID, len(entries))
	for _, e := range entries {
		switch spelled, bad, ok := unspell(e.token); {
		case e.id < 0 || e.id >= len(entries):
			return nil, nil, 0, fmt.Errorf("token %q has id %d; wanted 0 to %d without a hole",
				e.token, e.id, len(entries)-1)
		case text[e.id] != nil:
			return nil, nil, 0, fmt.Errorf("token %q has id %d, which is taken", e.token, e.id)
		case !ok:
			return nil, nil, 0, fmt.Errorf("token %q (id %d): the character %q stands for no byte", e.token, e.id, bad)
		case len(spelled) == 0:
			return nil, nil, 0, fmt.Errorf("token %d is empty", e.id)
		default:
			if _, again := byText[string(spelled)]; again {
				return nil, nil, 0, fmt.Errorf("token %q stands twice", e.token)
			}
			text[e.id], byText[string(spelled)] = spelled, ID(e.id)
		}
	}
	end = byText[endOfText]
	if int(end) != added.ID {
		return nil, nil, 0, fmt.Errorf("added_tokens: %s has id %d, but %d in model.vocab",
			endOfText, added.ID, end)
	}
	return text, byText, end, nil
}

// resolve finds the tokens of a merge. Its parts must exist by then, or a pair learned later could hide
// an earlier one and the order of merging would matter.
func resolve(spelled spelledMerge, byText map[string]ID, made []bool) (merge, error) {
	var ids [3]ID
	joined := ""
	for i, part := range spelled {
		text, bad, ok := unspell(part)
		if !ok {
			return merge{}, fmt.Errorf("%q: the character %q stands for no byte", part, bad)
		}
		id, ok := byText[string(text)]
		if !ok || !made[id] {
			return merge{}, fmt.Errorf("%q is neither a byte nor made by an earlier merge", part)
		}
		ids[i] = id
		joined += string(text)
	}
	id, ok := byText[joined]
	if !ok {
		return merge{}, fmt.Errorf("%q and %q make a token that model.vocab lacks", spelled[0], spelled[1])
	}
	ids[2] = id
	return merge{ids[0], ids[1], ids[2]}, nil
}
