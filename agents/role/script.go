package role

import (
	"fmt"
	"math"

	"taolab/agents/script"
	"taolab/sim/host"
)

// Script are the settings of a validator that sets the weights that it is told.
type Script struct {
	Weights     []string    `toml:"weights" doc:"of scripted members, in each epoch: formulas of weights on all miners, or as \"GROUP: FORMULA\" on the members of a group, or on itself as \"self: FORMULA\""`
	Table       [][]float64 `toml:"table" min:"-1" max:"4294967295" doc:"of scripted members: a row for each epoch with a weight for each miner, in the order of the scenario; the last row stays; -1 leaves an entry out"`
	RowsFile    string      `toml:"rows_file" doc:"of scripted members: a CSV file with columns epoch, from, to (names of nodes) and weight; relative to the scenario file"`
	FirstEpoch  uint64      `toml:"first_epoch" unit:"epochs" doc:"first epoch in which weights of scripted members count"`
	LastEpoch   *uint64     `toml:"last_epoch" unit:"epochs" doc:"last such epoch; unset: they never stop"`
	EveryEpochs uint64      `toml:"every_epochs" default:"1" unit:"epochs" min:"1" max:"1000000" doc:"scripted members set weights for each so many-th epoch"`
}

// checkScript reports a script of a validator that follows none, and scripts that contradict each other.
func (g *Validator) checkScript(path string, report Report) {
	told := 0
	for _, given := range []bool{len(g.Weights) > 0, len(g.Table) > 0, g.RowsFile != ""} {
		if given {
			told++
		}
	}
	switch {
	case g.Behaviour != "scripted" && told > 0:
		report(path+".weights", "only a scripted validator has a script", "no weights, table or rows_file", `or set behaviour = "scripted"`)
	case g.Behaviour == "scripted" && told > 1:
		report(path+".weights", "more than one of weights, table and rows_file", "one of them", "")
	}
	if g.LastEpoch != nil && *g.LastEpoch < g.FirstEpoch {
		report(path+".last_epoch", fmt.Sprintf("%d, before first_epoch, %d", *g.LastEpoch, g.FirstEpoch), "no earlier epoch", "")
	}
}

// scripted makes a validator that follows the script which the network has for it.
func (m *Maker) scripted(name string, g *Validator) (Agent, error) {
	config := script.Config{LeadBlocks: g.LeadBlocks, FirstEpoch: g.FirstEpoch, LastEpoch: math.MaxUint64, EveryEpochs: g.EveryEpochs}
	set(&config.LastEpoch, g.LastEpoch, same)
	makeScript, err := m.Script(name, &g.Script)
	return Agent{Fresh: func() host.Agent {
		config := config
		config.Script = makeScript()
		return script.New(config)
	}}, err
}
