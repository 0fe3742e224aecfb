package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/num"
)

type generateFlags struct {
	prompt      string
	tokens      int
	temperature float64
	topK        int
	seed        uint64
	batch       int
	json        bool
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
seed draws the same text, on any machine, however many others are drawn beside it.`,
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
	f.Float64Var(&flags.temperature, "temperature", 1, "from 0, the likeliest token, to 100, any token")
	f.IntVar(&flags.topK, "top-k", 0, "draw among so many tokens; 0: among all")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of the draws")
	f.IntVar(&flags.batch, "batch", 1, "texts to write side by side")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	return cmd
}

func (f generateFlags) check() error {
	switch {
	case f.tokens < 1 || f.tokens > 1e6:
		return fmt.Errorf("--tokens %d: expected 1 to 1000000", f.tokens)
	case !(f.temperature >= 0 && f.temperature <= 100):
		return fmt.Errorf("--temperature %g: expected 0 to 100", f.temperature)
	case f.topK < 0:
		return fmt.Errorf("--top-k %d: expected 0 or more", f.topK)
	case f.batch < 1 || f.batch > 1024:
		return fmt.Errorf("--batch %d: expected 1 to 1024", f.batch)
	}
	return nil
}

// generate writes the texts of a batch. Each draws from a stream of its own.
func generate(c *checkpoint.Checkpoint, flags generateFlags) []generated {
	config := c.Model.Config
	prompt := c.Tokenizer.Encode(nil, []byte(flags.prompt))
	if len(prompt) == 0 {
		prompt = append(prompt, c.Tokenizer.EndOfText())
	}
	all := make([][]uint16, flags.batch)
	streams := make([]*num.Stream, flags.batch)
	ended := make([]bool, flags.batch)
	for i := range all {
		all[i] = slices.Clone(prompt)
		streams[i] = num.NewStream(flags.seed, fmt.Sprintf("generate/%d", i))
	}
	work, pick := new(lm.Workspace), newSampler(flags, config.Vocab)
	var window []uint16
	for range flags.tokens {
		cols := min(len(all[0]), config.Context)
		window = window[:0]
		for _, text := range all {
			window = append(window, text[len(text)-cols:]...)
		}
		probs := work.Next(c.Model, window, flags.batch, cols)
		going := false
		for i := range all {
			next := c.Tokenizer.EndOfText()
			if !ended[i] {
				next = pick.draw(probs[i*config.Vocab:][:config.Vocab], streams[i])
				ended[i] = next == c.Tokenizer.EndOfText()
			}
			all[i] = append(all[i], next)
			going = going || !ended[i]
		}
		if !going {
			break
		}
	}
	texts := make([]generated, flags.batch)
	for i, text := range all {
		tokens := text[len(prompt):]
		if end := slices.Index(tokens, c.Tokenizer.EndOfText()); end >= 0 {
			tokens = tokens[:end]
		}
		texts[i] = generated{flags.prompt, string(c.Tokenizer.Decode(nil, tokens)), tokens, ended[i]}
	}
	return texts
}

// sampler draws tokens by their probabilities.
type sampler struct {
	flags      generateFlags
	order      []int // tokens, the likeliest first
	cumulative []float64
}

func newSampler(flags generateFlags, vocab int) *sampler {
	if flags.topK == 0 || flags.topK > vocab {
		flags.topK = vocab
	}
	return &sampler{flags, make([]int, vocab), make([]float64, flags.topK)}
}

// draw takes one number of the stream, or none at temperature 0.
func (s *sampler) draw(probs []float32, stream *num.Stream) uint16 {
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(a, b int) int { return cmp.Compare(probs[b], probs[a]) })
	if s.flags.temperature == 0 {
		return uint16(s.order[0])
	}
	top, sum := num.Log(float64(probs[s.order[0]])), 0.0
	for k := range s.cumulative {
		if p := probs[s.order[k]]; p > 0 {
			sum += num.Exp((num.Log(float64(p)) - top) / s.flags.temperature)
		}
		s.cumulative[k] = sum
	}
	return uint16(s.order[stream.Pick(s.cumulative)])
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
