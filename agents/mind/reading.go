package mind

import (
	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/host"
)

// readPhrases decodes answers and compares them with the text that the judge withheld. Its result is the
// losses of each answer, for Losses.
type readPhrases struct {
	answers []Answer
	phrases []uint16       // of each row of the batch
	shape   wire.NextShape // of an answer, without its rows
}

// readFLOP is the work of reading one byte of an answer: a value has four, and is checked, added to a sum
// and compared with the text.
const readFLOP = 4

func (j readPhrases) Work() int64 {
	bytes := 0
	for _, a := range j.answers {
		bytes += len(a.Body)
	}
	return readFLOP * int64(bytes)
}

func (j readPhrases) Run(s *host.Scratch) []byte {
	reader := &benchOf(s).reader
	result := state.Begin(nil, lossesKind)
	for _, a := range j.answers {
		result = state.AppendF64s(result, j.losses(reader, a))
	}
	return result
}

// losses are the losses of an answer by row; none if it cannot be decoded.
func (j readPhrases) losses(reader *wire.NextReader, a Answer) []float64 {
	shape := j.shape
	shape.Rows = len(a.Rows)
	answer, err := reader.Read(a.Body, shape)
	if err != nil {
		return nil
	}
	losses := make([]float64, 0, len(a.Rows))
	kept := rowsOf(j.phrases, phraseTokens, a.Rows)
	for _, l := range score.PhraseLosses(answer.Rows, kept, shape.Vocab, shape.TopK) {
		losses = append(losses, l.Phrase)
	}
	return losses
}

// lossesKind names the result of a job that reads answers.
const lossesKind = "losses"

// Losses decodes the result of a job that read n answers. An answer that is missing in the result has no
// losses.
func Losses(result []byte, n int) [][]float64 {
	losses := make([][]float64, n)
	c := state.Open(lossesKind, result)
	for i := range losses {
		losses[i] = c.F64s("losses of an answer")
	}
	if c.End() != nil {
		clear(losses)
	}
	return losses
}
