package role

import (
	"fmt"
	"math"
	"slices"

	"taolab/agents/mind"
	"taolab/agents/settings"
	"taolab/model/pile"
)

// Appended is a source that the corpus gains while the network runs.
type Appended struct {
	AtH       float64  `toml:"at_h" unit:"h" min:"0" max:"1110000" doc:"time from which its text exists; 0: from the beginning. Neither the tokenizer nor any base model learns from it"`
	Kind      string   `toml:"kind" default:"synthetic" one:"synthetic,shards" doc:"the embedded synthetic Pile, or shards on disk"`
	Path      string   `toml:"path" doc:"folder or file of .jsonl or .jsonl.zst shards; relative to the scenario file"`
	Subsets   []string `toml:"subsets" doc:"names of the subsets to use, which must be new to the corpus; required for synthetic text, empty takes all of the shards"`
	Megabytes float64  `toml:"megabytes" default:"1" unit:"MB" min:"0.1" max:"1000000" doc:"most text to read or synthesise"`
	Weight    float64  `toml:"weight" default:"0.2" min:"0.000001" max:"1" doc:"weight of its rows, relative to 1 for the corpus, for nodes that read the corpus as it is"`
	Shared    bool     `toml:"shared" default:"true" doc:"nodes that read the corpus as it is read this too; false: only nodes that name its subsets, such as a holder of private text"`
}

// corpus returns the source as a corpus.
func (a *Appended) corpus() Corpus {
	return Corpus{Kind: a.Kind, Path: a.Path, Subsets: a.Subsets, Megabytes: a.Megabytes, InvalidUTF8: "refuse"}
}

// checkAppended reports faults of the appended sources.
func (c *Corpus) checkAppended(report Report) {
	taken := c.Subsets
	if len(taken) == 0 && c.Kind == "synthetic" {
		taken = pile.SubsetNames()
	}
	for i := range c.Append {
		a, path := &c.Append[i], fmt.Sprintf("corpus.append[%d]", i)
		own := a.corpus()
		own.Check(func(key, fault, want, hint string) { report(path+key[len("corpus"):], fault, want, hint) })
		if a.Kind == "synthetic" && len(a.Subsets) == 0 {
			report(path+".subsets", "none", "names of synthetic subsets", "or set kind = \"shards\"")
		}
		if i > 0 && a.AtH < c.Append[i-1].AtH {
			report(path+".at_h", fmt.Sprintf("%g h, before the one above it", a.AtH),
				fmt.Sprintf("at least %g", c.Append[i-1].AtH), "put the tables in the order of their times")
		}
		for _, name := range a.Subsets {
			if slices.Contains(taken, name) {
				report(path+".subsets", fmt.Sprintf("subset %q is already in the corpus", name),
					"subsets that it lacks", "name those of the corpus in corpus.subsets")
			}
		}
		taken = append(slices.Clip(taken), a.Subsets...)
	}
}

// block is the height at which atH hours have passed in a network that began at height genesis.
func block(atH, blockS float64, genesis uint64) uint64 {
	return genesis + uint64(math.Ceil(float64(atH*3600)/blockS))
}

// Addition is a source on its way into the material.
type Addition struct {
	Open      func() (pile.Source, error)
	Weight    float64
	FromBlock uint64
	Shared    bool
}

// Additions lists the sources that the corpus gains in a network that begins at height genesis.
func (c *Corpus) Additions(seed uint64, blockS float64, genesis uint64) []Addition {
	var list []Addition
	for i := range c.Append {
		a := &c.Append[i]
		own := a.corpus()
		addition := Addition{Open: func() (pile.Source, error) { return own.Source(seed, own.Path) }, Weight: a.Weight, Shared: a.Shared}
		if a.AtH > 0 {
			addition.FromBlock = block(a.AtH, blockS, genesis)
		}
		list = append(list, addition)
	}
	return list
}

// addition is a source in the material: the subsets of the whole store from first up to those of the next
// addition.
type addition struct {
	first     int
	fromBlock uint64
	shared    bool
}

// add appends the sources of the plan to the text.
func (p *Plan) add(m *Material) error {
	m.Whole = m.Store
	for i, a := range p.Additions {
		source, err := a.Open()
		if err != nil {
			return err
		}
		first := len(m.Whole.Subsets())
		if m.Whole, err = m.Whole.Append(source, m.Tokenizer, a.Weight); err == nil {
			err = m.Evaluation.Append(m.Whole, a.FromBlock, p.Seed)
		}
		if err != nil {
			return &settings.Error{Key: fmt.Sprintf("corpus.append[%d]", i), Fault: err.Error(), Want: "a source that can be appended to the corpus"}
		}
		m.additions = append(m.additions, addition{first, a.FromBlock, a.Shared})
	}
	return nil
}

// weights are the subsets' weights for a reader at a height: of the wanted subsets, or if none are named of
// the corpus and the shared additions so far.
func (m *Maker) weights(wanted []string, shares []float64, height uint64) []float64 {
	weights := weightsOf(m.Whole.Subsets(), m.Whole.Weights(), wanted, shares)
	for _, a := range m.additions {
		if a.fromBlock <= height && (a.shared || len(wanted) > 0) {
			continue
		}
		clear(weights[a.first:a.end(m)])
	}
	return weights
}

// end is the index after its last subset.
func (a addition) end(m *Maker) int {
	for _, next := range m.additions {
		if next.first > a.first {
			return next.first
		}
	}
	return len(m.Whole.Subsets())
}

// text is the text that the members of a group read: a mix, and those that replace it as the corpus grows.
type text struct {
	split  pile.Split
	wanted []string
	shares []float64

	mix   *pile.Mix
	later []mind.Growth
}

// read mixes the wanted subsets by their shares, or by their corpus weights if there are no shares; no wanted
// subset means all. At each height where an addition brings more of them, another mix replaces it.
func (m *Maker) read(split pile.Split, wanted []string, shares []float64) (*text, error) {
	for _, t := range m.texts {
		if t.split == split && slices.Equal(t.wanted, wanted) && slices.Equal(t.shares, shares) {
			return t, nil
		}
	}
	t := &text{split: split, wanted: wanted, shares: shares}
	weights := m.weights(wanted, shares, m.Height)
	if !slices.ContainsFunc(weights, func(w float64) bool { return w > 0 }) {
		return nil, &settings.Error{Key: "subsets", Fault: "none of them exists at the beginning", Want: "a subset that the corpus has then",
			Hint: "append the source with at_h = 0, or name a subset of the corpus too"}
	}
	first, err := m.Whole.NewMix(split, weights)
	if err != nil {
		return nil, &settings.Error{Key: "subsets", Fault: err.Error(), Want: "subsets with text"}
	}
	t.mix = first
	for _, a := range m.additions {
		after := m.weights(wanted, shares, max(a.fromBlock, m.Height))
		if slices.Equal(after, weights) {
			continue // it brings none of them, or is there from the beginning
		}
		mix, err := m.Whole.NewMix(split, after)
		if err != nil {
			return nil, &settings.Error{Key: "subsets", Fault: err.Error(), Want: "subsets with text"}
		}
		weights, t.later = after, append(t.later, mind.Growth{FromBlock: a.fromBlock, Mix: mix})
	}
	m.texts = append(m.texts, t)
	return t, nil
}

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}
