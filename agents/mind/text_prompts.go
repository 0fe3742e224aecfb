package mind

import (
	"cmp"
	"errors"
	"fmt"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/model/pile"
	"taolab/model/token"
	"taolab/sim/host"
)

// TextPrompts draws prompts from text and asks for distributions of the next token.
type TextPrompts struct {
	Mix    *pile.Mix // text its prompts come from (pile.Score)
	Later  []Growth  // mixes that replace it as the corpus grows
	Vocab  int       // of the standard tokenizer
	Cols   int       // tokens of a prompt, sent with each request
	Tokens int       // continuation tokens per session
	TopK   int       // tokens asked for per position, at most Vocab/8

	Tokenizer *token.Tokenizer // the standard one; nil: it continues only texts that it draws
	Window    int              // tokens of an operator's text that are sent with a request; 0: Cols
}

// maxWindow is the longest row of a request.
const maxWindow = 1<<16 - 1

// Validate returns an error if the settings are unusable.
func (p TextPrompts) Validate() error {
	switch {
	case p.Mix == nil:
		return fmt.Errorf("application: no text to take prompts from")
	case p.Vocab < 2 || p.Cols < 1 || p.Tokens < 1:
		return fmt.Errorf("application: vocabulary %d, prompts of %d tokens, continuations of %d; "+
			"expected at least 2, 1 and 1", p.Vocab, p.Cols, p.Tokens)
	case p.Window < 0 || p.Window > maxWindow:
		return fmt.Errorf("application: %d tokens of a text are sent, expected at most %d", p.Window, maxWindow)
	case p.TopK < 1 || p.TopK > p.Vocab/8:
		return fmt.Errorf("application: topk %d, expected 1 to vocabulary/8 = %d", p.TopK, p.Vocab/8)
	}
	return nil
}

// Draw implements Prompter.
func (p TextPrompts) Draw(env host.Env) (prompt, truth []uint16) {
	text := make([]uint16, p.Cols+p.Tokens)
	mixAfter(p.Mix, p.Later, grown(p.Later, env)).Batch1(env.Rand("text"), 1, len(text), text)
	return text[:p.Cols:p.Cols], text[p.Cols:]
}

// Ask implements Prompter.
func (p TextPrompts) Ask(text []uint16) host.Request {
	body := wire.EncodeCausalRequest(wire.CausalRequest{Rows: 1, Cols: len(text), TopK: p.TopK, Tokens: text})
	return host.Request{Synapse: host.TextCausalLM, Dir: host.Forward, Body: body, MaxReplies: 1}
}

// Read implements Prompter.
func (p TextPrompts) Read(_ []uint16, body []byte) (score.Dist, error) {
	answer, err := wire.DecodeCausal(body, wire.NextShape{Rows: 1, TopK: p.TopK, Vocab: p.Vocab})
	if err != nil {
		return score.Dist{}, err
	}
	return answer.Rows[0], nil
}

// Loss implements Prompter.
func (p TextPrompts) Loss(d score.Dist, truth uint16) float64 {
	return score.NextTokenLoss(d, truth, p.Vocab)
}

// Shape implements Prompter.
func (p TextPrompts) Shape() (prompt, truth int) { return p.Cols, p.Tokens }

// Encode implements Prompter. It turns an empty text into the end of text.
func (p TextPrompts) Encode(text []byte) ([]uint16, error) {
	if p.Tokenizer == nil {
		return nil, errors.New("this application has no tokenizer; expected the standard one")
	}
	if len(text) == 0 {
		return []uint16{p.Tokenizer.EndOfText()}, nil
	}
	return p.Tokenizer.Encode(nil, text), nil
}

// Text implements Prompter.
func (p TextPrompts) Text(id uint16) (text []byte, end bool) {
	if id == p.Tokenizer.EndOfText() {
		return nil, true
	}
	return p.Tokenizer.Bytes(id), false
}

// Context implements Prompter.
func (p TextPrompts) Context() int { return cmp.Or(p.Window, p.Cols) }
