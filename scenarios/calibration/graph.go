package calibration

import (
	"fmt"
	"slices"

	"taolab/model/num"
	"taolab/sim/chain"
)

// Judgement is a weight that a validator gives to a miner.
type Judgement struct {
	Validator, Miner chain.UID
	Weight           uint32  // as the ledger stores it
	Log              float64 // natural logarithm of the weight
}

// Graph are the judgements that a fit can use, by validator, then by miner.
type Graph struct {
	Judgements []Judgement
	Faint      int // weights left out because they are small
	Lone       int // weights left out because their validator or their miner has too few
	Flat       int // weights left out because their validator weighs all miners alike
	Max        uint32
}

// Selection says which weights of a metagraph are judgements.
type Selection struct {
	StakeShare float64 // least share of the stake of a validator that is heard
	Faintest   uint32  // least weight; smaller ones are what rounding and habits leave
}

// Fewest weights with which a validator and a miner take part: a level, a slope and two more; two opinions.
const (
	fewestOfValidator = 4
	fewestOfMiner     = 2
)

// Read selects the judgements of a metagraph. Weights of a validator on itself are none.
func Read(g *chain.Genesis, s Selection) *Graph {
	total := 0.0
	for _, n := range g.Neurons {
		total += float64(n.StakeRao)
	}
	graph := &Graph{Max: 65535}
	for i, r := range g.Records {
		if total == 0 || float64(g.Neurons[i].StakeRao) < float64(s.StakeShare*total) {
			continue
		}
		for _, w := range r.Weights {
			switch {
			case int(w.UID) == i || w.Weight == 0:
			case w.Weight < s.Faintest:
				graph.Faint++
			default:
				graph.Max = max(graph.Max, w.Weight)
				graph.Judgements = append(graph.Judgements, Judgement{chain.UID(i), w.UID, w.Weight, num.Log(float64(w.Weight))})
			}
		}
	}
	for graph.prune(); graph.dropFlat(); graph.prune() {
	}
	return graph
}

// dropFlat leaves out validators that give all their miners one weight: they have no opinion, and a miner whom only such
// validators weigh could have any quality. It reports whether there were any.
func (g *Graph) dropFlat() bool {
	weight, opinion := map[chain.UID]uint32{}, map[chain.UID]bool{}
	for _, j := range g.Judgements {
		if first, met := weight[j.Validator]; !met {
			weight[j.Validator] = j.Weight
		} else if j.Weight != first {
			opinion[j.Validator] = true
		}
	}
	before := len(g.Judgements)
	g.Judgements = slices.DeleteFunc(g.Judgements, func(j Judgement) bool { return !opinion[j.Validator] })
	g.Flat += before - len(g.Judgements)
	return len(g.Judgements) < before
}

// prune leaves out who has too few weights, until all have enough.
func (g *Graph) prune() {
	for {
		given, got := g.count()
		kept := g.Judgements[:0]
		for _, j := range g.Judgements {
			if given[j.Validator] >= fewestOfValidator && got[j.Miner] >= fewestOfMiner {
				kept = append(kept, j)
			}
		}
		lone := len(g.Judgements) - len(kept)
		g.Judgements = kept
		if g.Lone += lone; lone == 0 {
			return
		}
	}
}

// count counts the weights that each validator gave and each miner got.
func (g *Graph) count() (given, got map[chain.UID]int) {
	given, got = map[chain.UID]int{}, map[chain.UID]int{}
	for _, j := range g.Judgements {
		given[j.Validator]++
		got[j.Miner]++
	}
	return given, got
}

// Validators and Miners are how many take part.
func (g *Graph) Validators() int { given, _ := g.count(); return len(given) }

// Miners is the number of miners that are judged.
func (g *Graph) Miners() int { _, got := g.count(); return len(got) }

// Least size of a graph that can be fitted.
const (
	fewestValidators = 3
	fewestMiners     = 5
)

// Check returns an error unless the three numbers can be fitted to the graph.
func (g *Graph) Check() error {
	v, m := g.Validators(), g.Miners()
	if v < fewestValidators || m < fewestMiners || len(g.Judgements) < 2*v+m+fewestOfValidator {
		return fmt.Errorf("%d weights of %d validators on %d miners can be used (%d were too small, %d too few of their kind, %d of validators that weigh all alike); "+
			"expected at least %d validators with %d weights each, %d miners with %d each, and %d weights in all",
			len(g.Judgements), v, m, g.Faint, g.Lone, g.Flat, fewestValidators, fewestOfValidator, fewestMiners, fewestOfMiner, 2*v+m+fewestOfValidator)
	}
	return nil
}

// split holds out a share of the judgements, as far as those left over suffice to predict them.
func (g *Graph) split(share float64, stream *num.Stream) (train *Graph, held []Judgement) {
	given, got := g.count()
	out := make([]bool, len(g.Judgements))
	want := int(float64(share * float64(len(g.Judgements))))
	for _, i := range stream.Perm(len(g.Judgements)) {
		j := g.Judgements[i]
		if want == 0 {
			break
		}
		if given[j.Validator] > fewestOfValidator && got[j.Miner] > fewestOfMiner {
			given[j.Validator]--
			got[j.Miner]--
			out[i] = true
			want--
		}
	}
	train = &Graph{Max: g.Max, Faint: g.Faint, Lone: g.Lone, Flat: g.Flat}
	for i, j := range g.Judgements {
		if out[i] {
			held = append(held, j)
		} else {
			train.Judgements = append(train.Judgements, j)
		}
	}
	return train, held
}
