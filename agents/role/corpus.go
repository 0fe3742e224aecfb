package role

import (
	"fmt"
	"slices"
	"strings"

	"taolab/agents/settings"
	"taolab/model/pile"
)

// Corpus holds the settings of the text that all agents read.
type Corpus struct {
	Kind      string   `toml:"kind" default:"synthetic" one:"synthetic,shards" doc:"the embedded synthetic Pile, or shards on disk"`
	Path      string   `toml:"path" doc:"folder or file of .jsonl or .jsonl.zst shards; relative to the scenario file"`
	Subsets   []string `toml:"subsets" doc:"names of the subsets to use; empty takes all"`
	Megabytes float64  `toml:"megabytes" default:"6" unit:"MB" min:"0.5" max:"1000000" doc:"most text to read or synthesise"`
	Vocab     int      `toml:"vocab" default:"512" unit:"tokens" min:"264" max:"65535" doc:"size of the standard tokenizer's vocabulary"`
	Tokenizer string   `toml:"tokenizer" doc:"tokenizer.json of the standard tokenizer, which must have vocab tokens, relative to this file; empty: it is trained on the text. Nodes of a live network that read different shards need the same one"`

	Append []Appended `toml:"append"`

	InvalidUTF8 string `toml:"invalid_utf8" default:"refuse" one:"refuse,replace" doc:"bytes of shards that are not UTF-8: an error, or read as U+FFFD and counted in a warning" inert:"both settings read valid text alike"`
}

// maxSyntheticMB bounds the synthetic text: a store is held in memory.
const maxSyntheticMB = 4096

// Check reports faults that involve several keys.
func (c *Corpus) Check(report Report) {
	if c.Kind == "shards" && c.Path == "" {
		report("corpus.path", "missing", "a folder or file of .jsonl or .jsonl.zst shards", "set corpus.path, or corpus.kind = \"synthetic\"")
	}
	if c.Kind == "synthetic" && c.Megabytes > maxSyntheticMB {
		report("corpus.megabytes", fmt.Sprintf("%g MB of synthetic text", c.Megabytes),
			fmt.Sprintf("at most %d", maxSyntheticMB), "a store is held in memory")
	}
	if c.Kind == "synthetic" && c.Path != "" {
		report("corpus.path", "set, but the corpus is synthetic", "no path", "set corpus.kind = \"shards\" to read it")
	}
	if c.Kind == "synthetic" && c.InvalidUTF8 == "replace" {
		report("corpus.invalid_utf8", "replace, but the corpus is synthetic", "refuse", "synthetic text is UTF-8; leave the key out")
	}
	var known []string // shards may have any
	if c.Kind == "synthetic" {
		known = pile.SubsetNames()
	}
	checkSubsets("corpus.subsets", c.Subsets, known, report)
	c.checkAppended(report)
}

// CheckSubsets reports names of subsets that the corpus cannot have.
func (c *Corpus) CheckSubsets(key string, names []string, report Report) {
	known := c.Subsets
	if len(known) == 0 && c.Kind == "synthetic" {
		known = pile.SubsetNames()
	}
	for _, a := range c.Append {
		if len(a.Subsets) == 0 {
			known = nil // only the shards tell
		}
		if known != nil {
			known = append(slices.Clip(known), a.Subsets...)
		}
	}
	checkSubsets(key, names, known, report)
}

func checkSubsets(key string, names, known []string, report Report) {
	for i, name := range names {
		if known != nil && !slices.Contains(known, name) {
			report(key, fmt.Sprintf("no subset %q", name), "one of "+strings.Join(known, ", "), settings.Meant(name, known))
		}
		if slices.Contains(names[:i], name) {
			report(key, fmt.Sprintf("subset %q appears twice", name), "each subset once", "")
		}
	}
}

// Source opens the corpus; path is the resolved Path of the shards.
func (c *Corpus) Source(seed uint64, path string) (pile.Source, error) {
	limit := int64(float64(c.Megabytes * 1e6))
	if c.Kind == "synthetic" {
		return pile.NewSynthetic(seed, limit, c.Subsets)
	}
	invalid := pile.RefuseInvalid
	if c.InvalidUTF8 == "replace" {
		invalid = pile.ReplaceInvalid
	}
	return pile.Open(path, limit, c.Subsets, invalid)
}

// warnOfReplaced warns of bytes of a corpus that are not UTF-8 and were replaced.
func warnOfReplaced(source pile.Source, warn func(string)) {
	shards, ok := source.(*pile.Shards)
	if !ok {
		return
	}
	replaced := int64(0)
	for _, subset := range shards.Subsets() {
		replaced += shards.Replaced(subset.Name)
	}
	if replaced > 0 {
		warn(fmt.Sprintf("corpus: %d bytes are not UTF-8 and read as U+FFFD", replaced))
	}
}
