package playground

import (
	"strings"
	"unicode/utf8"
)

// words makes text of the bytes of tokens: whole characters only, and nothing from a stop on.
type words struct {
	stops  []string
	held   []byte // may go on as a character or as a stop
	ended  bool   // at a stop
	length int    // bytes that went out
}

// add takes a token's bytes and returns the text that is certain.
func (w *words) add(token []byte) string {
	if w.ended {
		return ""
	}
	w.held = append(w.held, token...)
	for _, stop := range w.stops {
		if at := strings.Index(string(w.held), stop); at >= 0 {
			w.held, w.ended = w.held[:at], true
		}
	}
	if w.ended {
		return w.rest()
	}
	return w.out(len(w.held) - max(unfinished(w.held), w.beginning()))
}

// rest is what was held back, once nothing more comes.
func (w *words) rest() string { return w.out(len(w.held)) }

func (w *words) out(n int) string {
	text := strings.ToValidUTF8(string(w.held[:n]), "\uFFFD")
	w.held = append(w.held[:0], w.held[n:]...)
	w.length += len(text)
	return text
}

// beginning is how many bytes at the end of what is held a stop may begin with.
func (w *words) beginning() int {
	most := 0
	for _, stop := range w.stops {
		for n := min(len(stop)-1, len(w.held)); n > most; n-- {
			if strings.HasSuffix(string(w.held), stop[:n]) {
				most = n
			}
		}
	}
	return most
}

// unfinished is how many bytes at the end of text begin a character that further bytes may complete.
func unfinished(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if last := text[len(text)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return n
		}
	}
	return 0
}
