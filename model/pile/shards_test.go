package pile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"taolab/model/jsontext"
	"taolab/model/num"
	"taolab/model/token"
)

// shardLine is a document as a line.
func shardLine(t testing.TB, subset, text string) string {
	t.Helper()
	line, err := json.Marshal(map[string]any{"text": text, "meta": map[string]string{"pile_set_name": subset}})
	if err != nil {
		t.Fatal(err)
	}
	return string(line) + "\n"
}

// folder writes files and returns their folder; a name that ends in .zst is compressed.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files { // order-free: each file is written by itself
		data := []byte(text)
		if strings.HasSuffix(name, ".zst") {
			data = compressed(t, text)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func compressed(t testing.TB, text string) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll([]byte(text), nil)
}

// documents is a transcript of what a source yields.
func documents(t testing.TB, src Source) (all []string) {
	t.Helper()
	names := src.Subsets()
	for document, err := range src.Documents() {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s/%v: %s", names[document.Subset].Name, document.Split, document.Text))
	}
	return all
}

func TestShardsAreReadInTheOrderOfTheirNames(t *testing.T) {
	dir := folder(t, map[string]string{
		"01.jsonl":         shardLine(t, "Github", "third") + "\n  \n" + strings.TrimSuffix(shardLine(t, "New", "fourth"), "\n"),
		"00.jsonl.zst":     shardLine(t, "FreeLaw", "first") + shardLine(t, "Github", "second"),
		"val.jsonl.zst":    shardLine(t, "FreeLaw", "held"),
		"test-more.jsonl":  shardLine(t, "Github", "out"),
		"README.md":        "not a shard",
		"00.jsonl.zst.bak": "nor this",
	})
	s, err := Open(dir, 0, nil, RefuseInvalid)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := documents(t, s), []string{
		"FreeLaw/train: first", "Github/train: second", "Github/train: third", "New/train: fourth",
		"Github/held out: out", "FreeLaw/held out: held",
	}; !slices.Equal(got, want) {
		t.Errorf("documents %q; wanted %q", got, want)
	}
	if got := s.Subsets(); len(got) != 3 || got[0].Name != "Github" || got[1].Name != "FreeLaw" || got[2].Name != "New" {
		t.Errorf("subsets %v; wanted the paper's order, then unknown ones", got)
	}
	if s, err = Open(filepath.Join(dir, "01.jsonl"), 0, nil, RefuseInvalid); err != nil || len(documents(t, s)) != 2 {
		t.Errorf("a single file is not read: %v", err)
	}
	if s, err = Open(dir, 0, []string{"FreeLaw"}, RefuseInvalid); err != nil {
		t.Fatal(err)
	}
	if got := documents(t, s); !slices.Equal(got, []string{"FreeLaw/train: first", "FreeLaw/held out: held"}) {
		t.Errorf("of one wanted subset: %q", got)
	}
}

func TestTheDigestIsOfTheTextNotOfItsPacking(t *testing.T) {
	text := shardLine(t, "Github", "one") + shardLine(t, "Github", "two")
	digest := func(limit int64, wanted []string, files map[string]string) [32]byte {
		s, err := Open(folder(t, files), limit, wanted, RefuseInvalid)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := s.Digest()
		return d
	}
	plain := digest(0, nil, map[string]string{"00.jsonl": text})
	if packed := digest(0, nil, map[string]string{"a.jsonl.zst": text}); packed != plain {
		t.Error("compression changes the digest")
	}
	for name, other := range map[string][32]byte{ // order-free: each is compared by itself
		"other text":  digest(0, nil, map[string]string{"00.jsonl": strings.Replace(text, "two", "Two", 1)}),
		"a limit":     digest(4, nil, map[string]string{"00.jsonl": text}),
		"a wish":      digest(0, []string{"Github"}, map[string]string{"00.jsonl": text}),
		"being held":  digest(0, nil, map[string]string{"00.jsonl": text, "val.jsonl": text}),
		"a subset":    digest(0, nil, map[string]string{"00.jsonl": strings.Replace(text, "Github", "GitHub", 1)}),
		"the cutting": digest(0, nil, map[string]string{"00.jsonl": shardLine(t, "Github", "onetwo")}),
	} {
		if other == plain {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestDocumentsAreSplitByTheirTextWhereNothingIsHeldOut(t *testing.T) {
	var lines strings.Builder
	for i := range 4000 {
		lines.WriteString(shardLine(t, "New", fmt.Sprintf("document %d", i)))
	}
	lines.WriteString(shardLine(t, "Other", "document 17"))
	count := func(files map[string]string) (n [splits]int) {
		s, err := Open(folder(t, files), 0, nil, RefuseInvalid)
		if err != nil {
			t.Fatal(err)
		}
		var of17 []Split
		for document := range s.Documents() {
			n[document.Split]++
			if string(document.Text) == "document 17" {
				of17 = append(of17, document.Split)
			}
		}
		if len(of17) != 2 || of17[0] != of17[1] {
			t.Errorf("copies of a document lie in %v", of17)
		}
		return n
	}
	n := count(map[string]string{"0.jsonl": lines.String()})
	if n[Train] < 3400 || n[Score] < 200 || n[Score] > 300 || n[HeldOut] < 200 || n[HeldOut] > 300 {
		t.Errorf("4001 documents are split %v; wanted 14/16, 1/16, 1/16", n)
	}
	n = count(map[string]string{"0.jsonl": lines.String(), "val.jsonl": shardLine(t, "New", "held")})
	if n[HeldOut] != 1 || n[Score] < 200 || n[Score] > 300 {
		t.Errorf("4001 documents and one held out are split %v; wanted 15/16, 1/16, one", n)
	}
}

func TestALimitLeavesTheBeginningOfEachSubset(t *testing.T) {
	var lines strings.Builder
	for i := range 100 {
		lines.WriteString(shardLine(t, "Github", fmt.Sprintf("%03d%s", i, strings.Repeat("g", 97))))
		if i < 3 {
			lines.WriteString(shardLine(t, "FreeLaw", strings.Repeat("f", 50)))
		}
	}
	lines.WriteString(shardLine(t, "New", "never looked at"))
	dir := folder(t, map[string]string{"0.jsonl": lines.String()})
	s, err := Open(dir, 1000, nil, RefuseInvalid)
	if err != nil {
		t.Fatal(err)
	}
	var text [2]strings.Builder
	for document, err := range s.Documents() {
		if err != nil {
			t.Fatal(err)
		}
		text[document.Subset].Write(document.Text)
	}
	if got := text[1].String(); got != strings.Repeat("f", 150) {
		t.Errorf("the small subset is cut to %d bytes of 150", len(got))
	}
	if got := text[0].String(); len(got) != 850 || !strings.HasPrefix(got, "000ggg") || strings.Count(got, "00") < 8 {
		t.Errorf("the large subset has %d bytes; wanted its first 850", len(got))
	}
	again, err := Open(dir, 1000, nil, RefuseInvalid)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(documents(t, s), documents(t, again)) {
		t.Error("a limited corpus differs when it is read again")
	}
}

func TestASubsetThatAppearsLaterIsAnError(t *testing.T) {
	dir := folder(t, map[string]string{"0.jsonl": shardLine(t, "Github", "old")})
	s, err := Open(dir, 0, nil, RefuseInvalid)
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(shardLine(t, "FreeLaw", "new"))
	if err := os.WriteFile(filepath.Join(dir, "0.jsonl"), changed, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err = range s.Documents() {
	}
	checkError(t, "a rewritten file", err, []string{"FreeLaw", "the files have changed"})
}

func TestErrorsNameTheShardTheLineAndTheFault(t *testing.T) {
	good := shardLine(t, "Github", "fine")
	long := compressed(t, strings.Repeat(good, 1000)+shardLine(t, "Github", randomText(50_000)))
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"a broken line", map[string]string{"0.jsonl": good, "1.jsonl": good + "\n" + good + `{"text": "x"` + "\n" + good},
			[]string{"1.jsonl: line 4: invalid JSON at byte 13 of the line: the text ends here; expected"}},
		{"no text field", map[string]string{"0.jsonl.zst": good + `{"meta":{}}`}, []string{"0.jsonl.zst: line 2: no \"text\"; wanted"}},
		{"a number for text", map[string]string{"0.jsonl": `{"text":3}`}, []string{"0.jsonl: line 1: \"text\" is a JSON number; wanted a string"}},
		{"not zstd", map[string]string{"0.jsonl": good, "1.jsonl.zst": ""}, nil}, // an empty file is an empty stream
		{"a long name", map[string]string{"0.jsonl": shardLine(t, strings.Repeat("n", 257), "x")}, []string{"has 257 bytes; wanted 256 at most"}},
		{"no text at all", map[string]string{"0.jsonl": "\n\n"}, []string{"no text; wanted documents"}},
		{"only empty texts", map[string]string{"0.jsonl": shardLine(t, "Github", "")}, []string{"no text; wanted documents"}},
		{"only held-out shards", map[string]string{"val.jsonl": good}, []string{"only held-out shards", "wanted one to train on"}},
		{"no shard", map[string]string{"notes.txt": good}, []string{"0 shards; wanted 1 to 65536 files ending in .jsonl"}},
	} {
		_, err := Open(folder(t, c.files), 0, nil, RefuseInvalid)
		checkError(t, c.name, err, c.want)
	}
	dir := folder(t, map[string]string{"0.jsonl": good, "x.txt": good})
	if err := os.WriteFile(filepath.Join(dir, "1.jsonl.zst"), long[:len(long)-40000], 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(filepath.Join(dir, "1.jsonl.zst"), 0, nil, RefuseInvalid)
	checkError(t, "a truncated frame", err, []string{"1.jsonl.zst: line ", "the file ends within a zstd frame", "wanted a whole file"})
	_, err = Open(filepath.Join(dir, "none"), 0, nil, RefuseInvalid)
	checkError(t, "a missing folder", err, []string{"no such file", "wanted a folder of .jsonl or .jsonl.zst files"})
	_, err = Open(filepath.Join(dir, "x.txt"), 0, nil, RefuseInvalid)
	checkError(t, "another ending", err, []string{"unknown ending; wanted .jsonl"})
	_, err = Open(filepath.Join(dir, "0.jsonl"), 0, []string{"FreeLaw"}, RefuseInvalid)
	checkError(t, "no text of a wanted subset", err, []string{"no text; wanted", "of subset FreeLaw"})
	_, err = Open(filepath.Join(dir, "0.jsonl"), 0, []string{"Github", "FreeLaw"}, RefuseInvalid)
	checkError(t, "one wanted subset of two", err, []string{`no text of subset "FreeLaw"; found Github`})
	_, err = Open(filepath.Join(dir, "0.jsonl"), -1, nil, RefuseInvalid)
	checkError(t, "a negative limit", err, []string{"a limit of -1 bytes"})
}

func checkError(t *testing.T, name string, err error, want []string) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("%s: %v; wanted no error", name, err)
		}
		return
	}
	for _, part := range want {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: error %v; wanted one that says %q", name, err, part)
		}
	}
}

func randomText(n int) string {
	stream := num.NewStream(1, "text")
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + stream.IntN(90))
	}
	return string(b)
}

// endless yields a line without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	_, err := newLines(endless{}).next()
	checkError(t, "an endless line", err, []string{"longer than 64 MiB; wanted one document per line"})
}

func FuzzLinesAreCutWhereNewlinesAre(f *testing.F) {
	f.Add([]byte("{\"text\": \"a\"}\n\n{\"text\": \"\\u00e9\", \"meta\": {\"pile_set_name\": \"x\"}}"))
	f.Add([]byte("\n \n{\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := newLines(bytes.NewReader(data))
		for number, want := range bytes.Split(data, []byte("\n")) {
			if want = bytes.TrimPrefix(want, []byte(jsontext.Mark)); len(bytes.TrimSpace(want)) == 0 {
				continue
			}
			line, err := in.next()
			if err != nil || !bytes.Equal(line, want) || in.number != number+1 {
				t.Fatalf("line %d is %q (%v), counted %d; wanted %q", number+1, line, err, in.number, want)
			}
			r, err := new(lineParser).parse(line)
			var any map[string]any
			if strict := json.Unmarshal(line, &any); err == nil && (strict != nil || any == nil) {
				t.Fatalf("%q reads as %+v, but is not JSON object: %v", line, r, strict)
			}
			if err == nil && (r.subset == "" || len(r.subset) > maxNameBytes) {
				t.Fatalf("%q has the subset %q", line, r.subset)
			}
		}
		if line, err := in.next(); err != io.EOF {
			t.Fatalf("after the last line: %q, %v", line, err)
		}
	})
}

func TestTheRealCorpusIsReadWhole(t *testing.T) {
	const path = "../../../shared/corpus"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real text to read: %v", err)
	}
	s, err := Open(path, 3_000_000, nil, RefuseInvalid)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(s.Subsets()); got != 8 {
		t.Fatalf("%d subsets; wanted 8", got)
	}
	sample, err := Sample(s, 300_000)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := token.Train(sample, 512)
	if err != nil {
		t.Fatal(err)
	}
	store, err := Build(s, tok)
	if err != nil {
		t.Fatal(err)
	}
	model := NewBigram(store)
	total := int64(0)
	for i, name := range store.Subsets() {
		for split := range splits {
			total += store.Bytes(i, split)
			if n := len(store.Tokens(i, split)); n < minSplitTokens {
				t.Errorf("%s has %d tokens of %v", name, n, split)
			}
		}
		text := store.Tokens(i, HeldOut)
		if loss := model.Loss(text[:len(text)-1], text[1:]); loss < 1.5 || loss > 5.5 {
			t.Errorf("%s: a bigram model has %.3f nats per token; wanted 1.5 to 5.5", name, loss)
		}
	}
	if total > 3_000_000 || total < 2_900_000 {
		t.Errorf("%d bytes are read under a limit of 3000000", total)
	}
	if b := store.BytesPerToken(); b < 1.5 || b > 3 {
		t.Errorf("%.3f bytes per token; wanted 1.5 to 3", b)
	}
}
