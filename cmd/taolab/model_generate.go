package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/num"
)

const mostDecoderBytes = 8 << 30

type generateFlags struct {
	prompt   string
	tokens   int
	sampling lm.Sampling
	seed     uint64
	batch    int
	json     bool
}

// generated is one continuation of the prompt.
type generated struct {
	Prompt string   `json:"prompt"`
	Text   string   `json:"text"` // without the prompt
	Tokens []uint16 `json:"tokens"`
	Ended  bool     `json:"ended"` // the model said that the text ends here
}

func newModelGenerate() *cobra.Command {
	var flags generateFlags
	cmd := &cobra.Command{
		Use:   "generate FOLDER",
		Short: "Let a model continue a text",
		Long: `Let a model continue a text, token by token. A temperature of 0 always takes the likeliest token; otherwise
each is drawn by its probability to the power of 1/temperature, among the top-k likeliest ones. The same
seed draws the same text, on any machine, however many others are drawn with it. Where a text outgrows
the context, the model goes on with the later half of it.`,
		Example: `  taolab model generate models/small --prompt "The court " --tokens 60
  taolab model generate models/small --temperature 0.8 --top-k 40 --batch 4 --seed 7 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return code(exitUsage, err)
			}
			c, err := loadTalker(args[0])
			if err != nil {
				return err
			}
			if n := c.Model.Config.DecoderBytes(flags.batch); n > mostDecoderBytes {
				return code(exitUsage, fmt.Errorf("--batch %d: the model would keep %d bytes of keys and values; "+
					"expected %d at most", flags.batch, n, mostDecoderBytes))
			}
			texts := generate(c, flags)
			if flags.json {
				return writeJSON(cmd.OutOrStdout(), texts)
			}
			return printTexts(cmd.OutOrStdout(), texts)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.prompt, "prompt", "", "text to continue; without one, a new text begins")
	f.IntVar(&flags.tokens, "tokens", 100, "tokens to add at most")
	f.Float64Var(&flags.sampling.Temperature, "temperature", 1, "0: the likeliest token; above 1: more daring than the model")
	f.IntVar(&flags.sampling.TopK, "top-k", 0, "draw among so many tokens; 0: among all")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the draws")
	f.IntVar(&flags.batch, "batch", 1, "texts to write side by side")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	return cmd
}

func (f generateFlags) check() error {
	switch {
	case f.tokens < 1 || f.tokens > 1e6:
		return fmt.Errorf("--tokens %d: expected 1 to 1000000", f.tokens)
	case f.batch < 1 || f.batch > 1024:
		return fmt.Errorf("--batch %d: expected 1 to 1024", f.batch)
	}
	if err := f.sampling.Validate(); err != nil {
		return fmt.Errorf("--temperature %g, --top-k %d: %w", f.sampling.Temperature, f.sampling.TopK, err)
	}
	return nil
}

// generate writes the texts of a batch. Each draws from a stream of its own.
func generate(c *checkpoint.Checkpoint, flags generateFlags) []generated {
	config, end := c.Model.Config, c.Tokenizer.EndOfText()
	prompt := c.Tokenizer.Encode(nil, []byte(flags.prompt))
	if len(prompt) == 0 {
		prompt = append(prompt, end)
	}
	texts, all := make([]generated, flags.batch), make([][]uint16, flags.batch)
	streams := make([]*num.Stream, flags.batch)
	for i := range texts {
		all[i] = slices.Clone(prompt)
		streams[i] = num.NewStream(flags.seed, fmt.Sprintf("generate/%d", i))
	}
	decoder, going := lm.NewDecoder(c.Model, flags.batch), flags.batch
	feed := last(all, min(len(prompt), config.Context))
	for range flags.tokens {
		if decoder.Len()+len(feed)/flags.batch > config.Context {
			decoder.Reset()
			feed = last(all, max(config.Context/2, 1))
		}
		probs := decoder.Feed(feed)
		for i := range texts {
			next := end // for those that have ended, to keep step
			if !texts[i].Ended {
				next = decoder.Sample(flags.sampling, probs[i*config.Vocab:][:config.Vocab], streams[i])
				if texts[i].Ended = next == end; texts[i].Ended {
					texts[i].Tokens = all[i][len(prompt):]
					going--
				}
			}
			all[i] = append(all[i], next)
		}
		if going == 0 {
			break
		}
		feed = last(all, 1)
	}
	for i := range texts {
		t := &texts[i]
		if t.Prompt = flags.prompt; !t.Ended {
			t.Tokens = all[i][len(prompt):]
		}
		t.Text = string(c.Tokenizer.Decode(nil, t.Tokens))
	}
	return texts
}

// last puts the last cols tokens of each text one after the other.
func last(texts [][]uint16, cols int) []uint16 {
	var rows []uint16
	for _, text := range texts {
		rows = append(rows, text[len(text)-cols:]...)
	}
	return rows
}

func printTexts(w io.Writer, texts []generated) error {
	var errs []error
	for i, t := range texts {
		if len(texts) > 1 {
			_, err := fmt.Fprintf(w, "--- %d\n", i+1)
			errs = append(errs, err)
		}
		_, err := fmt.Fprintf(w, "%s%s\n", t.Prompt, t.Text)
		errs = append(errs, err)
	}
	return code(exitFailure, errors.Join(errs...))
}
