package scenarios

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"taolab/agents/role"
	"taolab/agents/script"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// maxRows bounds the entries of a file of rows.
const maxRows = 10_000_000

// seat is a node that may hold one: who a script can set weights on.
type seat struct {
	name, group      string
	place, placeHere int64 // among all nodes of its role, and in its group
	miner            bool
}

// seatable are all miners, then all validators.
func (sc *Scenario) seatable() []seat {
	var list []seat
	add := func(group string, count int, miner bool, first int64) int64 {
		for i := range count {
			list = append(list, seat{member(group, i), group, first + int64(i), int64(i), miner})
		}
		return first + int64(count)
	}
	first := int64(0)
	for _, g := range sc.Miners {
		first = add(g.Name, g.Count, true, first)
	}
	first = 0
	for _, g := range sc.Validators {
		first = add(g.Name, g.Count, false, first)
	}
	return list
}

// aimed is a formula with the group that it is for: empty for all miners, selfTarget for oneself.
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

// script checks a script against the groups and miners of the scenario.
func (c *checker) script(key string, g *ValidatorGroup) {
	groups := append(c.groups(), selfTarget)
	for i, text := range g.Weights {
		switch a, err := aim(text); {
		case err != nil:
			c.fault(key+".weights", fmt.Sprintf("element %d: %v", i, err), `formulas, as "1000 + j" or "GROUP: 1000 + j"`, "see docs/reference/formulas.md")
		case a.group != "" && !slices.Contains(groups, a.group):
			c.fault(key+".weights", fmt.Sprintf("element %d: no group %q", i, a.group), "one of "+strings.Join(groups, ", "), settings.Meant(a.group, groups))
		}
	}
	miners := 0
	for _, m := range c.Miners {
		miners += m.Count
	}
	for i, row := range g.Table {
		if len(row) != miners {
			c.fault(key+".table", fmt.Sprintf("row %d has %d weights for %d miners", i, len(row), miners), "one for each miner, -1 to leave it out", "")
			break
		}
		for _, x := range row {
			if x != float64(int64(x)) || x > math.MaxUint32 {
				c.fault(key+".table", fmt.Sprintf("row %d: %g", i, x), "whole numbers below 2^32", "")
			}
		}
	}
}

// script is what a validator is told.
func (b *builder) script(name string, s *role.Script) (func() script.Script, error) {
	switch {
	case len(s.Table) > 0:
		table := b.table(s)
		return func() script.Script { return table() }, nil
	case s.RowsFile != "":
		list, err := b.rowsFile(s.RowsFile)
		return func() script.Script { return list[name] }, err
	}
	return func() script.Script { return b.formulas(s, name) }, nil
}

func (b *builder) hotkey(name string) chain.Key {
	key, known := b.hotkeys[name]
	if !known {
		key = virtual.PublicKey(b.Seed, name, host.Hotkey)
		b.hotkeys[name] = key
	}
	return key
}

// formulas is the script of a validator that weighs by formula. Where two formulas are for one node, the
// later one is.
func (b *builder) formulas(g *role.Script, name string) script.Script {
	seats := b.seatable()
	f := &script.Formulas{First: g.FirstEpoch, Of: script.Variables{Seed: int64(b.Seed)}}
	formulas := make([]*script.Formula, len(seats))
	for _, text := range g.Weights {
		a, err := aim(text)
		if err != nil {
			panic("scenarios: a formula that was checked cannot be read: " + err.Error())
		}
		for i, s := range seats {
			if a.group == s.group || a.group == "" && s.miner || a.group == selfTarget && s.name == name {
				formulas[i] = a.formula
			}
		}
	}
	for i, s := range seats {
		if s.name == name {
			f.Of.I, f.Of.K = s.place, s.placeHere
		}
		if formulas[i] != nil {
			f.Targets = append(f.Targets, script.Target{Hotkey: b.hotkey(s.name), Weight: formulas[i], J: s.place, M: s.placeHere})
		}
	}
	return f
}

// table makes the script of a group that has a row for each epoch.
func (b *builder) table(g *role.Script) func() *script.Table {
	var hotkeys []chain.Key
	for _, s := range b.seatable() {
		if s.miner {
			hotkeys = append(hotkeys, b.hotkey(s.name))
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
func (b *builder) rowsFile(name string) (map[string]script.List, error) {
	if b.files[name] != nil {
		return b.files[name], nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(b.Dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &settings.Error{Where: b.Origin, Key: "rows_file", Fault: fmt.Sprintf("%s cannot be read: %v", path, errors.Unwrap(err)), Want: "a CSV file with the columns epoch, from, to, weight"}
	}
	defer f.Close()
	lists, err := b.readRows(path, f)
	if err != nil {
		return nil, err
	}
	b.files[name] = lists
	return lists, nil
}

// rowsHeader is the first line of a file of rows.
var rowsHeader = []string{"epoch", "from", "to", "weight"}

func (b *builder) readRows(path string, f io.Reader) (map[string]script.List, error) {
	seats := map[string]bool{}
	for _, s := range b.seatable() {
		seats[s.name] = true
	}
	lists := map[string]script.List{}
	r := csv.NewReader(f)
	r.FieldsPerRecord, r.ReuseRecord = len(rowsHeader), true
	for line := 1; ; line++ {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		bad := func(fault, want string) error {
			return &settings.Error{Where: fmt.Sprintf("%s:%d", path, line), Fault: fault, Want: want}
		}
		switch {
		case err != nil:
			return nil, bad("the line cannot be read", "4 fields with commas between them")
		case line > maxRows:
			return nil, bad("the file is too long", fmt.Sprintf("at most %d lines", maxRows))
		case line == 1 && !slices.Equal(fields, rowsHeader):
			return nil, bad(fmt.Sprintf("columns %q", fields), fmt.Sprintf("%q", rowsHeader))
		case line == 1:
			continue
		}
		epoch, epochErr := strconv.ParseUint(fields[0], 10, 32)
		weight, weightErr := strconv.ParseUint(fields[3], 10, 32)
		switch {
		case epochErr != nil || weightErr != nil:
			return nil, bad(fmt.Sprintf("epoch %q, weight %q", fields[0], fields[3]), "whole numbers from 0 to 4294967295")
		case !seats[fields[1]] || !seats[fields[2]]:
			return nil, bad(fmt.Sprintf("from %q to %q", fields[1], fields[2]), "names of miners and validators")
		}
		list := lists[fields[1]]
		if n := len(list); n == 0 || list[n-1].Epoch < epoch {
			list = append(list, script.Dated{Epoch: epoch})
		} else if list[n-1].Epoch > epoch {
			return nil, bad(fmt.Sprintf("epoch %d after epoch %d", epoch, list[n-1].Epoch), "the epochs of a validator in ascending order")
		}
		last := &list[len(list)-1]
		last.Row = append(last.Row, script.Entry{Hotkey: b.hotkey(fields[2]), Value: int64(weight)})
		lists[strings.Clone(fields[1])] = list
	}
	return lists, nil
}
