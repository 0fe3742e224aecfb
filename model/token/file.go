package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// file is Hugging Face's tokenizer.json, as far as a byte-level tokenizer like GPT-2's uses it.
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
	UseRegex       *bool  `json:"use_regex,omitempty"` // true where files are older than the field
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

func (v *vocabulary) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return fmt.Errorf("model.vocab is %.20s; wanted an object of token to id", data)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		e := entry{token: key.(string)}
		if err := d.Decode(&e.id); err != nil {
			return fmt.Errorf("model.vocab: token %q has no whole number as id: %w", e.token, err)
		}
		*v = append(*v, e)
	}
	return nil
}

// spelledMerge is ["a", "b"], or "a b" in files older than 2024.
type spelledMerge [2]string

func (m *spelledMerge) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		var joined string
		if err := json.Unmarshal(data, &joined); err != nil {
			return err
		}
		left, right, ok := strings.Cut(joined, " ")
		if !ok {
			return fmt.Errorf("model.merges: %q; wanted two tokens with a blank between them", joined)
		}
		*m = spelledMerge{left, right}
		return nil
	}
	var parts []string
	if err := json.Unmarshal(data, &parts); err != nil || len(parts) != 2 {
		return fmt.Errorf("model.merges: %.40s; wanted two tokens", data)
	}
	*m = spelledMerge(parts)
	return nil
}

// MarshalJSON writes the tokenizer as Hugging Face's tokenizer.json, indented as that library does it.
// Load reads it back with an equal Digest.
func (t *Tokenizer) MarshalJSON() ([]byte, error) {
	yes := true
	null := json.RawMessage("null")
	f := file{
		Version: "1.0", Truncation: null, Padding: null, Normalizer: null,
		AddedTokens:   []addedToken{{ID: int(t.endOfText), Content: endOfText, Special: true}},
		PreTokenizer:  &byteLevel{"ByteLevel", false, true, &yes},
		PostProcessor: &byteLevel{"ByteLevel", true, false, &yes},
		Decoder:       &byteLevel{"ByteLevel", true, true, &yes},
		Model:         bpe{Type: "BPE", Dropout: null, UnknownToken: null, Merges: []spelledMerge{}},
	}
	for i, text := range t.text {
		f.Model.Vocab = append(f.Model.Vocab, entry{spell(text), i})
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

// Load reads a tokenizer.json of a byte-level tokenizer like GPT-2's. It refuses whatever it would not
// encode exactly as the file asks: another model, a normaliser, a prefix blank, an alphabet that lacks a
// byte, ids with holes, merges out of order, special tokens but <|endoftext|>, unknown fields.
func Load(data []byte) (*Tokenizer, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("token: tokenizer.json: at byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("token: tokenizer.json: something follows the object, at byte %d", d.InputOffset())
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("token: tokenizer.json: %w", err)
	}
	t, err := f.tokenizer()
	if err != nil {
		return nil, fmt.Errorf("token: tokenizer.json: %w", err)
	}
	return t, nil
}
