package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"taolab/model/checkpoint"
	"taolab/model/pile"
	"taolab/model/token"
)

func newModel() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model",
		Short: "Train, measure, question and look at a model",
		Long: `A model is a folder with model.safetensors, config.json and tokenizer.json, as Hugging Face's
transformers keeps a GPT-2: what it saved is read here, and what is saved here it reads.`,
		Example: `  taolab model train --out models/small --steps 500
  taolab model eval models/small
  taolab model generate models/small --prompt "the " --tokens 40
  taolab model inspect models/small`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelTrain(), newModelEval(), newModelGenerate(), newModelInspect())
	return cmd
}

// loadCheckpoint reads a folder; a file that is not there is another matter than one that is wrong.
func loadCheckpoint(folder string) (*checkpoint.Checkpoint, error) {
	c, err := checkpoint.Load(folder)
	return c, fileError(err)
}

func fileError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return code(exitFailure, err)
	}
	return code(exitScenario, err)
}

// loadTalker reads a folder whose model can read text.
func loadTalker(folder string) (*checkpoint.Checkpoint, error) {
	c, err := loadCheckpoint(folder)
	if err == nil && c.Tokenizer == nil {
		hint := ""
		if _, missing := os.Stat(filepath.Join(folder, "vocab.json")); missing == nil {
			hint = "; vocab.json is its older form: AutoTokenizer.from_pretrained(folder).save_pretrained(folder) writes the other"
		}
		err = code(exitScenario, fmt.Errorf("%s: no %s; expected the tokenizer that the model was trained with%s",
			folder, checkpoint.TokenizerFile, hint))
	}
	return c, err
}

// corpusFlags say which text a model reads.
type corpusFlags struct {
	Path      string      `json:"path"` // of shards; empty: the synthetic Pile
	Megabytes float64     `json:"megabytes"`
	Seed      uint64      `json:"seed"` // of the synthetic Pile
	Subsets   []string    `json:"subsets"`
	Invalid   invalidUTF8 `json:"invalid_utf8,omitempty"`
}

// invalidUTF8 is the flag that says what happens to bytes of shards that are not UTF-8.
type invalidUTF8 string

func (i *invalidUTF8) String() string { return cmp.Or(string(*i), "refuse") }
func (i *invalidUTF8) Type() string   { return "refuse|replace" }

func (i *invalidUTF8) Set(value string) error {
	if value != "refuse" && value != "replace" {
		return errors.New("expected refuse or replace")
	}
	*i = invalidUTF8(value)
	return nil
}

func (i invalidUTF8) policy() pile.InvalidUTF8 {
	if i == "replace" {
		return pile.ReplaceInvalid
	}
	return pile.RefuseInvalid
}

const invalidUTF8Help = "bytes of shards that are not UTF-8: an error, or read as U+FFFD and counted"

func (c *corpusFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.Path, "corpus", "", "folder or file of shards; default: the synthetic Pile")
	f.Float64Var(&c.Megabytes, "megabytes", 6, "text to read or generate at most")
	f.Uint64Var(&c.Seed, "corpus-seed", 1, "seed of the synthetic Pile")
	f.Var(&c.Invalid, "invalid-utf8", invalidUTF8Help)
	f.StringArrayVar(&c.Subsets, "subset", nil, "read only this subset; may be repeated (default all)")
}

// changedCorpus reports whether the user chose a corpus.
func changedCorpus(cmd *cobra.Command) bool {
	f := cmd.Flags()
	return f.Changed("invalid-utf8") || f.Changed("corpus") || f.Changed("megabytes") || f.Changed("corpus-seed") || f.Changed("subset")
}

// open finds the text. Errors end in the exit code for corpora that cannot be read.
func (c corpusFlags) open() (pile.Source, error) {
	if !(c.Megabytes >= 0.1 && c.Megabytes <= 1e6) {
		return nil, code(exitUsage, fmt.Errorf("--megabytes %g: expected 0.1 to 1000000", c.Megabytes))
	}
	limit := int64(float64(c.Megabytes * 1e6))
	if c.Path == "" {
		source, err := pile.NewSynthetic(c.Seed, limit, c.Subsets)
		return source, code(exitScenario, err)
	}
	source, err := pile.Open(c.Path, limit, c.Subsets, c.Invalid.policy())
	return source, code(exitScenario, err)
}

// trainTokenizer learns merges from the beginning of the training text.
func trainTokenizer(source pile.Source, vocab int) (*token.Tokenizer, error) {
	const sampleBytes = 2 << 20
	sample, err := pile.Sample(source, sampleBytes)
	if err != nil {
		return nil, code(exitScenario, err)
	}
	t, err := token.Train(sample, vocab)
	return t, code(exitScenario, err)
}
