package mind

import (
	"slices"

	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/model/num"
	"taolab/sim/host"
)

// Random answers with random tokens and probabilities, without any model.
type Random struct {
	Bounds wire.Bounds // of the requests that it serves
}

// Read implements Server.
func (r Random) Read(in host.Request) (Question, host.Code) { return readText(in, r.Bounds) }

// Answer implements Server.
func (r Random) Answer(env host.Env, q Question) (host.Job, []byte) {
	return guess{env.Rand("answers").Uint64(), q.(asked), r.Bounds.Vocab}, nil
}

// Train implements Server: it learns nothing.
func (Random) Train(host.Env) host.Job { return nil }

// Trained implements Server.
func (Random) Trained([]byte) {}

// Measure implements Server: it has no model to measure.
func (Random) Measure(host.Env) host.Job { return nil }

// Measured implements Server.
func (Random) Measured(host.Env, []byte) {}

// AppendState implements Server: it remembers nothing.
func (Random) AppendState(b []byte) []byte { return b }

// Fresh implements Server.
func (r Random) Fresh() Server { return r }

// Restore implements Server.
func (Random) Restore(*state.Cursor) {}

// guess answers a question at random. Its result is the body of the answer.
type guess struct {
	seed uint64
	asked
	vocab int
}

// drawFLOP is the work of one draw.
const drawFLOP = 16

func (j guess) Work() int64 { return drawFLOP * int64(j.Rows*(2*j.TopK+1)) }

func (j guess) Run(*host.Scratch) []byte {
	return randomAnswer(num.NewStream(j.seed, "answer"), j.asked, j.vocab)
}

// randomAnswer is a well-formed answer without information: distinct random tokens with
// probabilities drawn uniformly from the simplex, one share of which is left for all other
// tokens.
func randomAnswer(s *num.Stream, q asked, vocab int) []byte {
	rows := make([]score.Dist, q.Rows)
	shares := make([]float64, q.TopK+1)
	for i := range rows {
		total := 0.0
		for k := range shares {
			shares[k] = s.Exponential()
			total += shares[k]
		}
		slices.Sort(shares[:q.TopK])
		slices.Reverse(shares[:q.TopK])
		d := score.Dist{Probs: make([]float32, q.TopK), IDs: make([]uint16, 0, q.TopK)}
		for k := range d.Probs {
			d.Probs[k] = float32(shares[k] / total)
		}
		for len(d.IDs) < q.TopK {
			if id := uint16(s.IntN(vocab)); !slices.Contains(d.IDs, id) {
				d.IDs = append(d.IDs, id)
			}
		}
		rows[i] = d
	}
	return wire.EncodeDists(q.synapse, rows, q.TopK, vocab)
}
