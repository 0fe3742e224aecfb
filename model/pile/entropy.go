package pile

import (
	"strconv"

	"taolab/model/num"
)

// The entropy rate of a subset is the expected entropy of a unit over its expected length. By the chain rule
// the entropy of a unit is the sum of the entropies of its draws, each times the expected number of such
// draws, since draws are independent and their number depends only on other draws; and the text determines
// the draws, because every unit has exactly one derivation (a test parses). Units are independent and of
// finite mean length, so by the renewal theorem the text has the rate
//
//	H(unit) / E[bytes of a unit]     nats per byte.

// expectation is the mean of something drawn: its entropy and its length.
type expectation struct{ nats, bytes float64 }

// plus is e followed by times instances of f.
func (e expectation) plus(times float64, f expectation) expectation {
	return expectation{e.nats + float64(times*f.nats), e.bytes + float64(times*f.bytes)}
}

// unit is the expectation of rule 0.
func (g *grammar) unit() expectation {
	classes := make([]expectation, len(g.classes))
	for i := range g.classes {
		classes[i] = g.classes[i].expect()
	}
	rules := make([]*expectation, len(g.rules))
	return g.expectRule(0, classes, rules)
}

func (c *class) expect() (e expectation) {
	e.nats = entropy(c.p)
	for i, p := range c.p {
		e.bytes += float64(p * float64(len(c.words[i])))
	}
	return e
}

// expectRule is the expectation of a rule; known ones are taken from rules. Rules do not recur.
func (g *grammar) expectRule(ref int, classes []expectation, rules []*expectation) expectation {
	if rules[ref] != nil {
		return *rules[ref]
	}
	r := &g.rules[ref]
	shares := probabilities(r.cumulative)
	e := expectation{nats: entropy(shares)}
	for i, a := range r.alternatives {
		for _, it := range a.items {
			times, of := 1.0, expectation{}
			switch it.kind {
			case literal:
				of.bytes = float64(len(it.text))
			case draw:
				of = classes[it.ref]
			case echo:
				of.bytes = classes[g.slots[it.slot].class].bytes
			case result:
				of.bytes = g.expectDigits(&it)
			case call:
				of = g.expectRule(it.ref, classes, rules)
			case repeat:
				counts := probabilities(it.counts)
				e.nats += float64(shares[i] * entropy(counts))
				of, times = g.expectRule(it.ref, classes, rules), 0
				for n, p := range counts {
					times += float64(p * float64(n+1))
				}
			}
			e = e.plus(float64(shares[i]*times), of)
		}
	}
	rules[ref] = &e
	return e
}

// expectDigits is the mean length of a result over all pairs of operands.
func (g *grammar) expectDigits(it *item) float64 {
	a, b := &g.classes[g.slots[it.slot].class], &g.classes[g.slots[it.other].class]
	mean := 0.0
	for i, p := range a.p {
		for k, q := range b.p {
			digits := len(strconv.Itoa(it.compute(a.number[i], b.number[k])))
			mean += float64(float64(p*q) * float64(digits))
		}
	}
	return mean
}

// entropy is -sum p log p in nats.
func entropy(shares []float64) float64 {
	sum := 0.0
	for _, p := range shares {
		if p > 0 {
			sum -= float64(p * num.Log(p))
		}
	}
	return sum
}

// probabilities turns running sums of weights into probabilities.
func probabilities(cumulative []float64) []float64 {
	p := make([]float64, len(cumulative))
	below := 0.0
	for i, sum := range cumulative {
		p[i] = (sum - below) / cumulative[len(cumulative)-1]
		below = sum
	}
	return p
}

// rateUnder is the entropy rate with Zipf's exponent s.
func (g *grammar) rateUnder(s float64) float64 {
	for i := range g.classes {
		g.classes[i].frequencies(s)
	}
	e := g.unit()
	return e.nats / e.bytes
}

// frequencies gives the words of a class their probabilities: the invented word of rank r = 0, 1, ...
// stands (r+2)**-s as often as it would under Zipf and Mandelbrot's law; listed words are all alike.
func (c *class) frequencies(s float64) {
	c.cumulative = make([]float64, len(c.words))
	sum := 0.0
	for r := range c.words {
		weight := 1.0
		if c.size > 0 {
			weight = num.Exp(float64(-s * num.Log(float64(r+2))))
		}
		sum += weight
		c.cumulative[r] = sum
	}
	c.p = probabilities(c.cumulative)
}

// Bounds of the exponent. Natural text has about 1; below that the rate hardly rises, since rare, long words
// become common.
const (
	minZipf = 0.9
	maxZipf = 2.2
)

// calibrate finds the exponent of the wanted rate by bisection: the rate falls as the exponent grows. If no
// exponent reaches the rate, it takes the bound that comes nearest.
func (g *grammar) calibrate() {
	low, high := minZipf, maxZipf
	for range 30 {
		g.zipf = (low + high) / 2
		if g.rateUnder(g.zipf) > g.rate {
			low = g.zipf
		} else {
			high = g.zipf
		}
	}
}
