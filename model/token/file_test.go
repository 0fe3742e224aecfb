package token

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"taolab/model/golden"
)

func TestAFileReadsBackAsTheSameTokenizer(t *testing.T) {
	for _, vocab := range []int{257, 300, 340} {
		tok := trained(t, vocab)
		data, err := tok.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Load(data)
		if err != nil {
			t.Fatal(err)
		}
		if back.Digest() != tok.Digest() {
			t.Errorf("vocab %d: digest %x reads back as %x", vocab, tok.Digest(), back.Digest())
		}
		again, _ := back.MarshalJSON()
		if !bytes.Equal(again, data) {
			t.Errorf("vocab %d: the file changes when it is read and written", vocab)
		}
		compact, err := json.Marshal(tok)
		if err != nil {
			t.Fatal(err)
		}
		if back, err = Load(compact); err != nil || back.Digest() != tok.Digest() {
			t.Errorf("vocab %d: the compact file reads back as another tokenizer (%v)", vocab, err)
		}
	}
}

func TestTheFileIsTheGoldenOne(t *testing.T) {
	tok := trained(t, 264)
	data, err := tok.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	digest := tok.Digest()
	golden.Compare(t, "testdata/tokenizer.json", string(data))
	golden.Compare(t, "testdata/digest.txt", hex.EncodeToString(digest[:])+"\n")
}

// Files by other tools number their tokens as they like, list merges as strings, may leave the end of
// text to the added tokens and need not say that the model is BPE.
func TestForeignButEqualFilesAreRead(t *testing.T) {
	tok := trained(t, 264)
	data, _ := tok.MarshalJSON()
	older := string(data)
	for _, m := range tok.merges {
		left, right := spell(tok.text[m.left]), spell(tok.text[m.right])
		l, _ := json.Marshal(left)
		r, _ := json.Marshal(right)
		pairLines := fmt.Sprintf("[\n        %s,\n        %s\n      ]", l, r)
		joined, _ := json.Marshal(left + " " + right)
		if !strings.Contains(older, pairLines) {
			t.Fatalf("merge %s is not in the file", pairLines)
		}
		older = strings.Replace(older, pairLines, string(joined), 1)
	}
	older = strings.Replace(older, fmt.Sprintf(",\n      %q: 263", endOfText), "", 1)
	older = strings.Replace(older, "\"type\": \"BPE\",\n", "", 1) // as in GPT-2's own file
	back, err := Load([]byte(older))
	if err != nil {
		t.Fatal(err)
	}
	if back.Digest() != tok.Digest() {
		t.Error("the older form reads as another tokenizer")
	}
	swapped := strings.NewReplacer(`"!": 0`, `"!": 1`, `"\"": 1`, `"\"": 0`).Replace(string(data))
	back, err = Load([]byte(swapped))
	if err != nil {
		t.Fatal(err)
	}
	if got := back.Encode(nil, []byte(`!"`)); !slices.Equal(got, []ID{1, 0}) {
		t.Errorf("with ids 0 and 1 swapped, !\" encodes to %v", got)
	}
}

func TestFilesThatMeanSomethingElseAreRefused(t *testing.T) {
	data, _ := trained(t, 264).MarshalJSON()
	const added = `"special": true
    }`
	for _, c := range []struct{ name, old, new, want string }{
		{"another model", `"type": "BPE"`, `"type": "WordPiece"`, `line 36, column 13: model.type: found "WordPiece"; expected "BPE"`},
		{"a normaliser", `"normalizer": null`, `"normalizer": {"type":"NFC"}`, `normalizer: found one of type "NFC"; wanted null`},
		{"dropout", `"dropout": null`, `"dropout": 0.1`, "model.dropout: found 0.1; expected null"},
		{"a prefix", `"continuing_subword_prefix": ""`, `"continuing_subword_prefix": "##"`, "model.continuing_subword_prefix: found \"##\""},
		{"a suffix", `"end_of_word_suffix": ""`, `"end_of_word_suffix": "</w>"`, "model.end_of_word_suffix: found \"</w>\""},
		{"a prefix blank", `"add_prefix_space": false`, `"add_prefix_space": true`, "pre_tokenizer.add_prefix_space: found true; expected false"},
		{"no regular expression", `"use_regex": true`, `"use_regex": false`, "pre_tokenizer.use_regex: found false; expected true"},
		{"another cutter", `"pre_tokenizer": {`, `"pre_tokenizer": {"type": "Metaspace"}, "old": {`, `pre_tokenizer: found one of type "Metaspace"; wanted ByteLevel`},
		{"two cutters", `"pre_tokenizer": {`, `"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "ByteLevel"}]}, "old": {`,
			`pre_tokenizer: found one of type "Sequence"; wanted ByteLevel`},
		{"no cutter", `"pre_tokenizer": {`, `"old": {`, `no "pre_tokenizer"; wanted ByteLevel`},
		{"tokens around a text", `"post_processor": {`, `"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}},
			{"Sequence": {"id": "A"}}]}, "old": {`, `post_processor: found one of type "TemplateProcessing"; wanted null, or one that adds no tokens`},
		{"another decoder", `"decoder": {`, `"decoder": {"type": "WordPiece"}, "old": {`, `decoder: found one of type "WordPiece"`},
		{"another end of text", `"content": "<|endoftext|>"`, `"content": "</s>"`, `no <|endoftext|>; wanted it as the token between texts`},
		{"a word that is added", added, added + `, {"id": 264, "content": "whole word", "special": false}`,
			`added_tokens[1]: "whole word" (id 264) is not special: it changes how text that holds it is cut`},
		{"a special token twice", added, added + `, {"id": 264, "content": "[PAD]", "special": true}, {"id": 265, "content": "[PAD]", "special": true}`,
			`added_tokens[2]: "[PAD]" appears twice`},
		{"a special token with a hole", added, added + `, {"id": 300, "content": "[PAD]", "special": true}`,
			`added_tokens[1]: token "[PAD]" has id 300; wanted 0 to 264, without a hole`},
		{"a special token of a taken id", added, added + `, {"id": 7, "content": "[PAD]", "special": true}`, `token "[PAD]" has id 7, which is taken`},
		{"a special token without id", added, added + `, {"content": "[PAD]", "special": true}`, `no "id"; wanted a whole number`},
		{"a byte that is special", added, added + `, {"id": 0, "content": "!", "special": true}`, `no token for the byte 0x21`},
		{"an id of two tokens", `"!": 0`, `"!": 1`, "which is taken"},
		{"an id with a hole", `"!": 0`, `"!": 264`, `model.vocab.!: found 264 as id of token "!"; wanted a whole number from 0 to 263, without a hole`},
		{"a negative id", `"!": 0`, `"!": -1`, "wanted a whole number from 0 to 263"},
		{"a fractional id", `"!": 0`, `"!": 0.5`, "found 0.5 as id"},
		{"a byte without token", `"!": 0`, `"!!!": 0`, "no token for the byte 0x21"},
		{"a character without byte", `"!": 0`, `"€": 0`, "stands for no byte"},
		{"a member in another case", `"vocab": {`, `"Vocab": {`, `no "model.vocab"; wanted an object of token to id`},
		{"a token twice", `"!": 0`, `"!": 0, "\u0021": 1`, "model.vocab.!: the key appears twice in its object"},
		{"the end of text elsewhere", `"id": 263`, `"id": 262`, "has id 263, but 262 in added_tokens"},
		{"bytes that are not UTF-8", `"!": 0`, "\"\xff\": 0", "line 45, column 8: not UTF-8 (byte 0xff)"},
		{"nothing after it", "", "", "the text ends here; expected a value"},
	} {
		broken := strings.Replace(string(data), c.old, c.new, 1)
		if c.old == "" {
			broken = ""
		} else if broken == string(data) {
			t.Errorf("%s: %q does not stand in the file", c.name, c.old)
		}
		_, err := Load([]byte(broken))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "token: tokenizer.json: ") {
			t.Errorf("%s: error %v; wanted one that says %q", c.name, err, c.want)
		}
	}
	if _, err := Load(append(data, '{')); err == nil {
		t.Error("a file with two values is read")
	}
}

// What other programs leave in a file and changes no id.
func TestWhatChangesNoIdIsPassedOver(t *testing.T) {
	tok := trained(t, 264)
	data, _ := tok.MarshalJSON()
	const added = `"special": true
    }`
	text := []byte("the [PAD] cat, the \xff dog<|endoftext|>[PAD]")
	for _, c := range []struct{ name, old, new string }{
		{"a byte order mark", `{`, "\ufeff{"},
		{"truncation", `"truncation": null`, `"truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}`},
		{"padding", `"padding": null`, `"padding": {"strategy": "BatchLongest", "pad_id": 0, "pad_token": "!"}`},
		{"an unknown token", `"unk_token": null`, `"unk_token": "<|endoftext|>"`},
		{"an unknown token that is nowhere", `"unk_token": null`, `"unk_token": "<unk>"`},
		{"byte fallback", `"byte_fallback": false`, `"byte_fallback": true`},
		{"fused unknowns", `"fuse_unk": false`, `"fuse_unk": true`},
		{"no dropout", `"dropout": null`, `"dropout": 0.0`},
		{"an unknown member", `"version"`, `"made_by": {"x": [1, "version"]}, "version"`},
		{"an unknown member of the model", `"dropout"`, `"speed": 9, "dropout"`},
		{"a member in another case", `"normalizer": null`, `"Normalizer": {"type": "NFC"}, "normalizer": null`},
		{"a normaliser of nothing", `"normalizer": null`, `"normalizer": {"type": "Sequence", "normalizers": []}`},
		{"whole words first", `"ignore_merges": false`, `"ignore_merges": true`},
		{"a template of the text itself", `"post_processor": {`, `"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
			"pair": [{"Sequence": {"id": "A"}}], "special_tokens": {}}, "old": {`},
		{"no decoder", `"decoder": {`, `"decoder": null, "old": {`},
		{"a sequence of one", `"decoder": {`, `"decoder": {"type": "Sequence", "decoders": [{"type": "ByteLevel"}, {"type": "Fuse"}]}, "old": {`},
		{"a token that nothing makes", `"vocab": {`, `"vocab": {"theĠdog": 264,`},
		{"a special token", added, added + `, {"id": 264, "content": "[PAD]", "special": true, "lstrip": true, "normalized": true}`},
		{"special tokens with blanks, one in the vocabulary", added, `"special": true
    }, {"id": 265, "content": "an é", "special": true}, {"id": 264, "content": "[PAD]", "special": true}`},
	} {
		changed := strings.Replace(string(data), c.old, c.new, 1)
		if strings.HasPrefix(c.name, "special tokens") {
			changed = strings.Replace(changed, `"vocab": {`, `"vocab": {"an é": 265,`, 1)
		}
		if changed == string(data) {
			t.Errorf("%s: %q does not stand in the file", c.name, c.old)
		}
		back, err := Load([]byte(changed))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := back.Encode(nil, text); !slices.Equal(got, tok.Encode(nil, text)) || back.EndOfText() != tok.EndOfText() ||
			back.Reach() != tok.Vocab() {
			t.Errorf("%s: text encodes to %v", c.name, got)
		}
		written, err := back.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(written)
		if err != nil || again.Digest() != back.Digest() || !slices.Equal(again.special, back.special) {
			t.Errorf("%s: does not survive writing: %v", c.name, err)
		}
	}
}

func TestSpecialTokensAreReadBackAsTheyAreSpelled(t *testing.T) {
	data, _ := trained(t, 257).MarshalJSON()
	const added = `"special": true
    }`
	more := strings.Replace(string(data), added, added+`, {"id": 258, "content": "[PAD]", "special": true}, {"id": 257, "content": "é Ġ", "special": true}`, 1)
	tok, err := Load([]byte(more))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(tok.Decode(nil, []ID{257, 258, 256, 259})); got != "é Ġ[PAD]<|endoftext|>\uFFFD" {
		t.Errorf("%q", got)
	}
	if tok.Vocab() != 259 || tok.Reach() != 257 {
		t.Errorf("%d tokens, reach %d", tok.Vocab(), tok.Reach())
	}
}

// Reach is that of the token with the largest id, whether it ends texts, is a byte or was merged.
func TestReachIsThatOfTheLargestIdOfText(t *testing.T) {
	data, _ := trained(t, 264).MarshalJSON()
	for _, c := range []struct{ name, one, other string }{
		{"the end of text", `"id": 263`, `"id": 263`},
		{"a byte", `"!": 0`, `"!": 263`},
		{"a merged token", `"Ġth": 258`, `"Ġth": 263`},
	} {
		changed := string(data)
		if c.one != c.other {
			_, id, _ := strings.Cut(c.one, ": ")
			if !strings.Contains(changed, c.one) {
				t.Fatalf("%s: no %s", c.name, c.one)
			}
			changed = strings.NewReplacer(c.one, c.other, `|\u003e": 263`, `|\u003e": `+id, `"id": 263`, `"id": `+id).Replace(changed)
		}
		const added = "\"special\": true\n    }"
		changed = strings.Replace(changed, added, added+`, {"id": 264, "content": "[PAD]", "special": true}`, 1)
		tok, err := Load([]byte(changed))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if tok.Reach() != 264 || tok.Vocab() != 265 {
			t.Errorf("%s: reach %d of %d tokens", c.name, tok.Reach(), tok.Vocab())
		}
	}
}

// A tokenizer whose merges do not lead to a word of the vocabulary cuts it otherwise when whole words
// come first.
func TestWholeWordsFirstIsRefusedWhereItMatters(t *testing.T) {
	data, _ := trained(t, 264).MarshalJSON()
	changed := strings.Replace(string(data), `"vocab": {`, `"vocab": {"xyz": 264,`, 1)
	if _, err := Load([]byte(changed)); err != nil {
		t.Error(err)
	}
	changed = strings.Replace(changed, `"ignore_merges": false`, `"ignore_merges": true`, 1)
	if _, err := Load([]byte(changed)); err == nil || !strings.Contains(err.Error(), `model.ignore_merges: found true, and token 264 "xyz"`) {
		t.Error(err)
	}
}

func TestMergesOutOfOrderAreRefused(t *testing.T) {
	data, _ := trained(t, 264).MarshalJSON()
	var f struct {
		Model struct {
			Merges [][]string `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	merges := f.Model.Merges
	from := bytes.Index(data, []byte(`"merges": [`))
	for _, c := range []struct {
		name   string
		merges any
		want   string
	}{
		{"backwards", reversed(merges), "\" is neither a byte nor made by an earlier merge"},
		{"one twice", append(slices.Clone(merges), merges[2]), "the same pair as merge 2"},
		{"none", [][]string{}, "is made by no merge"},
		{"null", nil, "model.merges: found null; expected a list of pairs"},
		{"one of unknown result", [][]string{{"z", "z"}}, "a token that model.vocab lacks"},
		{"one of the end of text", [][]string{{"a", endOfText}}, "neither a byte nor made"},
		{"one of three", [][]string{{"a", "b", "c"}}, "wanted two tokens"},
		{"one without a blank", []string{"ab"}, "found \"ab\"; wanted two tokens"},
		{"one of numbers", []any{[]int{1, 2}}, "model.merges[0][0]: found 1; expected a string"},
		{"numbers", []int{1}, "found 1; wanted two tokens"},
	} {
		list, err := json.Marshal(c.merges)
		if err != nil {
			t.Fatal(err)
		}
		broken := fmt.Sprintf("%s\"merges\": %s}}", data[:from], list)
		if _, err = Load([]byte(broken)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; wanted one that says %q", c.name, err, c.want)
		}
	}
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func FuzzLoadingNeverPanicsAndKeepsWhatItReads(f *testing.F) {
	data, _ := trained(f, 260).MarshalJSON()
	f.Add(data)
	f.Add([]byte(`{"model":{"vocab":{"a":0},"merges":["a b",["a"]]}}`))
	f.Add(bytes.Replace(data, []byte(`"special": true`), []byte(`"special": true}, {"id": 260, "content": "[PAD]", "special": true`), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		tok, err := Load(data)
		if err != nil {
			return
		}
		written, err := tok.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Load(written)
		if err != nil || back.Digest() != tok.Digest() {
			t.Fatalf("a file that was read does not survive writing: %v", err)
		}
		text := []byte("the \xff fox")
		if got := tok.Decode(nil, tok.Encode(nil, text)); !bytes.Equal(got, text) {
			t.Fatalf("%q decodes to %q", text, got)
		}
	})
}
