package scenarios

import (
	"fmt"

	"taolab/agents/mind"
	"taolab/agents/role"
	"taolab/report"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// Economy reports whether the run has no models, and so needs no corpus, tokenizer or base model: the
// scenario sets the mode, or no node reads or writes text.
func (sc *Scenario) Economy() bool {
	if sc.Mode == "economy" {
		return true
	}
	for i := range sc.Miners {
		if sc.Miners[i].Acts().Mind != nil {
			return false
		}
	}
	for i := range sc.Validators {
		if sc.Validators[i].Acts().Asks {
			return false
		}
	}
	return len(sc.Applications) == 0 && len(sc.Miners)+len(sc.Validators) > 0
}

// neurons are the uids of all miners, then all validators.
func (sc *Scenario) neurons() []role.Neuron {
	var list []role.Neuron
	add := func(group string, count, uids int, miner bool, first int64) int64 {
		for i := range int64(count) {
			for id := range uids {
				name := virtual.Named(member(group, int(i)), host.Identity(id))
				list = append(list, role.Neuron{Name: name, Group: group, Miner: miner, Place: first + i, Member: i})
			}
		}
		return first + int64(count)
	}
	first := int64(0)
	for _, g := range sc.Miners {
		first = add(g.Name, g.Count, g.Identities(), true, first)
	}
	first = 0
	for _, g := range sc.Validators {
		first = add(g.Name, g.Count, 1, false, first)
	}
	return list
}

// economyDefault returns the defaults of a scenario without models: links that cost no time, and row
// settings for runs of years.
func economyDefault() Scenario {
	sc := Default()
	sc.Chain.DigestEpochs = 100
	sc.Network.Regions, sc.Network.LatencyMs = []string{"here"}, [][]float64{{0}}
	sc.Network.JitterMs, sc.Network.BlockDelayMs = 0, 0
	sc.Trace.Blocks, sc.Trace.Transactions = "epochs", "all"
	return sc
}

// stated returns the subsets of questions without models, all equally frequent; nil with models.
func (sc *Scenario) stated() *mind.Subsets {
	if !sc.Economy() {
		return nil
	}
	s := &mind.Subsets{Names: sc.subsetNames()}
	for range s.Names {
		s.Weights = append(s.Weights, 1)
	}
	return s
}

// yearNames lists the names of the whole years of the run.
func (sc *Scenario) yearNames() []string {
	return report.YearNames(sc.Time.Start, int64(sc.BlockCount())*int64(role.Seconds(sc.Time.BlockS)))
}

// calendar checks the date of genesis.
func (c *checker) calendar() {
	if c.Time.Start != "" && !report.CheckDate(c.Time.Start) {
		c.fault("time.start", fmt.Sprintf("%q", c.Time.Start), "a date such as 2023-03-20", "or leave it out to count years from genesis")
	}
}
