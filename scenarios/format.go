package scenarios

import (
	"fmt"
	"reflect"

	"taolab/agents/role"
)

// currentFormat is the format of scenario files that this release writes. A later release that changes
// the meaning of a key raises it.
var currentFormat = Default().Format

// Notes lists the changes in meaning of a file that was written for an earlier format or names none.
func (f *File) Notes() []string {
	if f.written("format") && f.Format == currentFormat {
		return nil
	}
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for i, g := range f.Validators {
		if !g.Acts().Asks {
			continue
		}
		key := fmt.Sprintf("validators[%d]", i)
		if !f.written(key + ".batch") {
			note("%s: batch is %q; it was \"subset\": all rows of one subset", key, g.Batch)
		}
		if g.Routing == "gated" {
			note("%s: the gate chooses peers for each row, and the rows that it chose for do not count for scores; score_peers replaces explore", key)
		}
	}
	var alone, padded []string
	for _, g := range f.groupSizes() {
		if g.count == 1 {
			alone = append(alone, g.name)
		}
		if g.count > 9 {
			padded = append(padded, g.name)
		}
	}
	if len(alone) > 0 {
		note("the member of a group of one has a number: %s", member(alone[0], 0))
	}
	if len(padded) > 0 {
		note("numbers have no leading zeros: the first member of %s is %s", padded[0], member(padded[0], 0))
	}
	for _, key := range zeroKeptTheEra {
		if f.written("chain."+key) && zero(&f.Chain, key) {
			note("chain.%s = 0 is 0; before, it kept the era's value", key)
		}
	}
	note("region, block delay, link and keys of a node are drawn by its name: single numbers and digests differ from before")
	return append(notes, fmt.Sprintf("write format = %d at the beginning of the file once it says what you mean", currentFormat))
}

// zeroKeptTheEra lists the keys of [chain] for which 0 meant unset in format 1.
var zeroKeptTheEra = []string{
	"tempo_blocks", "immunity_blocks", "activity_cutoff_blocks", "weights_rate_limit_blocks", "min_allowed_weights",
	"max_weight", "max_validators", "kappa", "bonds_moving_average",
}

// written reports whether the file or an override sets a key.
func (f *File) written(key string) bool {
	return f.Line(key) > 0 || f.setting(key) != ""
}

// zero reports whether a key of [chain] is set to 0.
func zero(c *role.Chain, key string) bool {
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("toml") == key {
			return reflect.Indirect(v.Field(i)).IsZero()
		}
	}
	panic("scenarios: [chain] has no key " + key)
}

// groupSize is a group's name and its number of members.
type groupSize struct {
	name  string
	count int
}

func (sc *Scenario) groupSizes() []groupSize {
	var sizes []groupSize
	for _, g := range sc.Miners {
		sizes = append(sizes, groupSize{g.Name, g.Count})
	}
	for _, g := range sc.Validators {
		sizes = append(sizes, groupSize{g.Name, g.Count})
	}
	for _, g := range sc.Applications {
		sizes = append(sizes, groupSize{g.Name, g.Count})
	}
	for _, g := range sc.Holders {
		sizes = append(sizes, groupSize{g.Name, g.Count})
	}
	return sizes
}
