package pile

import (
	"slices"
	"strings"

	"taolab/model/num"
)

// Parts that a subset's language is made of.
const (
	onsets    = 10 // consonants that a syllable may begin with
	vowels    = 4  // vowels
	codas     = 4  // consonants that a syllable may end with; most end with the vowel
	syllables = 40 // different syllables
	attempts  = 20 // draws of a word before it grows by a syllable
)

// language invents words for one subset. Words differ from each other and from the words in the
// subset's templates, even after a template has appended an ending, so text is never ambiguous.
type language struct {
	stream     *num.Stream
	syllables  []string
	cumulative []float64 // some syllables are more common than others
	taken      map[string]bool
	endings    []string
}

func newLanguage(stream *num.Stream, g *grammar) *language {
	l := &language{stream: stream, taken: make(map[string]bool)}
	first := some(stream, "bcdfghjklmnprstvwz", onsets)
	middle := some(stream, "aeiou", vowels)
	last := some(stream, "nrlsmtkdg", codas)
	sum := 0.0
	for len(l.syllables) < syllables {
		s := string([]byte{first[stream.IntN(onsets)], middle[stream.IntN(vowels)]})
		if stream.IntN(3) == 0 {
			s += string(last[stream.IntN(codas)])
		}
		if slices.Contains(l.syllables, s) {
			continue
		}
		sum += 1 / float64(4+len(l.syllables))
		l.syllables = append(l.syllables, s)
		l.cumulative = append(l.cumulative, sum)
	}
	for _, r := range g.rules {
		for _, a := range r.alternatives {
			l.reserve(a.items)
		}
	}
	return l
}

// some draws n different letters of an alphabet.
func some(stream *num.Stream, letters string, n int) []byte {
	b := []byte(letters)
	stream.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
	return b[:n]
}

// reserve marks the words in a template as used, and notes the endings that it may append to a
// drawn word: the letters that a literal begins with.
func (l *language) reserve(items []item) {
	for _, it := range items {
		if it.kind != literal {
			continue
		}
		text := strings.ToLower(it.text)
		if ending := text[:lettersIn(text)]; ending != "" && !slices.Contains(l.endings, ending) {
			l.endings = append(l.endings, ending)
		}
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) {
			l.taken[word] = true
		}
	}
}

// lettersIn counts the lower-case letters that text begins with.
func lettersIn(text string) int {
	n := 0
	for n < len(text) && 'a' <= text[n] && text[n] <= 'z' {
		n++
	}
	return n
}

// words invents the words of a class, the frequent ones short (Zipf's law of brevity).
func (l *language) words(c *class) []string {
	words := make([]string, c.size)
	for rank := range words {
		length := 2
		switch {
		case c.short || 20*rank < c.size:
			length = 1
		case 2*rank > c.size:
			length = 3
		}
		words[rank] = l.word(length)
	}
	return words
}

// word invents a word of at least length syllables.
func (l *language) word(length int) string {
	for try := 1; ; try++ {
		var b []byte
		for range length {
			b = append(b, l.syllables[l.stream.Pick(l.cumulative)]...)
		}
		if word := string(b); l.free(word) {
			l.taken[word] = true
			for _, ending := range l.endings {
				l.taken[word+ending] = true
			}
			return word
		}
		if try%attempts == 0 {
			length++
		}
	}
}

// free reports whether neither the word nor any of its forms is in use.
func (l *language) free(word string) bool {
	for _, ending := range l.endings {
		if l.taken[word+ending] {
			return false
		}
	}
	return !l.taken[word]
}
