package wire

import (
	"slices"

	"taolab/agents/score"
	"taolab/sim/host"
)

// Question is a request by either TextCausalLMNext or TextCausalLM.
type Question struct {
	Rows, Cols, TopK int
	Tokens           []uint16 // Rows*Cols, row by row
}

// DecodeQuestion decodes the body of a request by either synapse.
func DecodeQuestion(r host.Request, most Bounds) (Question, error) {
	if r.Synapse == host.TextCausalLM {
		q, err := DecodeCausalRequest(r.Body, most)
		return Question(q), err
	}
	q, err := DecodeNextRequest(r.Body, most)
	return Question(q), err
}

// EncodeDists encodes an answer for the synapse: one distribution per row. A model with the
// standard vocabulary has phrases of one token.
func EncodeDists(synapse host.Synapse, rows []score.Dist, topk, vocab int) []byte {
	if synapse == host.TextCausalLM {
		return EncodeCausal(CausalAnswer{TopK: topk, Rows: rows})
	}
	b := header(nextAnswer, 4*len(rows)*(2*topk+1), len(rows), topk)
	for _, d := range rows {
		kept := 0.0
		for k, p := range d.Probs {
			b = appendFloat(b, p)
			b = appendFloat(b, float32(int(d.IDs[k])+idShift))
			kept += float64(p)
		}
		floor := min(max(1-kept, 1e-40), 1) / float64(vocab-topk)
		b = appendFloat(b, float32(floor))
	}
	return b
}

// EncodeFloats encodes the result of a job.
func EncodeFloats(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = appendFloat(b, x)
	}
	return b
}

// DecodeFloats decodes what EncodeFloats wrote; bytes after the last whole value are ignored.
func DecodeFloats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = floatAt(b[4*i:])
	}
	return v
}

func grow[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
