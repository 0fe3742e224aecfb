package pile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"taolab/model/num"
)

// parser finds all derivations of a text by trying everything: the inverse of writer, and its twin.
type parser struct {
	*grammar
	text        string
	held        []int
	derivations int
	logProb     float64 // of the derivation found last
}

// units derives the rest of the text as any number of units.
func (p *parser) units(at int, logProb float64) {
	if at == len(p.text) {
		p.derivations++
		p.logProb = logProb
		return
	}
	p.rule(0, at, logProb, p.units)
}

func (p *parser) rule(ref, at int, logProb float64, then func(int, float64)) {
	r := &p.rules[ref]
	total := 0
	for _, a := range r.alternatives {
		total += a.weight
	}
	for _, a := range r.alternatives {
		p.items(a.items, at, logProb+math.Log(float64(a.weight)/float64(total)), then)
	}
}

func (p *parser) items(items []item, at int, logProb float64, then func(int, float64)) {
	if len(items) == 0 {
		then(at, logProb)
		return
	}
	it, rest := &items[0], items[1:]
	fixed := func(text string, logProb float64) {
		if strings.HasPrefix(p.text[at:], text) {
			p.items(rest, at+len(text), logProb, then)
		}
	}
	goOn := func(at int, logProb float64) { p.items(rest, at, logProb, then) }
	switch it.kind {
	case literal:
		fixed(it.text, logProb)
	case draw:
		c := &p.classes[it.ref]
		for i, word := range c.words {
			if it.slot < 0 {
				fixed(spelled(word, it.capital), logProb+math.Log(c.p[i]))
				continue
			}
			before := p.held[it.slot]
			p.held[it.slot] = i
			fixed(spelled(word, it.capital), logProb+math.Log(c.p[i]))
			p.held[it.slot] = before
		}
	case echo:
		fixed(spelled(p.classes[p.slots[it.slot].class].words[p.held[it.slot]], it.capital), logProb)
	case result:
		fixed(strconv.Itoa(it.compute(p.value(it.slot), p.value(it.other))), logProb)
	case call:
		p.rule(it.ref, at, logProb, goOn)
	case repeat:
		p.repeat(it, 0, at, logProb, goOn)
	}
}

func (p *parser) repeat(it *item, n, at int, logProb float64, then func(int, float64)) {
	counts := probabilities(it.counts)
	if n == len(counts) {
		return
	}
	p.rule(it.ref, at, logProb, func(at int, logProb float64) {
		then(at, logProb+math.Log(counts[n]))
		p.repeat(it, n+1, at, logProb, then)
	})
}

func (p *parser) value(slot int) int { return p.classes[p.slots[slot].class].number[p.held[slot]] }

func spelled(word string, capital bool) string {
	if capital && word[0] >= 'a' && word[0] <= 'z' {
		return strings.ToUpper(word[:1]) + word[1:]
	}
	return word
}

func synthetic(t testing.TB, seed uint64, bytes int64, subsets ...string) *Synthetic {
	t.Helper()
	s, err := NewSynthetic(seed, bytes, subsets)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The entropy rate rests on two things: that the text has one derivation, and that the chain rule was
// applied rightly. So the probability of sampled text, found by parsing it, must come to the rate:
// the mean of -log p(unit) - rate * bytes(unit) over units is zero within its standard error.
func TestTheEntropyRateIsTheLogProbabilityOfSampledText(t *testing.T) {
	s := synthetic(t, 3, 6_000_000)
	for i, subset := range s.subsets {
		g := s.grammars[i]
		rate := s.EntropyRate(subset.Name)
		stream := num.NewStream(5, subset.Name)
		var sum, squares, bytes float64
		const samples = 150
		for range samples {
			w := g.writer(stream)
			w.unit()
			w.unit()
			p := &parser{grammar: g, text: string(w.text), held: make([]int, len(g.slots))}
			if p.units(0, 0); p.derivations != 1 {
				t.Fatalf("%s: %d derivations; wanted 1 of\n%s", subset.Name, p.derivations, w.text)
			}
			miss := -p.logProb - rate*float64(len(w.text))
			sum += miss
			squares += miss * miss
			bytes += float64(len(w.text))
		}
		deviation := math.Sqrt(squares/samples-(sum/samples)*(sum/samples)) / math.Sqrt(samples)
		if mean := sum / samples; math.Abs(mean) > 4.5*deviation {
			t.Errorf("%s: sampled text has %.4f nats per byte, by formula %.4f; off by %.1f standard errors",
				subset.Name, rate+sum/bytes, rate, mean/deviation)
		}
		t.Logf("%-20s %.4f nats/byte by formula, %.4f ± %.4f in %.0f sampled bytes, Zipf exponent %.2f",
			subset.Name, rate, rate+sum/bytes, deviation*samples/bytes, bytes, g.zipf)
	}
}

// irreducible is 1.69 nats per GPT-2 token of 3.409 bytes.
const irreducible = 1.69 / 3.409

func TestEntropyRatesLieAboveTheFloorAndDifferForEverySeed(t *testing.T) {
	for seed := range uint64(12) {
		s := synthetic(t, seed*seed*977, 6_000_000)
		seen := make(map[string]string)
		for i, subset := range s.subsets {
			rate := s.EntropyRate(subset.Name)
			if !(rate > 1.02*irreducible && rate < 0.76) {
				t.Errorf("seed %d: %s has %.4f nats per byte; wanted %.4f to 0.76", s.seed, subset.Name, rate, 1.02*irreducible)
			}
			if want := s.grammars[i].rate; math.Abs(rate-want) > 0.02 {
				t.Errorf("seed %d: %s has %.4f nats per byte; its grammar is made for %.4f", s.seed, subset.Name, rate, want)
			}
			key := fmt.Sprintf("%.4f", rate)
			if other, taken := seen[key]; taken {
				t.Errorf("seed %d: %s has the rate of %s, %s", s.seed, subset.Name, other, key)
			}
			seen[key] = subset.Name
		}
	}
}

func TestSubsetsShareFewWords(t *testing.T) {
	s := synthetic(t, 1, 6_000_000)
	for i, g := range s.grammars {
		size := 0
		for _, c := range g.classes {
			size += c.size
		}
		if size < 150 || size > 600 {
			t.Errorf("%s has %d words; wanted 150 to 600", g.name, size)
		}
		for k, other := range s.grammars[:i] {
			if common := commonWords(g, other); common > size/4 {
				t.Errorf("%s and %s share %d words", g.name, s.grammars[k].name, common)
			}
		}
	}
}

func commonWords(a, b *grammar) (n int) {
	have := make(map[string]bool)
	for _, c := range a.classes {
		for _, word := range c.words {
			have[word] = c.size > 0
		}
	}
	for _, c := range b.classes {
		for _, word := range c.words {
			if have[word] && c.size > 0 {
				n++
			}
		}
	}
	return n
}
