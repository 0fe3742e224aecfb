package token

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
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
	golden(t, "testdata/tokenizer.json", data)
	golden(t, "testdata/digest.txt", []byte(hex.EncodeToString(digest[:])+"\n"))
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: differs from what is made now; if that is meant, run the test with -update", path)
	}
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
	for _, c := range []struct{ name, old, new, want string }{
		{"another model", `"type": "BPE"`, `"type": "WordPiece"`, `model.type: wanted "BPE"`},
		{"a normaliser", `"normalizer": null`, `"normalizer": {"type":"NFC"}`, "normalizer: wanted null"},
		{"dropout", `"dropout": null`, `"dropout": 0.1`, "model.dropout: wanted null"},
		{"an unknown token", `"unk_token": null`, `"unk_token": "<unk>"`, "model.unk_token: wanted null"},
		{"byte fallback", `"byte_fallback": false`, `"byte_fallback": true`, "model.byte_fallback: wanted false"},
		{"a prefix blank", `"add_prefix_space": false`, `"add_prefix_space": true`, "pre_tokenizer.add_prefix_space: wanted false"},
		{"no regular expression", `"use_regex": true`, `"use_regex": false`, "pre_tokenizer: wanted ByteLevel"},
		{"another special token", `"content": "<|endoftext|>"`, `"content": "</s>"`, `added_tokens: "</s>"; wanted "<|endoftext|>"`},
		{"an id of two tokens", `"!": 0`, `"!": 1`, "which is taken"},
		{"an id with a hole", `"!": 0`, `"!": 264`, "wanted 0 to 263 without a hole"},
		{"a negative id", `"!": 0`, `"!": -1`, "wanted 0 to 263"},
		{"a fractional id", `"!": 0`, `"!": 0.5`, "no whole number as id"},
		{"a byte without token", `"!": 0`, `"!!!": 0`, "no token for the byte 0x21"},
		{"a character without byte", `"!": 0`, `"€": 0`, "stands for no byte"},
		{"an unknown field", `"version"`, `"release"`, `unknown field "release"`},
		{"the end of text elsewhere", `"id": 263`, `"id": 262`, "has id 262, but 263 in model.vocab"},
		{"nothing after it", "", "", "EOF"},
	} {
		broken := strings.Replace(string(data), c.old, c.new, 1)
		if c.old == "" {
			broken = ""
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

func TestMergesOutOfOrderAreRefused(t *testing.T) {
	data, _ := trained(t, 264).MarshalJSON()
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*file)
		want   string
	}{
		{"backwards", func(f *file) { slices.Reverse(f.Model.Merges) }, "neither a byte nor made by an earlier merge"},
		{"one twice", func(f *file) { f.Model.Merges = append(f.Model.Merges, f.Model.Merges[2]) }, "the same pair as merge 2"},
		{"none", func(f *file) { f.Model.Merges = nil }, "made by no merge"},
		{"one of unknown result", func(f *file) { f.Model.Merges[0] = spelledMerge{"z", "z"} }, "a token that model.vocab lacks"},
		{"one of the end of text", func(f *file) { f.Model.Merges[0] = spelledMerge{"a", endOfText} }, "neither a byte nor made"},
	} {
		g := f
		g.Model.Merges = slices.Clone(f.Model.Merges)
		c.change(&g)
		broken, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = Load(broken); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; wanted one that says %q", c.name, err, c.want)
		}
	}
}

func FuzzLoadingNeverPanicsAndKeepsWhatItReads(f *testing.F) {
	data, _ := trained(f, 260).MarshalJSON()
	f.Add(data)
	f.Add([]byte(`{"model":{"vocab":{"a":0},"merges":["a b",["a"]]}}`))
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
