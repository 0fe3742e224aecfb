package pile

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"taolab/model/num"
)

// The grammars are written in a notation of lines:
//
//	# a comment
//	[Github] 0.540              a subset and its entropy rate in nats per byte
//	words noun 90               a class of 90 words to be invented; "caps" after it: in capitals;
//	                            "short": of a syllable each
//	values num 0 1 2            a class of listed words
//	unit                        a rule; the first one is the unit that text is made of
//		2 a «noun»↵         an alternative: its weight, and a template
//
// In a template ↵ is a newline, ⇥ a tab, ␣ a blank (where it ends the line), and
//
//	«noun»      a word of the class, or the expansion of the rule, of that name
//	«^noun»     with a capital; of a rule, the rule that is named ^noun
//	«a=noun»    remembered as a, which always holds words of the same class
//	«$a»        the same again; «^$a» with a capital
//	«$a+$b»     the sum of two numbers; also - and *
//	«line*4»    the rule once or more often, four times on average before the limit of 16
//
// A rule may only call rules that do not lead back to it.

//go:embed grammars.txt
var grammarText string

// longestRepeat bounds repetitions, in multiples of the mean.
const longestRepeat = 4

// parseGrammars reads all grammars in a text. Errors give the line.
func parseGrammars(text string) ([]*grammar, error) {
	var p notation
	for i, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("pile: grammars, line %d: %w", i+1, err)
		}
	}
	for _, g := range p.grammars {
		if err := p.resolve(g); err != nil {
			return nil, fmt.Errorf("pile: grammar %q: %w", g.name, err)
		}
	}
	return p.grammars, nil
}

// notation is the state of reading. Templates are kept as text until all names are known.
type notation struct {
	grammars  []*grammar
	templates [][][]string // by grammar and rule
}

func (p *notation) line(line string) error {
	last := len(p.grammars) - 1
	if line[0] == '[' {
		name, rate, ok := strings.Cut(line[1:], "] ")
		value, err := strconv.ParseFloat(rate, 64)
		if !ok || err != nil {
			return fmt.Errorf("%q; wanted [name] rate", line)
		}
		p.grammars = append(p.grammars, &grammar{name: name, rate: value})
		p.templates = append(p.templates, nil)
		return nil
	}
	if last < 0 {
		return fmt.Errorf("%q stands before the first [name]", line)
	}
	g := p.grammars[last]
	if line[0] != '\t' {
		return p.name(g, strings.Fields(line))
	}
	weightText, template, _ := strings.Cut(line[1:], " ")
	weight, err := strconv.Atoi(weightText)
	if err != nil || weight < 1 || len(g.rules) == 0 {
		return fmt.Errorf("%q; wanted a rule, and under it a weight of 1 or more and a template", line)
	}
	r := &g.rules[len(g.rules)-1]
	below := 0.0
	if n := len(r.cumulative); n > 0 {
		below = r.cumulative[n-1]
	}
	r.cumulative = append(r.cumulative, below+float64(weight))
	r.alternatives = append(r.alternatives, alternative{weight: weight})
	at := &p.templates[last][len(g.rules)-1]
	*at = append(*at, strings.NewReplacer("↵", "\n", "⇥", "\t", "␣", " ").Replace(template))
	return nil
}

// name reads a line that names a class or a rule.
func (p *notation) name(g *grammar, fields []string) error {
	switch {
	case fields[0] == "words" && (len(fields) == 3 || len(fields) == 4):
		size, err := strconv.Atoi(fields[2])
		if err != nil || size < 2 {
			return fmt.Errorf("%q words; wanted 2 or more", fields[2])
		}
		if len(fields) == 4 && fields[3] != "caps" && fields[3] != "short" {
			return fmt.Errorf("%q; wanted \"caps\" or \"short\"", fields[3])
		}
		g.classes = append(g.classes, class{
			name: fields[1], size: size,
			capitals: fields[len(fields)-1] == "caps", short: fields[len(fields)-1] == "short",
		})
	case fields[0] == "values" && len(fields) >= 4:
		c := class{name: fields[1], words: fields[2:]}
		for _, word := range c.words {
			value, err := strconv.Atoi(word)
			if err != nil {
				c.number = nil
				break
			}
			c.number = append(c.number, value)
		}
		g.classes = append(g.classes, c)
	case len(fields) == 1:
		g.rules = append(g.rules, rule{name: fields[0]})
		p.templates[len(p.grammars)-1] = append(p.templates[len(p.grammars)-1], nil)
	default:
		return fmt.Errorf("%q; wanted a class of words, of values, or the name of a rule",
			strings.Join(fields, " "))
	}
	return nil
}

// resolve turns templates into items.
func (p *notation) resolve(g *grammar) error {
	at := slices.Index(p.grammars, g)
	if len(g.rules) == 0 {
		return fmt.Errorf("no rule")
	}
	for i := range g.rules {
		if len(g.rules[i].alternatives) == 0 {
			return fmt.Errorf("rule %q has no alternative", g.rules[i].name)
		}
		for k, template := range p.templates[at][i] {
			items, err := g.items(template)
			if err != nil {
				return fmt.Errorf("rule %q, alternative %d: %w", g.rules[i].name, k+1, err)
			}
			g.rules[i].alternatives[k].items = items
		}
	}
	for i := range g.rules {
		if g.reaches(i, i, 0) {
			return fmt.Errorf("rule %q leads back to itself", g.rules[i].name)
		}
	}
	return nil
}

// reaches reports whether expanding one rule can call another, on a path of at most depth rules.
func (g *grammar) reaches(from, to, depth int) bool {
	for _, a := range g.rules[from].alternatives {
		for _, it := range a.items {
			if it.kind != call && it.kind != repeat {
				continue
			}
			if it.ref == to || depth < len(g.rules) && g.reaches(it.ref, to, depth+1) {
				return true
			}
		}
	}
	return false
}

// items cuts a template at its holes.
func (g *grammar) items(template string) (items []item, err error) {
	for template != "" {
		text, rest, found := strings.Cut(template, "«")
		if text != "" {
			items = append(items, item{kind: literal, text: text})
		}
		if !found {
			break
		}
		hole, after, closed := strings.Cut(rest, "»")
		if !closed {
			return nil, fmt.Errorf("«%s is not closed", rest)
		}
		it, err := g.hole(hole)
		if err != nil {
			return nil, fmt.Errorf("«%s»: %w", hole, err)
		}
		items, template = append(items, it), after
	}
	return items, nil
}

func (g *grammar) hole(text string) (it item, err error) {
	text, it.capital = strings.CutPrefix(text, "^")
	it.slot = -1
	if text, found := strings.CutPrefix(text, "$"); found {
		return it, g.recall(text, &it)
	}
	if name, of, found := strings.Cut(text, "="); found {
		ref := slices.IndexFunc(g.classes, func(c class) bool { return c.name == of })
		if ref < 0 {
			return it, fmt.Errorf("no class %q", of)
		}
		it.slot = slices.IndexFunc(g.slots, func(s slot) bool { return s.name == name })
		if it.slot < 0 {
			it.slot = len(g.slots)
			g.slots = append(g.slots, slot{name, ref})
		} else if g.slots[it.slot].class != ref {
			return it, fmt.Errorf("%s holds words of class %q elsewhere",
				name, g.classes[g.slots[it.slot].class].name)
		}
		it.kind, it.ref = draw, ref
		return it, nil
	}
	if ref := g.ruleNamed("^" + text); it.capital && ref >= 0 {
		it.kind, it.ref, it.capital = call, ref, false
		return it, nil
	}
	name, mean, many := strings.Cut(text, "*")
	if ref := slices.IndexFunc(g.classes, func(c class) bool { return c.name == name }); ref >= 0 && !many {
		it.kind, it.ref = draw, ref
		return it, nil
	}
	it.kind, it.ref = call, g.ruleNamed(name)
	if it.ref < 0 || it.capital {
		return it, fmt.Errorf("no class or rule %q, or a capital wanted of a rule", name)
	}
	if many {
		n, err := strconv.Atoi(mean)
		if err != nil || n < 2 {
			return it, fmt.Errorf("%q repetitions; wanted 2 or more", mean)
		}
		it.kind, it.counts = repeat, geometric(n)
	}
	return it, nil
}

func (g *grammar) ruleNamed(name string) int {
	return slices.IndexFunc(g.rules, func(r rule) bool { return r.name == name })
}

// recall reads what follows the first $: the name of a slot, or two slots and an operator.
func (g *grammar) recall(text string, it *item) error {
	find := func(name string) (int, error) {
		at := slices.IndexFunc(g.slots, func(s slot) bool { return s.name == name })
		if at < 0 {
			return 0, fmt.Errorf("nothing is remembered as %q", name)
		}
		return at, nil
	}
	var err error
	operator := strings.IndexAny(text, "+-*")
	if operator < 0 {
		it.kind = echo
		it.slot, err = find(text)
		return err
	}
	it.kind, it.operator = result, text[operator]
	if it.slot, err = find(text[:operator]); err != nil {
		return err
	}
	if it.other, err = find(strings.TrimPrefix(text[operator+1:], "$")); err != nil {
		return err
	}
	for _, s := range []int{it.slot, it.other} {
		if c := &g.classes[g.slots[s].class]; c.number == nil {
			return fmt.Errorf("class %q is not of numbers", c.name)
		}
	}
	return nil
}

// geometric is the running sum of weights of 1, 2, ... repetitions: each goes on with the same
// probability, 1-1/mean, up to the limit.
func geometric(mean int) []float64 {
	goOn := 1 - 1/float64(mean)
	weight, sum := 1.0, 0.0
	cumulative := make([]float64, longestRepeat*mean)
	for i := range cumulative {
		sum += weight
		cumulative[i] = sum
		weight = float64(weight * goOn)
	}
	return cumulative
}

// invent fills the classes of a grammar with words and sets their frequencies.
func (g *grammar) invent(stream *num.Stream) {
	l := newLanguage(stream, g)
	for i := range g.classes {
		c := &g.classes[i]
		if c.size == 0 {
			continue
		}
		c.words = l.words(c)
		if c.capitals {
			for k, word := range c.words {
				c.words[k] = strings.ToUpper(word)
			}
		}
	}
	g.calibrate()
}
