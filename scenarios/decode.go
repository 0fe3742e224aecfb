package scenarios

import (
	"errors"
	"io"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/report"
)

// Decode reads a scenario from TOML text. Errors refer to the text by name, usually its path; sets are
// "key=value" overrides, applied in order. It reports all faults, joined.
func Decode(name string, text string, sets []string) (*Scenario, error) {
	d, err := settings.Parse(name, text, sets)
	if err != nil {
		return nil, err
	}
	sc := Default()
	if d.Decode(&sc); len(d.Faults()) == 0 && sc.Economy() {
		sc = economyDefault()
		d.Decode(&sc)
	}
	faults := append(d.Faults(), independent(d.Faults(), validate(&sc, d.Where))...)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &sc, nil
}

// Default returns the scenario of an empty file.
func Default() Scenario { return settings.Default[Scenario]() }

// Complete returns the default with one table of each kind, for the reference.
func Complete() Scenario {
	sc := Default()
	sc.Miners = []MinerGroup{settings.Default[MinerGroup]()}
	sc.Corpus.Append = []role.Appended{settings.Default[role.Appended]()}
	sc.Validators = []ValidatorGroup{settings.Default[ValidatorGroup]()}
	sc.Applications = []ApplicationGroup{settings.Default[ApplicationGroup]()}
	sc.Holders = []HolderGroup{settings.Default[HolderGroup]()}
	sc.Prices = []role.Price{settings.Default[role.Price]()}
	sc.Faults = []FaultEntry{settings.Default[FaultEntry]()}
	sc.Expect = []report.Expectation{{}}
	sc.Sweep.Keys = []SweepKey{settings.Default[SweepKey]()}
	sc.Sweep.Expect = []SweepExpect{settings.Default[SweepExpect]()}
	sc.Tune.Keys = []SweepKey{settings.Default[SweepKey]()}
	sc.Tune.Objectives = []TuneObjective{settings.Default[TuneObjective]()}
	sc.Tune.Constraints = []TuneConstraint{settings.Default[TuneConstraint]()}
	return sc
}

// WriteReference writes the reference of the file format in Markdown.
func WriteReference(w io.Writer) error { return settings.WriteReference(w, "Top level", Complete()) }
