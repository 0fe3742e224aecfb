package role

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"

	"taolab/agents/script"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// maxRows bounds the entries of a file of rows.
const maxRows = 10_000_000

// Script holds the settings of scripted validators.
type Script struct {
	Weights     []string    `toml:"weights" doc:"of scripted members, for each epoch: formulas of the weight on each miner, or \"GROUP: FORMULA\" on each member of a group, or \"self: FORMULA\" on itself; if several match a node the last counts"`
	Table       [][]float64 `toml:"table" doc:"of scripted members: a row for each epoch with a weight for each miner, in the order of the scenario; the last row stays; -1 leaves an entry out"`
	RowsFile    string      `toml:"rows_file" doc:"of scripted members: a CSV file with columns epoch, from, to (names of nodes) and weight; relative to the scenario file"`
	LeadBlocks  uint64      `toml:"lead_blocks" unit:"blocks" max:"1000000" doc:"of scripted members, and of lazy ones where it is not 0: blocks from the one that includes their weights to the end of the epoch in which they count"`
	FirstEpoch  uint64      `toml:"first_epoch" unit:"epochs" doc:"first epoch in which weights of scripted members count"`
	LastEpoch   *uint64     `toml:"last_epoch" unit:"epochs" doc:"last such epoch; unset: they never stop"`
	EveryEpochs uint64      `toml:"every_epochs" default:"1" unit:"epochs" min:"1" max:"1000000" doc:"period in epochs at which scripted members set weights"`
}

// Neuron is a node that may hold a seat, and so a target of a script's weights.
type Neuron struct {
	Name, Group string
	Miner       bool
	Place       int64 // among all nodes of its role, in the order of the scenario
	Member      int64 // place in its group
}

// aimed is a formula with its target group: empty for all miners, selfTarget for the validator itself.
type aimed struct {
	group   string
	formula *script.Formula
}

const selfTarget = "self"

// aim reads one element of weights.
func aim(text string) (a aimed, err error) {
	formula := text
	if group, rest, found := strings.Cut(text, ":"); found {
		a.group, formula = strings.TrimSpace(group), rest
	}
	a.formula, err = script.Parse(strings.TrimSpace(formula))
	return a, err
}

// checkScript reports faults of a script in a network of these neurons, and a script that the behaviour
// ignores.
func (g *Validator) checkScript(path string, neurons []Neuron, report Report) {
	told := 0
	for _, given := range []bool{len(g.Weights) > 0, len(g.Table) > 0, g.RowsFile != ""} {
		if given {
			told++
		}
	}
	switch {
	case !g.Acts().Scripted && told > 0:
		report(path+".weights", "only a scripted validator has a script", "no weights, table or rows_file", `or set behaviour = "scripted"`)
		return
	case told > 1:
		report(path+".weights", "more than one of weights, table and rows_file", "one of them", "")
	}
	miners, groups := 0, []string{selfTarget}
	for _, n := range neurons {
		if n.Miner {
			miners++
		}
		if !slices.Contains(groups, n.Group) {
			groups = append(groups, n.Group)
		}
	}
	for i, text := range g.Weights {
		switch a, err := aim(text); {
		case err != nil:
			report(path+".weights", fmt.Sprintf("element %d: %v", i, err),
				`formulas, as "1000 + j" or "GROUP: 1000 + j"`, "see docs/reference/formulas.md")
		case a.group != "" && !slices.Contains(groups, a.group):
			report(path+".weights", fmt.Sprintf("element %d: no group %q", i, a.group),
				"one of "+strings.Join(groups, ", "), settings.Meant(a.group, groups))
		}
	}
	for i, row := range g.Table {
		if len(row) != miners {
			report(path+".table", fmt.Sprintf("row %d has %d weights for %d miners", i, len(row), miners),
				"one for each miner, -1 to leave it out", "")
			break
		}
		for _, x := range row {
			if x != float64(int64(x)) || x > math.MaxUint32 {
				report(path+".table", fmt.Sprintf("row %d: %g", i, x), "whole numbers below 2^32", "")
			}
		}
	}
	if g.LastEpoch != nil && *g.LastEpoch < g.FirstEpoch {
		report(path+".last_epoch", fmt.Sprintf("%d, before first_epoch, %d", *g.LastEpoch, g.FirstEpoch), "no earlier epoch", "")
	}
}

// scripted makes a validator that sets the weights of its group's script.
func (m *Maker) scripted(name string, g *Validator) (Agent, error) {
	config := script.Config{LeadBlocks: g.LeadBlocks, FirstEpoch: g.FirstEpoch, LastEpoch: math.MaxUint64, EveryEpochs: g.EveryEpochs}
	set(&config.LastEpoch, g.LastEpoch, same)
	makeScript := func() script.Script { return m.formulas(g, name) }
	switch {
	case len(g.Table) > 0:
		table := m.table(g)
		makeScript = func() script.Script { return table() }
	case g.RowsFile != "":
		list, err := m.rowsFile(g.RowsFile)
		if err != nil {
			return Agent{}, err
		}
		makeScript = func() script.Script { return list[name] }
	}
	return Agent{Fresh: func() host.Agent {
		config := config
		config.Script = makeScript()
		return script.New(config)
	}}, nil
}

// hotkey returns a node's hotkey, derived once.
func (m *Maker) hotkey(name string) chain.Key {
	key, known := m.hotkeys[name]
	if !known {
		if m.hotkeys == nil {
			m.hotkeys = map[string]chain.Key{}
		}
		key = m.Hotkey(name)
		m.hotkeys[name] = key
	}
	return key
}

// formulas makes the script of a validator whose weights are formulas.
func (m *Maker) formulas(g *Validator, name string) script.Script {
	f := &script.Formulas{First: g.FirstEpoch, Of: script.Variables{Seed: int64(m.Seed)}}
	formulas := make([]*script.Formula, len(m.Neurons))
	for _, text := range g.Weights {
		a, err := aim(text)
		if err != nil {
			panic("role: a formula that was checked cannot be read: " + err.Error())
		}
		for i, n := range m.Neurons {
			if a.group == n.Group || a.group == "" && n.Miner || a.group == selfTarget && n.Name == name {
				formulas[i] = a.formula
			}
		}
	}
	for i, n := range m.Neurons {
		if n.Name == name {
			f.Of.I, f.Of.K = n.Place, n.Member
		}
		if formulas[i] != nil {
			f.Targets = append(f.Targets, script.Target{Hotkey: m.hotkey(n.Name), Weight: formulas[i], J: n.Place, M: n.Member})
		}
	}
	return f
}

// table makes the script of a group with a row for each epoch.
func (m *Maker) table(g *Validator) func() *script.Table {
	var hotkeys []chain.Key
	for _, n := range m.Neurons {
		if n.Miner {
			hotkeys = append(hotkeys, m.hotkey(n.Name))
		}
	}
	rows := make([][]int64, len(g.Table))
	for i, row := range g.Table {
		for _, x := range row {
			rows[i] = append(rows[i], int64(x))
		}
	}
	return func() *script.Table { return &script.Table{Hotkeys: hotkeys, Rows: rows} }
}

// rowsFile reads the rows of all validators from a file, by name.
func (m *Maker) rowsFile(name string) (map[string]script.List, error) {
	if m.files[name] != nil {
		return m.files[name], nil
	}
	var lists map[string]script.List
	f, err := m.Open(name)
	if err == nil {
		defer f.Close()
		lists, err = m.readRows(name, f)
	}
	var fault *settings.Error
	switch {
	case errors.As(err, &fault):
		return nil, err
	case err != nil:
		return nil, &settings.Error{Key: "rows_file", Fault: fmt.Sprintf("%s cannot be read: %v", name, cause(err)),
			Want: fmt.Sprintf("a CSV file with the columns %s", strings.Join(rowsHeader, ", "))}
	}
	if m.files == nil {
		m.files = map[string]map[string]script.List{}
	}
	m.files[name] = lists
	return lists, nil
}

// cause is the reason why a file could not be opened, without the file's name.
func cause(err error) error {
	var refused *fs.PathError
	if errors.As(err, &refused) {
		return refused.Err
	}
	return err
}

// rowsHeader is the first line of a file of rows.
var rowsHeader = []string{"epoch", "from", "to", "weight"}

func (m *Maker) readRows(path string, f io.Reader) (map[string]script.List, error) {
	seats := map[string]int{}
	for i, n := range m.Neurons {
		seats[n.Name] = i
	}
	given := map[[2]int]uint64{} // by from and to: the epoch after the last one with a weight
	lists := map[string]script.List{}
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord = len(rowsHeader), true
	for line := 1; ; line++ {
		fields, err := r.Read()
		bad := func(fault, want string) error {
			return &settings.Error{Where: fmt.Sprintf("%s:%d", path, line), Fault: fault, Want: want}
		}
		var syntax *csv.ParseError
		switch {
		case err == io.EOF && line == 1:
			return nil, bad("the file is empty", fmt.Sprintf("the columns %q", rowsHeader))
		case err == io.EOF:
			return lists, nil
		case err != nil && !errors.As(err, &syntax):
			return nil, err
		case err != nil:
			return nil, bad("the line cannot be read", "4 fields with commas between them")
		case line > maxRows:
			return nil, bad("the file is too long", fmt.Sprintf("at most %d lines", maxRows))
		case line == 1 && !slices.Equal(fields, rowsHeader):
			return nil, bad(fmt.Sprintf("columns %q", fields), fmt.Sprintf("%q", rowsHeader))
		case line == 1:
			continue
		}
		from, known := seats[fields[1]]
		to, too := seats[fields[2]]
		epoch, epochErr := strconv.ParseUint(fields[0], 10, 32)
		weight, weightErr := strconv.ParseUint(fields[3], 10, 32)
		switch {
		case epochErr != nil || weightErr != nil:
			return nil, bad(fmt.Sprintf("epoch %q, weight %q", fields[0], fields[3]), "whole numbers from 0 to 4294967295")
		case !known || !too:
			return nil, bad(fmt.Sprintf("from %q to %q", fields[1], fields[2]), "names of miners and validators")
		case given[[2]int{from, to}] == epoch+1:
			return nil, bad(fmt.Sprintf("a second weight from %q to %q in epoch %d", fields[1], fields[2], epoch), "one")
		}
		given[[2]int{from, to}] = epoch + 1
		list := lists[fields[1]]
		if n := len(list); n == 0 || list[n-1].Epoch < epoch {
			list = append(list, script.Dated{Epoch: epoch})
		} else if list[n-1].Epoch > epoch {
			return nil, bad(fmt.Sprintf("epoch %d after epoch %d", epoch, list[n-1].Epoch), "the epochs of a validator in ascending order")
		}
		last := &list[len(list)-1]
		last.Row = append(last.Row, script.Entry{Hotkey: m.hotkey(fields[2]), Value: int64(weight)})
		lists[strings.Clone(fields[1])] = list
	}
}
