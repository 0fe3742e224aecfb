package scenarios

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"taolab/agents/settings"
	"taolab/report"
)

// FromManifest makes the scenario of a run from its manifest, where it is resolved, so that
// neither the file nor later defaults matter. Corpus overrides the path of the shards; empty takes
// the recorded one. Sets are overrides, as key=value.
func FromManifest(dir string, m *report.Manifest, corpus string, sets ...string) (*File, error) {
	bad := func(fault, hint string) error {
		return &settings.Error{Where: dir + "/" + report.ManifestFile, Key: "scenario", Fault: fault,
			Want: "the resolved scenario of a run", Hint: hint}
	}
	if len(m.Scenario) == 0 {
		return nil, bad("missing", "")
	}
	decode := json.NewDecoder(bytes.NewReader(m.Scenario))
	decode.UseNumber()
	var tree map[string]any
	if err := decode.Decode(&tree); err != nil {
		return nil, bad(err.Error(), "")
	}
	plain, err := fromJSON(tree)
	if err != nil {
		return nil, bad(err.Error(), "")
	}
	if _, named := tree["format"]; !named {
		return nil, bad("made by the first release; rules and streams have changed since",
			"repeat it with that release, or run the folder's scenario.toml with this one")
	}
	sc := Default()
	d := settings.Of(dir+"/"+report.ManifestFile, plain.(map[string]any), sets...)
	if d.Decode(&sc); len(d.Faults()) > 0 {
		return nil, errors.Join(d.Faults()...)
	}
	if corpus == "" {
		corpus = m.CorpusPath
	}
	switch {
	case sc.Corpus.Kind == "shards" && corpus == "":
		return nil, bad("it does not say where the shards are", "name them with --corpus")
	case sc.Corpus.Kind == "shards":
		sc.Corpus.Path = corpus
	}
	if faults := validate(&sc, d.Where); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	file := &File{Scenario: &sc, Origin: dir, Dir: ".", Text: m.ScenarioTOML, Sets: sets}
	return file, cmp.Or(file.readMetagraph(), file.checkMetagraph())
}

// fromJSON turns JSON values into the types that TOML values have.
func fromJSON(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		x, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("the number %s is out of range", v)
		}
		return x, nil
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			value, err := fromJSON(e)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case map[string]any:
		table := make(map[string]any, len(v))
		for key, e := range v { // order-free: each key is converted by itself
			value, err := fromJSON(e)
			if err != nil {
				return nil, err
			}
			table[key] = value
		}
		return table, nil
	}
	return v, nil
}
