package mind

import (
	"fmt"

	"taolab/agents/score"
	"taolab/agents/wire"
	"taolab/model/lm"
	"taolab/model/token"
	"taolab/sim/host"
)

// Translation lets a model with its own tokenizer answer questions in standard tokens. A question is decoded
// to text and encoded again; each of the model's tokens is a phrase of standard ones, as in 2022. It is
// shared and read-only.
type Translation struct {
	standard, own *token.Tokenizer
	phrases       [][]uint16 // of each of the model's tokens
}

// NewTranslation makes a translation from the standard tokenizer to a model's own and back.
func NewTranslation(standard, own *token.Tokenizer) *Translation {
	t := &Translation{standard, own, make([][]uint16, own.Vocab())}
	encoder := standard.NewEncoder()
	for id := range t.phrases {
		if uint16(id) != own.EndOfText() {
			t.phrases[id] = encoder.Encode(nil, own.Bytes(uint16(id)))
		}
		if len(t.phrases[id]) == 0 {
			t.phrases[id] = []uint16{standard.EndOfText()}
		}
	}
	return t
}

// validate returns an error unless the translation's own tokens are the model's.
func (t *Translation) validate(model *lm.Model) error {
	if vocab := model.Config.Vocab; t.own.Reach() > vocab || len(t.phrases) < vocab {
		return fmt.Errorf("miner: a model of %d tokens, and a tokenizer of %d; expected one of the model", vocab, t.own.Vocab())
	}
	return nil
}

// read appends a text in the model's tokens and returns its last ones, at most most.
func (t *Translation) read(dst, text []uint16, most int) []uint16 {
	encoder := t.own.NewEncoder()
	var words []byte
	for _, id := range text {
		if id == t.standard.EndOfText() {
			dst, words = append(encoder.Encode(dst, words), t.own.EndOfText()), words[:0]
		} else {
			words = append(words, t.standard.Bytes(id)...)
		}
	}
	if dst = encoder.Encode(dst, words); len(dst) == 0 {
		dst = append(dst, t.own.EndOfText())
	}
	return dst[max(0, len(dst)-most):]
}

// translated answers a question with a model that has its own tokens. Its result is the body of the answer.
type translated struct {
	fork *fork
	by   *Translation
	most int // tokens that the model reads
	asked
}

// Work counts as many of the model's tokens as the question has of the standard ones.
func (j translated) Work() int64 {
	return j.fork.base.Config.ForwardFLOP(j.Rows, min(j.Cols, j.most), true)
}

func (j translated) Tokens() int64 { return int64(j.Rows * j.Cols) }

func (j translated) Run(s *host.Scratch) []byte {
	b := benchOf(s)
	var phrases []score.NextRow
	var dists []score.Dist
	for row := range j.Rows {
		b.tokens = j.by.read(b.tokens[:0], j.asked.Tokens[row*j.Cols:(row+1)*j.Cols], j.most)
		probs := b.lm.Next(j.fork.model(), b.tokens, 1, len(b.tokens))
		if j.synapse == host.TextCausalLM {
			dists = append(dists, j.by.tokens(b, probs, j.TopK))
		} else {
			phrases = append(phrases, j.by.next(b, probs, j.TopK))
		}
	}
	if j.synapse == host.TextCausalLM {
		return wire.EncodeDists(j.synapse, dists, j.TopK, j.by.standard.Vocab())
	}
	return wire.EncodeNext(wire.NextAnswer{TopK: j.TopK, Rows: phrases})
}

// next returns the k most probable tokens as phrases.
func (t *Translation) next(b *bench, probs []float32, k int) score.NextRow {
	var row score.NextRow
	kept := 0.0
	d := b.ranking.top(probs, 1, k)[0]
	for i, p := range d.Probs {
		row.Phrases = append(row.Phrases, score.Phrase{Prob: p, Tokens: t.phrases[d.IDs[i]]})
		kept += float64(p)
	}
	row.Floor = float32(min(max(1-kept, 1e-40), 1) / float64(len(probs)-k))
	return row
}

// tokens returns the k most probable next standard tokens: each has the probability of all the model's
// tokens that begin with it.
func (t *Translation) tokens(b *bench, probs []float32, k int) score.Dist {
	sums := make([]float32, t.standard.Vocab())
	for id, p := range probs {
		sums[t.phrases[id][0]] += p
	}
	for id, p := range sums {
		sums[id] = min(p, 1)
	}
	d := b.ranking.top(sums, 1, k)[0]
	return score.Dist{Probs: append([]float32{}, d.Probs...), IDs: append([]uint16{}, d.IDs...)}
}
