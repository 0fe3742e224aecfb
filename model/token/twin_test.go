package token

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// naiveEncode is the definition: as long as a merge applies, join the leftmost of the pairs learned first.
func naiveEncode(t *Tokenizer, text []byte) (out []ID) {
	for _, word := range naivePretokens(text) {
		var ids []ID
		for i := range len(word) {
			ids = append(ids, t.bytes[word[i]])
		}
		for {
			best, at := len(t.merges), -1
			for i := 1; i < len(ids); i++ {
				for rank, m := range t.merges {
					if m.left == ids[i-1] && m.right == ids[i] && rank < best {
						best, at = rank, i
					}
				}
			}
			if at < 0 {
				break
			}
			ids[at-1] = t.merges[best].result
			ids = slices.Delete(ids, at, at+1)
		}
		out = append(out, ids...)
	}
	return out
}

// The rule as a regular expression without (?!\S), which Go lacks: naivePretokens adds it by hand.
const white = `\t-\r\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`

var rulePattern = regexp.MustCompile(`^(?:'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^` + white + `\p{L}\p{N}]+|[` + white + `]+)`)

func naivePretokens(text []byte) (words []string) {
	for len(text) > 0 {
		word := rulePattern.Find(text)
		rest := text[len(word):]
		if first, _ := utf8.DecodeRune(word); classOf(first) == space && len(rest) > 0 {
			trimmed := strings.TrimRightFunc(string(word), func(r rune) bool { return classOf(r) != space })
			_, last := utf8.DecodeLastRune(word)
			if trimmed == string(word) && len(word) > last { // white up to the end, and something after it
				word = word[:len(word)-last]
			}
		}
		words = append(words, string(word))
		text = text[len(word):]
	}
	return words
}

// naiveTrain recounts every pair before each merge.
func naiveTrain(text []byte, vocab int) (merges []merge) {
	var tokens [][]byte
	var ofByte [256]ID
	for i, b := range alphabet {
		tokens = append(tokens, []byte{b})
		ofByte[b] = ID(i)
	}
	var words [][]ID
	for _, word := range naivePretokens(text) {
		var ids []ID
		for i := range len(word) {
			ids = append(ids, ofByte[word[i]])
		}
		words = append(words, ids)
	}
	for len(tokens) < vocab-1 {
		counts := make(map[[2]ID]int)
		for _, ids := range words {
			for i := 1; i < len(ids); i++ {
				counts[[2]ID{ids[i-1], ids[i]}]++
			}
		}
		most, best := 0, [2]ID{}
		for p, n := range counts { // order-free: ties are broken below
			if n > most || n == most && slices.Compare(p[:], best[:]) < 0 {
				most, best = n, p
			}
		}
		if most == 0 {
			return merges
		}
		joined := slices.Concat(tokens[best[0]], tokens[best[1]])
		result := slices.IndexFunc(tokens, func(have []byte) bool { return bytes.Equal(have, joined) })
		if result < 0 {
			result = len(tokens)
			tokens = append(tokens, joined)
		}
		m := merge{best[0], best[1], ID(result)}
		merges = append(merges, m)
		for i := range words {
			words[i] = m.apply(words[i])
		}
	}
	return merges
}

const prose = `The quick brown fox doesn't jump over the lazy dog's 12 kennels; it's 1,234 times "fine".

func main() {
	for i := range 10 { fmt.Println("the fox, the dog", i) }
}
Ünïcödé, 日本語テキスト and the other things that they've been doing.   Trailing   blanks  
`

func TestTrainingIsWhatRecountingEveryPairGives(t *testing.T) {
	for _, vocab := range []int{257, 258, 270, 300, 340} {
		got, err := Train([][]byte{[]byte(prose)}, vocab)
		if err != nil {
			t.Fatal(err)
		}
		if want := naiveTrain([]byte(prose), vocab); !slices.Equal(got.merges, want) {
			t.Errorf("vocab %d: merges %v, by recounting %v", vocab, got.merges, want)
		}
	}
}

func FuzzTrainingIsWhatRecountingEveryPairGives(f *testing.F) {
	f.Add([]byte(prose), uint8(60))
	f.Add([]byte("aaaaaaaaa aaaaaaa aaaaa aaa baaaab abababab babab"), uint8(40))
	f.Fuzz(func(t *testing.T, text []byte, more uint8) {
		if len(text) > 500 {
			text = text[:500]
		}
		vocab := MinVocab + int(more)
		want := naiveTrain(text, vocab)
		got, err := Train([][]byte{text}, vocab)
		if err == nil && !slices.Equal(got.merges, want) {
			t.Fatalf("%q: merges %v, by recounting %v", text, got.merges, want)
		}
	})
}

func trained(t testing.TB, vocab int) *Tokenizer {
	t.Helper()
	tok, err := Train([][]byte{[]byte(prose)}, vocab)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func FuzzEncodingIsTheDefinitionAndDecodesToTheSameBytes(f *testing.F) {
	for _, seed := range []string{"", prose, "a", "\xff\xfe\x00", "  the   fox's", "'s 't 'll\n\n \t x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		endOfText, "\u00a0\u2003x\u0085y", strings.Repeat("the ", 50)} {
		f.Add([]byte(seed))
	}
	tok := trained(f, 340)
	shared := tok.NewEncoder()
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 2000 {
			text = text[:2000]
		}
		ids := shared.Encode(nil, text)
		if back := tok.Decode(nil, ids); !bytes.Equal(back, text) {
			t.Fatalf("%q decodes to %q", text, back)
		}
		if want := naiveEncode(tok, text); !slices.Equal(ids, want) {
			t.Fatalf("%q encodes to %v, by definition %v", text, ids, want)
		}
		if slices.Contains(ids, tok.EndOfText()) {
			t.Fatalf("%q encodes to an end of text", text)
		}
		if n := len(text) / 2; !slices.Equal(naivePretokens(text[:n]), pretokens(text[:n])) {
			t.Fatalf("%q: pretokens %q, by regular expression %q", text[:n], pretokens(text[:n]), naivePretokens(text[:n]))
		}
	})
}

func pretokens(text []byte) (words []string) {
	for len(text) > 0 {
		n := pretoken(text)
		words = append(words, string(text[:n]))
		text = text[n:]
	}
	return words
}
