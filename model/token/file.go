package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// file is Hugging Face's tokenizer.json as it is written; load.go reads it.
type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  *byteLevel      `json:"pre_tokenizer"`
	PostProcessor *byteLevel      `json:"post_processor"`
	Decoder       *byteLevel      `json:"decoder"`
	Model         bpe             `json:"model"`
}

type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       bool   `json:"use_regex"`
}

type bpe struct {
	Type          string          `json:"type"`
	Dropout       json.RawMessage `json:"dropout"`
	UnknownToken  json.RawMessage `json:"unk_token"`
	SubwordPrefix string          `json:"continuing_subword_prefix"`
	WordSuffix    string          `json:"end_of_word_suffix"`
	FuseUnknown   bool            `json:"fuse_unk"`
	ByteFallback  bool            `json:"byte_fallback"`
	IgnoreMerges  bool            `json:"ignore_merges"`
	Vocab         vocabulary      `json:"vocab"`
	Merges        []spelledMerge  `json:"merges"`
}

// vocabulary is an object of token to id, written in the order of ids.
type vocabulary []entry

type entry struct {
	token string
	id    int
}

func (v vocabulary) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, e := range v {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(e.token)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(append(b, key...), ":%d", e.id)
	}
	return append(b, '}'), nil
}

type spelledMerge [2]string

// MarshalJSON writes the tokenizer as Hugging Face's tokenizer.json, indented as that library does it.
// Load reads it back with an equal Digest.
func (t *Tokenizer) MarshalJSON() ([]byte, error) {
	null := json.RawMessage("null")
	f := file{
		Version: "1.0", Truncation: null, Padding: null, Normalizer: null,
		AddedTokens:   t.addedTokens(),
		PreTokenizer:  &byteLevel{"ByteLevel", false, true, true},
		PostProcessor: &byteLevel{"ByteLevel", true, false, true},
		Decoder:       &byteLevel{"ByteLevel", true, true, true},
		Model:         bpe{Type: "BPE", Dropout: null, UnknownToken: null, Merges: []spelledMerge{}},
	}
	for i, text := range t.text {
		spelled := spell(text)
		if t.isAdded(ID(i)) {
			spelled = string(text)
		}
		f.Model.Vocab = append(f.Model.Vocab, entry{spelled, i})
	}
	for _, m := range t.merges {
		f.Model.Merges = append(f.Model.Merges, spelledMerge{spell(t.text[m.left]), spell(t.text[m.right])})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(f)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// isAdded reports whether no text yields the token: the end of text, or a special one.
func (t *Tokenizer) isAdded(id ID) bool {
	_, special := slices.BinarySearch(t.special, id)
	return special || id == t.endOfText
}

func (t *Tokenizer) addedTokens() []addedToken {
	ids := append([]ID{t.endOfText}, t.special...)
	slices.Sort(ids)
	var list []addedToken
	for _, id := range ids {
		list = append(list, addedToken{ID: int(id), Content: string(t.text[id]), Special: true})
	}
	return list
}
