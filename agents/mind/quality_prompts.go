package mind

import (
	"errors"
	"fmt"
	"slices"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/model/num"
	"taolab/sim/host"
)

// QualityPrompts draws prompts of a language without text: a prompt is the number of its subset, and so is
// every token that follows. A mind with a loss of l nats on the subset gives that token the probability
// exp(-l).
type QualityPrompts struct {
	Subsets Subsets
	Tokens  int // continuation tokens per session
}

// Validate returns an error if the settings are unusable.
func (p QualityPrompts) Validate() error {
	if err := p.Subsets.Validate(); err != nil {
		return fmt.Errorf("application: %w", err)
	}
	if p.Tokens < 1 {
		return fmt.Errorf("application: continuations of %d tokens, expected at least 1", p.Tokens)
	}
	return nil
}

// Draw implements Prompter.
func (p QualityPrompts) Draw(env host.Env) (prompt, truth []uint16) {
	prompt = []uint16{p.Subsets.pick(env.Rand("text"))}
	return prompt, slices.Repeat(prompt, p.Tokens)
}

// Ask implements Prompter.
func (p QualityPrompts) Ask(text []uint16) host.Request {
	body := wire.EncodeStatedRequest(wire.StatedRequest{Subsets: text})
	return host.Request{Synapse: host.StatedLoss, Dir: host.Forward, Body: body, MaxReplies: 1}
}

// Read implements Prompter.
func (p QualityPrompts) Read(text []uint16, body []byte) (score.Dist, error) {
	answer, err := wire.DecodeStated(body, 1)
	if err != nil {
		return score.Dist{}, err
	}
	prob := float32(num.Exp(-float64(answer.Losses[0])))
	return score.Dist{Probs: []float32{prob}, IDs: slices.Clone(text)}, nil
}

// Loss implements Prompter.
func (p QualityPrompts) Loss(d score.Dist, truth uint16) float64 {
	return score.NextTokenLoss(d, truth, 1+len(d.IDs)) // one token stands for all others
}

// Shape implements Prompter.
func (p QualityPrompts) Shape() (prompt, truth int) { return 1, p.Tokens }

// Encode implements Prompter: this language has no text.
func (p QualityPrompts) Encode([]byte) ([]uint16, error) {
	return nil, errors.New("nobody here has a model, and prompts have no text; expected a network with a corpus")
}

// Text implements Prompter.
func (p QualityPrompts) Text(uint16) (text []byte, end bool) { return nil, false }

// Context implements Prompter.
func (p QualityPrompts) Context() int { return 1 }
