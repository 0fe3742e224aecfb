package pile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/model/golden"
	"taolab/model/num"
	"taolab/model/token"
)

// texts is a source in memory.
type texts struct {
	subsets   []Subset
	documents []Document
	err       error
}

func (s texts) Subsets() []Subset         { return s.subsets }
func (s texts) Digest() ([32]byte, error) { return [32]byte{1}, nil }
func (s texts) Documents() iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		for _, document := range s.documents {
			if !yield(document, nil) {
				return
			}
		}
		if s.err != nil {
			yield(Document{}, s.err)
		}
	}
}

// plain is the tokenizer of bytes: no merges.
func plain(t testing.TB) *token.Tokenizer {
	t.Helper()
	tok, err := token.Train(nil, token.MinVocab)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func text(n int, with string) []byte { return bytes.Repeat([]byte(with), n)[:n] }

func small(t testing.TB) *Store {
	t.Helper()
	store, err := Build(texts{
		subsets: []Subset{{"a", 0.75}, {"b", 0.25}},
		documents: []Document{
			{0, Train, text(5000, "ab")}, {0, Score, text(300, "abc")}, {0, HeldOut, text(400, "abcd")},
			{1, Train, text(4000, "xy")}, {1, Train, text(100, "z")}, {1, Score, text(256, "yz")}, {1, HeldOut, text(256, "w")},
		},
	}, plain(t))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestDocumentsAreJoinedByTheEndOfText(t *testing.T) {
	s := small(t)
	tok := plain(t)
	got := s.Tokens(1, Train)
	var want []uint16
	want = append(tok.Encode(want, text(4000, "xy")), tok.EndOfText())
	want = append(tok.Encode(want, text(100, "z")), tok.EndOfText())
	if !slices.Equal(got, want) {
		t.Error("two documents are stored as something else")
	}
	if s.Bytes(1, Train) != 4100 || s.Vocab() != 257 || s.EndOfText() != 256 || s.Tokenizer() != tok.Digest() {
		t.Errorf("%d bytes, vocabulary %d, end of text %d", s.Bytes(1, Train), s.Vocab(), s.EndOfText())
	}
	if got, want := s.BytesPerToken(), 0.75*300/301+0.25*256/257; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v bytes per token of Score text; wanted %v", got, want)
	}
}

func TestMissingSplitsComeFromTheEndOfTheLongest(t *testing.T) {
	for _, c := range []struct {
		name      string
		documents []Document
		want      [splits]int // tokens
	}{
		{"one huge document", []Document{{0, Train, text(15999, "abcdefg")}}, [splits]int{16000 - 1000 - 937, 937, 1000}},
		{"no held-out text", []Document{{0, Train, text(4999, "abcd")}, {0, Score, text(299, "abcd")}}, [splits]int{5000 - 312, 300, 312}},
		{"no Score text", []Document{{0, Train, text(4999, "abcd")}, {0, HeldOut, text(499, "abcd")}}, [splits]int{5000 - 312, 312, 500}},
		{"only held-out text", []Document{{0, HeldOut, text(7999, "abcd")}}, [splits]int{8000 - 500 - 468, 468, 500}},
		{"little of each", []Document{{0, Train, text(4099, "ab")}, {0, Score, text(9, "ab")}, {0, HeldOut, text(9, "ab")}},
			[splits]int{4100 - 256 - 256, 10 + 256, 10 + 256}},
	} {
		store, err := Build(texts{subsets: []Subset{{"a", 1}}, documents: c.documents}, plain(t))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got [splits]int
		var all, in int64
		for split := range splits {
			got[split] = len(store.Tokens(0, split))
			all += store.Bytes(0, split)
		}
		for _, document := range c.documents {
			in += int64(len(document.Text))
		}
		if got != c.want || all != in {
			t.Errorf("%s: %v tokens of %d bytes; wanted %v of %d", c.name, got, all, c.want, in)
		}
	}
}

func TestStoresThatCannotBeBuilt(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, c := range []struct {
		source texts
		want   string
	}{
		{texts{}, "the corpus has no subset"},
		{texts{subsets: []Subset{{"tiny", 1}}, documents: []Document{{0, Train, text(4000, "a")}}},
			`subset "tiny" has 4001 tokens; wanted 4096 at least`},
		{texts{subsets: []Subset{{"a", 1}}, err: broken}, "disk on fire"},
	} {
		if _, err := Build(c.source, plain(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v; wanted one that says %q", err, c.want)
		}
		if _, err := Sample(c.source, 100); c.want != `subset "tiny" has 4001 tokens; wanted 4096 at least` && err == nil {
			t.Errorf("%s: sampled without error", c.want)
		}
	}
}

func TestAStoreHasTheGoldenDigestAndSurvivesItsBinaryForm(t *testing.T) {
	s := small(t)
	data, err := s.AppendBinary([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	data = data[len("before"):]
	back := new(Store)
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	again, _ := back.AppendBinary(nil)
	if !bytes.Equal(again, data) || back.Digest() != s.Digest() || back.Source() != s.Source() {
		t.Error("a store that is read and written again differs")
	}
	digest := s.Digest()
	golden.Compare(t, "testdata/store.golden", hex.EncodeToString(digest[:])+"\n")
	for at := 0; at < len(data); at += 97 {
		damaged := slices.Clone(data)
		damaged[at] ^= 4
		if err := back.UnmarshalBinary(damaged); err == nil {
			t.Fatalf("a store with another byte at %d is read", at)
		}
		if err := back.UnmarshalBinary(data[:at]); err == nil {
			t.Fatalf("the first %d bytes of a store are read", at)
		}
	}
	if back.Digest() != s.Digest() {
		t.Error("a refused file changes the store")
	}
}

// sealed puts the right SHA-256 behind a body, so that decoding goes on to look at it.
func sealed(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(slices.Clone(body), sum[:]...)
}

func TestAStoreThatCouldNotBeBuiltIsRefused(t *testing.T) {
	data, _ := small(t).AppendBinary(nil)
	body := data[:len(data)-sha256.Size]
	const firstSubset = 8 + 4 + 4 + 64 + 4
	change := func(at int, with ...byte) []byte {
		changed := slices.Clone(body)
		copy(changed[at:], with)
		return sealed(changed)
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"an empty file", nil, "it ends too early"},
		{"another magic", change(7, '2'), "wanted \"taopile1\""},
		{"a huge vocabulary", change(10, 2), "wanted at most 65536"},
		{"an end of text outside", change(12, 255, 255), "end of text 65535"},
		{"no subsets", change(firstSubset-4, 0), "0 subsets; wanted"},
		{"a long name", change(firstSubset, 255, 255, 255, 255), "it ends too early"},
		{"no weight", change(firstSubset+5, make([]byte, 8)...), "weighs 0; wanted more than 0"},
		{"more tokens than bytes", change(firstSubset+21, 255, 255, 255, 255, 255, 255, 255, 255), "it ends too early"},
		{"a token outside", change(firstSubset+29, 1, 1), "token 0 is 257; wanted less than 257"},
		{"more than a store", sealed(append(slices.Clone(body), 0)), "1 bytes too many"},
		{"less than a store", sealed(body[:len(body)-1]), "it ends too early"},
	} {
		err := new(Store).UnmarshalBinary(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; wanted one that says %q", c.name, err, c.want)
		}
	}
}

func FuzzDecodingAStoreNeverPanics(f *testing.F) {
	data, _ := small(f).AppendBinary(nil)
	body := data[:len(data)-sha256.Size]
	f.Add(body)
	f.Add(body[:200])
	f.Fuzz(func(t *testing.T, body []byte) {
		data := sealed(body)
		s := new(Store)
		if s.UnmarshalBinary(data) != nil {
			return
		}
		if again, _ := s.AppendBinary(nil); !bytes.Equal(again, data) {
			t.Fatal("a store that was read is written differently")
		}
		mix, err := s.NewMix(Score, nil)
		if err != nil {
			t.Fatal(err)
		}
		var row [3]uint16
		mix.Batch1(num.NewStream(1, "fuzz"), 1, 3, row[:])
	})
}

func TestABigramModelIsItsFormula(t *testing.T) {
	s := small(t)
	b := NewBigram(s)
	naive := func(a, next uint16) float64 {
		pairs, total := 0, 0
		for i := range s.Subsets() {
			text := s.Tokens(i, Train)
			for k := range text[:len(text)-1] {
				if text[k] == a {
					total++
					if text[k+1] == next {
						pairs++
					}
				}
			}
		}
		return -math.Log(float64(pairs+1) / float64(total+s.Vocab()))
	}
	tokens, targets := []uint16{64, 87, 256, 5, 65}, []uint16{65, 88, 89, 6, 65}
	sum := 0.0
	for i := range tokens {
		want := naive(tokens[i], targets[i])
		sum += want
		if got := b.Loss(tokens[i:i+1], targets[i:i+1]); math.Abs(got-want) > 1e-12 {
			t.Errorf("%d after %d: loss %v; wanted %v", targets[i], tokens[i], got, want)
		}
	}
	if got := b.Loss(tokens, targets); math.Abs(got-sum/5) > 1e-12 {
		t.Errorf("mean loss %v; wanted %v", got, sum/5)
	}
	if got := b.Loss(nil, nil); got != 0 {
		t.Errorf("no tokens have the loss %v", got)
	}
	probabilities := 0.0
	for next := range uint16(257) {
		probabilities += math.Exp(-b.Loss([]uint16{64}, []uint16{next}))
	}
	if math.Abs(probabilities-1) > 1e-9 {
		t.Errorf("probabilities after one token sum to %v", probabilities)
	}
}
