package scenarios

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"taolab/agents/settings"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/virtual"
)

// changeable lists the keys that may change at a fork, table by table: those of links, of agents' later
// actions, and of recording. In [chain] a key may change if a governor may set its parameter.
var changeable = []struct{ table, keys string }{
	{"time", "hours"},
	{"chain", "*"},
	{"network", "latency_ms jitter_ms loss header_bytes producer_txs producer_waiting tx_expiry_blocks"},
	{"miners[]", "duty learning_rate momentum steps hardware_mflops up_mbps down_mbps loss min_stake_tao min_interval_s queue slots " +
		"longest_service_s require_uid historic"},
	{"validators[]", "power synergy_power alpha targets timeout_s step_s epoch_blocks noise router_rate hardware_mflops up_mbps " +
		"down_mbps loss favour"},
	{"applications[]", "session_s pace_s peers combine timeout_s up_mbps down_mbps loss"},
	{"trace", "*"},
	{"expect[]", "*"},
	{"faults[]", "* (of faults that begin later; one that is left out ends)"},
}

// forkRules give for each key the reason why it may not change, empty for those of changeable. The first
// pattern that matches counts.
var forkRules = []struct {
	keys *regexp.Regexp
	why  string
}{
	{keys(`format|name`), "it says which scenario the run is of"},
	{keys(`seed`), "keys, streams and initial weights came from it"},
	{keys(`(corpus|base|evaluation)\..*`), "the models learned from it, or are measured on it"},
	{keys(`time\.block_s`), "it was the time between the blocks of the past"},
	{keys(`.*\.stake_tao|chain\.initial_issuance_tao`), "it was the stake at the beginning; the ledger has moved it since"},
	{keys(`chain\.(era|rule|emission|prune_by|owner|metagraph|upgrade_rules|upgrade_height)`),
		"a chain keeps the family of rules and the owner of its genesis"},
	{keys(`chain\.max_uids`), "routing models have a gate for each uid"},
	{keys(changeablePattern()), ""},
	{keys(`network\..*`), "nodes drew their region and their delay from it"},
	{keys(`(miners|validators|applications)(\[\]\.(name|count|coldkey|free_tao|joins_h))?`), "nodes and their keys are fixed at the beginning"},
	{keys(`(miners|validators|applications)\[\]\..*`), "the state of the agents was made with it"},
	{keys(`.*`), "it is fixed at the beginning"},
}

// keys compiles a pattern of whole keys; [] matches any element.
func keys(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(` + pattern + `)$`) }

func changeablePattern() string {
	pattern := "description|expect|faults.*"
	for _, c := range changeable {
		names, _, _ := strings.Cut(c.keys, " (")
		list := strings.NewReplacer("*", ".*", " ", "|").Replace(names)
		pattern += "|" + regexp.QuoteMeta(c.table) + `\.(` + list + ")"
	}
	return pattern
}

// ForkKeys lists the keys that may change at a fork, a line for each table.
func ForkKeys() []string {
	lines := make([]string, len(changeable))
	for i, c := range changeable {
		names, note, noted := strings.Cut(c.keys, " (")
		lines[i] = c.table + ": " + strings.ReplaceAll(names, " ", ", ")
		if noted {
			lines[i] += " (" + note
		}
	}
	return lines
}

var element = regexp.MustCompile(`\[\d+\]`)

// whyFixed is the reason why a key cannot change, empty for one that can.
func whyFixed(key string) string {
	key = element.ReplaceAllString(key, "[]")
	for _, rule := range forkRules {
		if rule.keys.MatchString(key) {
			return rule.why
		}
	}
	return ""
}

// Fork is a scenario that continues from a snapshot of another one's run, with its changes.
type Fork struct {
	File    *File
	Changed []string          // keys, sorted
	before  *File             // of the parent run
	params  []chain.SetParams // the changes to the ledger's parameters
}

// NewFork reads the scenario of a run with overrides. It refuses a key that cannot change at a fork, with the
// reason.
func NewFork(dir string, m *report.Manifest, corpus string, sets []string) (*Fork, error) {
	before, err := FromManifest(dir, m, corpus)
	if err != nil {
		return nil, err
	}
	after, err := FromManifest(dir, m, corpus, sets...)
	if err != nil {
		return nil, err
	}
	f := &Fork{File: after, before: before}
	f.Changed = before.differing(after)
	var faults []error
	for _, key := range f.Changed {
		if why := whyFixed(key); why != "" {
			faults = append(faults, &settings.Error{Where: after.where(key), Key: key, Fault: "it cannot change at a fork: " + why,
				Want: "a key that can, which taolab fork --help lists", Hint: "or run the scenario from its beginning with it"})
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if !slices.EqualFunc(before.waving(), after.waving(), func(a, b *FaultEntry) bool { return reflect.DeepEqual(a, b) }) {
		return nil, &settings.Error{Where: after.Origin, Key: "faults",
			Fault: "a fault with wave = true would change, and the waves were drawn at the beginning",
			Want:  "the same faults with wave = true", Hint: "add faults with a time of their own"}
	}
	f.params, err = governed(before, after)
	return f, err
}

// waving lists the faults that come in waves.
func (sc *Scenario) waving() (list []*FaultEntry) {
	for i := range sc.Faults {
		if sc.Faults[i].Wave {
			list = append(list, &sc.Faults[i])
		}
	}
	return list
}

// CheckFaults refuses a fault that the fork has and its parent did not have, if it would begin before the
// fork's snapshot.
func (f *Fork) CheckFaults(from *Snapshot) error {
	first, _ := f.File.Heights()
	now := float64(float64(from.Height-first) * float64(f.File.Time.BlockS))
	left := slices.Clone(f.before.Faults)
	var faults []error
	for i := range f.File.Faults {
		own := &f.File.Faults[i]
		if at := slices.IndexFunc(left, func(e FaultEntry) bool { return reflect.DeepEqual(e, *own) }); at >= 0 {
			left = slices.Delete(left, at, at+1)
			continue
		}
		if own.AtS < now {
			key := fmt.Sprintf("faults[%d].at_s", i)
			faults = append(faults, &settings.Error{Where: f.File.where(key), Key: key,
				Fault: fmt.Sprintf("%g s, before the fork at %g s (block %d)", own.AtS, now,
					from.Height), Want: "a fault that begins later, or one of the parent as it was",
				Hint: "an active fault that is left out ends with the fork"})
		}
	}
	return errors.Join(faults...)
}

// differing lists the keys in which two scenarios differ.
func (f *File) differing(o *File) []string {
	var a, b any
	if err := errors.Join(json.Unmarshal(f.resolved(), &a), json.Unmarshal(o.resolved(), &b)); err != nil {
		panic("scenarios: a resolved scenario is not JSON: " + err.Error())
	}
	var list []string
	differ("", a, b, &list)
	slices.Sort(list)
	return list
}

// differ appends the keys in which two trees differ.
func differ(path string, a, b any, found *[]string) {
	x, isTable := a.(map[string]any)
	y, both := b.(map[string]any)
	if isTable && both {
		for key := range x { // order-free: the keys are sorted in the end
			differ(settings.Join(path, key), x[key], y[key], found)
		}
		for key := range y { // order-free: the keys are sorted in the end
			if _, known := x[key]; !known {
				differ(settings.Join(path, key), nil, y[key], found)
			}
		}
		return
	}
	list, isList := settings.Tables(a)
	other, both := settings.Tables(b)
	if isList && both && len(list) == len(other) {
		for i := range list {
			differ(fmt.Sprintf("%s[%d]", path, i), list[i], other[i], found)
		}
		return
	}
	if !reflect.DeepEqual(a, b) {
		*found = append(*found, path)
	}
}

// governed lists the differences between the ledger parameters of two scenarios, as a governor's messages.
func governed(before, after *File) (list []chain.SetParams, err error) {
	p, err := before.Params()
	if err != nil {
		return nil, err
	}
	q, err := after.Params()
	if err != nil {
		return nil, err
	}
	x, y := reflect.ValueOf(p), reflect.ValueOf(q)
	for i := range x.NumField() {
		name := x.Type().Field(i).Name
		switch {
		case reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()):
		case slices.Contains(chain.Governable(), name):
			list = append(list, chain.SetParams{Name: name, Value: parameter(y.Field(i))})
		default:
			return nil, &settings.Error{Where: after.Origin, Key: "chain", Fault: fmt.Sprintf("the ledger's parameter %s would change, "+
				"which a chain keeps from genesis", name), Want: "parameters that a governor may set"}
		}
	}
	return list, nil
}

// parameter encodes a value for a governor's message.
func parameter(v reflect.Value) uint64 {
	switch {
	case v.Kind() == reflect.Bool && v.Bool():
		return 1
	case v.Kind() == reflect.Bool:
		return 0
	case v.CanInt():
		return uint64(uint16(v.Int())) // AlphaSteepness, the only signed one
	}
	return v.Uint()
}

// Apply sets the parameters of the ledger, in an order that the ledger accepts: a floor cannot exceed its
// ceiling before that is raised.
func (f *Fork) Apply(w *virtual.World) error {
	for left := f.params; len(left) > 0; {
		var waiting []chain.SetParams
		var last error
		for _, m := range left {
			if err := w.Govern(m); err != nil {
				waiting, last = append(waiting, m), fmt.Errorf("parameter %s = %d: %w", m.Name, m.Value, err)
			}
		}
		if len(waiting) == len(left) {
			return fmt.Errorf("the ledger refuses what the fork changes: %w", last)
		}
		left = waiting
	}
	return nil
}

// Begin sets an experiment up as the fork, from a snapshot of the run in dir.
func (f *Fork) Begin(e *Experiment, dir string, m *report.Manifest, from *Snapshot) {
	e.From = from
	e.Parent = &report.Parent{
		Folder: dir, Name: m.Name, RunDigest: m.RunDigest, Block: from.Height, Events: from.Events,
		CommonDigest: from.Run.String(), Sets: f.File.Sets,
	}
	e.change = f.Apply
}
