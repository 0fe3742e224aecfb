package report

import (
	"cmp"
	"math"
	"slices"
)

// maxAble is how many miners a subset's table names.
const maxAble = 10

// SubsetSummary ranks miners by their answers about one subset, from the scoring lane's answers in
// the window.
type SubsetSummary struct {
	Subset string           `json:"subset"`
	Miners []AbilitySummary `json:"miners"` // the best first, ten at most
	Groups []AbilitySummary `json:"groups"` // the best first
}

// AbilitySummary is how well a miner, or a group of them, answers about a subset.
type AbilitySummary struct {
	Node  *int     `json:"node,omitempty"` // nil for a group
	Name  string   `json:"name"`
	Rows  uint64   `json:"rows"`
	Loss  float64  `json:"loss"`           // mean over rows, nats/token
	Gate  *float64 `json:"gate,omitempty"` // mean gate score
	Group string   `json:"group,omitempty"`
}

func (f *findings) abilities() []SubsetSummary {
	var out []SubsetSummary
	for i, subset := range f.subsets {
		s := SubsetSummary{Subset: subset}
		groups := make([]ability, len(f.parties))
		for _, m := range f.miners {
			if len(m.ability) <= i || m.ability[i].rows == 0 {
				continue
			}
			a := m.ability[i]
			s.Miners = append(s.Miners, AbilitySummary{
				Node: &m.node.Index, Name: m.node.Name, Group: m.party.name,
				Rows: a.rows, Loss: a.loss / float64(a.rows), Gate: number(a.gate.value()),
			})
			g := &groups[slices.Index(f.parties, m.party)]
			g.rows += a.rows
			g.loss += a.loss
			g.gate.merge(a.gate)
		}
		for p, g := range groups {
			if g.rows > 0 {
				s.Groups = append(s.Groups, AbilitySummary{Name: f.parties[p].name, Rows: g.rows,
					Loss: g.loss / float64(g.rows), Gate: number(g.gate.value())})
			}
		}
		if len(s.Miners) == 0 {
			continue
		}
		better := func(a, b AbilitySummary) int { return cmp.Compare(a.Loss, b.Loss) }
		slices.SortStableFunc(s.Miners, better)
		slices.SortStableFunc(s.Groups, better)
		s.Miners = s.Miners[:min(len(s.Miners), maxAble)]
		out = append(out, s)
	}
	return out
}

// ChoiceSummary says which miners the gates chose in the service lane, within the window.
type ChoiceSummary struct {
	Subsets []SubsetChoice `json:"subsets"`

	// Specialists is the share of rows that reach a miner that trains on their subset by name, over
	// the subsets that have such miners; Chance is what a blind choice would give.
	Specialists *float64 `json:"specialists,omitempty"`
	Chance      *float64 `json:"chance,omitempty"`
}

// SubsetChoice is where the rows of one subset went.
type SubsetChoice struct {
	Subset string      `json:"subset"`
	Rows   uint64      `json:"rows"`
	Groups []RowsShare `json:"groups"` // in the order of the scenario
}

// RowsShare is the part of a subset's rows that a group of miners was asked about.
type RowsShare struct {
	Group string  `json:"group"`
	Share float64 `json:"share"`
}

func (f *findings) choices() *ChoiceSummary {
	c := &f.choice
	if len(c.rows) == 0 {
		return nil
	}
	s := &ChoiceSummary{}
	var special, chance, rows float64
	for i := range c.rows {
		if c.total[i] == 0 {
			continue
		}
		one := SubsetChoice{Subset: f.subsets[i], Rows: c.total[i]}
		for p, party := range f.parties {
			if party.kind == KindMiner {
				one.Groups = append(one.Groups, RowsShare{party.name, float64(c.rows[i][p]) / float64(c.total[i])})
			}
		}
		s.Subsets = append(s.Subsets, one)
		if c.chance[i] > 0 {
			n := float64(c.total[i])
			special, chance, rows = special+float64(c.special[i]), chance+c.chance[i]*n, rows+n
		}
	}
	if rows > 0 {
		s.Specialists, s.Chance = number(special/rows), number(chance/rows)
	}
	return s
}

// logLargest and lossExponent are the constants of Kaplan's law, L(N) = (8.8e13/N)^0.076.
var logLargest = math.Log(8.8e13)

const (
	lossExponent = 0.076
	releasePower = 0.5 // exponent of scores in every release
)

// logScore is the logarithm of the score of a loss in nats per GPT-2-equivalent token.
func logScore(loss, power float64) float64 {
	return power * (logLargest - math.Log(max(loss, float64(floorLoss)))/lossExponent)
}

// biasOf is the mean of a miner's scores over the score of its mean loss: Jensen's inequality makes
// it more than 1, and much more where scores come from few rows.
func (f *findings) biasOf(m *miner) float64 {
	if m.bias.base.n < fewest || f.power == 0 {
		return math.NaN()
	}
	return math.Exp(math.Log(m.bias.base.value()) - logScore(m.bias.equiv.value(), f.power))
}

// bias is the median over miners of biasOf.
func (f *findings) bias() *Interval {
	var out []float64
	for _, m := range f.miners {
		if v := f.biasOf(m); finite(v) {
			out = append(out, v)
		}
	}
	v, ok := medianInterval(out)
	if !ok {
		return nil
	}
	return &v
}
