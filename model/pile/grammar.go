package pile

import (
	"strconv"

	"taolab/model/num"
)

// grammar writes the text of one synthetic subset, unit after unit: rule 0 is a unit. Each rule picks
// one of its alternatives, each class of words one of its words, independently of all that went before;
// what depends on earlier text (a name that comes back, the result of a sum) is repeated or computed,
// not drawn. So the entropy of a unit is a sum over expected draws: see entropy.go.
type grammar struct {
	name    string
	rate    float64 // wanted, nats per byte
	zipf    float64 // exponent of the word frequencies that meets it
	rules   []rule
	classes []class
	slots   []slot
}

// rule is a choice of templates.
type rule struct {
	name         string
	alternatives []alternative
	cumulative   []float64 // of the weights
}

type alternative struct {
	weight int
	items  []item
}

// class is a list of words to draw from.
type class struct {
	name       string
	words      []string
	number     []int // what each word reads as, for classes of numbers
	size       int   // words to be invented, 0 if they are listed
	capitals   bool
	short      bool // words of one syllable, as long as there are any
	p          []float64
	cumulative []float64
}

// slot remembers a drawn word under a letter until the unit ends.
type slot struct {
	name  string
	class int
}

type kind uint8

const (
	literal kind = iota
	draw         // a word of class ref, remembered in slot if that is not -1
	echo         // the word in slot
	result       // slot operator other, computed
	call         // rule ref
	repeat       // rule ref, count times
)

// item is a piece of a template.
type item struct {
	kind        kind
	text        string // literal
	ref         int    // class or rule
	slot, other int
	operator    byte
	capital     bool      // first letter in upper case
	counts      []float64 // cumulative weights of 1, 2, ... repetitions
}

// compute is what a result item stands for.
func (it *item) compute(a, b int) int {
	switch it.operator {
	case '+':
		return a + b
	case '-':
		return a - b
	}
	return a * b
}

// writer expands a grammar into text.
type writer struct {
	*grammar
	stream *num.Stream
	held   []int // by slot: the index of the word drawn last
	text   []byte
}

func (g *grammar) writer(stream *num.Stream) *writer {
	return &writer{grammar: g, stream: stream, held: make([]int, len(g.slots))}
}

// unit appends one unit to the text.
func (w *writer) unit() {
	for i := range w.held {
		w.held[i] = -1
	}
	w.expand(0)
}

func (w *writer) expand(ref int) {
	r := &w.rules[ref]
	chosen := 0
	if len(r.alternatives) > 1 {
		chosen = w.stream.Pick(r.cumulative)
	}
	items := r.alternatives[chosen].items
	for i := range items {
		it := &items[i]
		switch it.kind {
		case literal:
			w.text = append(w.text, it.text...)
		case draw:
			c := &w.classes[it.ref]
			word := w.stream.Pick(c.cumulative)
			if it.slot >= 0 {
				w.held[it.slot] = word
			}
			w.word(c.words[word], it.capital)
		case echo:
			w.word(w.classes[w.slots[it.slot].class].words[w.held[it.slot]], it.capital)
		case result:
			w.text = strconv.AppendInt(w.text, int64(it.compute(w.number(it.slot), w.number(it.other))), 10)
		case call:
			w.expand(it.ref)
		case repeat:
			for range 1 + w.stream.Pick(it.counts) {
				w.expand(it.ref)
			}
		}
	}
}

// word appends a word. A capital is wanted of words that begin with a small Latin letter only.
func (w *writer) word(word string, capital bool) {
	at := len(w.text)
	w.text = append(w.text, word...)
	if capital && 'a' <= w.text[at] && w.text[at] <= 'z' {
		w.text[at] -= 'a' - 'A'
	}
}

// number is the value of the word in a slot.
func (w *writer) number(slot int) int { return w.classes[w.slots[slot].class].number[w.held[slot]] }
