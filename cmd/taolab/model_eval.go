package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"taolab/model/pile"
)

// evaluation is what eval prints as JSON.
type evaluation struct {
	Model    string    `json:"model"`
	Digest   string    `json:"digest"`
	Corpus   string    `json:"corpus_digest"`
	Measures []measure `json:"measures"`
}

func newModelEval() *cobra.Command {
	var (
		corpus corpusFlags
		rows   int
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "eval FOLDER",
		Short: "Measure a model on held-out text, subset by subset",
		Long: `Measure the loss of a model on held-out text. A model that was trained here is measured on the
corpus that it was trained on, if no other is named.

loss is in nats per token and depends on the tokenizer, bits/byte does not. ± is the standard error of the
loss: --rows windows of held-out text were drawn, and others would have given another loss, by so much.
bigram is the loss of a model that knows only pairs of tokens. entropy is what the synthetic text has in
it: no model comes below, but for chance.`,
		Example: `  taolab model eval models/small
  taolab model eval models/small --rows 4096
  taolab model eval gpt2 --corpus /data/pile --megabytes 20 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rows < 1 || rows > 1e6 {
				return code(exitUsage, fmt.Errorf("--rows %d: expected 1 to 1000000", rows))
			}
			c, err := loadTalker(args[0])
			if err != nil {
				return err
			}
			if !changedCorpus(cmd) {
				t, err := readTraining(args[0])
				switch {
				case err == nil:
					corpus = t.Corpus.corpusFlags
				case !errors.Is(err, fs.ErrNotExist):
					return fileError(err)
				}
			}
			source, err := corpus.open()
			if err != nil {
				return err
			}
			store, err := pile.Build(source, c.Tokenizer)
			if err != nil {
				return code(exitScenario, err)
			}
			measures, err := evaluate(c.Model, store, source, rows)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), evaluation{
					Model: filepath.Clean(args[0]), Digest: fmt.Sprintf("%x", c.Model.Digest()),
					Corpus: fmt.Sprintf("%x", store.Source()), Measures: measures,
				})
			}
			return code(exitFailure, printMeasures(cmd.OutOrStdout(), measures))
		},
	}
	corpus.register(cmd)
	cmd.Flags().IntVar(&rows, "rows", 256, "held-out windows of the model's context, divided among the subsets, at least one each")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printMeasures prints a line for each subset, and one for all.
func printMeasures(w io.Writer, measures []measure) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "subset\tweight %%\tloss\t±\tbigram\tbits/byte\tentropy\t\n")
	for _, m := range measures {
		entropy := "?"
		if m.Entropy > 0 {
			entropy = fmt.Sprintf("%.4f", m.Entropy)
		}
		fmt.Fprintf(table, "%s\t%.2f\t%.4f\t%s\t%.4f\t%.4f\t%s\t\n", m.Subset, float64(100*m.Weight), m.Loss,
			m.deviation(), m.Bigram, m.BitsPerByte, entropy)
	}
	return table.Flush()
}
