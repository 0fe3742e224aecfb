package attack

import (
	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/host"
)

var forger = Behaviour{
	Kind: Miner, Name: "forger", Doc: "answers at once, with values that are no probabilities: a validator of a release before 3.4.3 takes them for certainty",
	Answers: true,
	Wrap:    func(host.Agent) host.Agent { return Forger{} },
}

// Forger names any phrases with nearly all probability each, and one with as much below zero as takes their sum
// to nearly nothing: divided by that sum, whatever comes has a probability above one, named or not.
type Forger struct{}

// What a forged row says of each phrase but the last, and what is left of all phrases and the floors together.
const (
	forgedProb = 0.9
	forgedSum  = 1e-4
)

// forgeryBounds are those of requests that it reads; they name no token, and so need no vocabulary.
var forgeryBounds = wire.Bounds{Vocab: 1 << 16, Rows: 1 << 10, Cols: 1 << 12, TopK: 1 << 13}

// Handle implements host.Agent.
func (Forger) Handle(env host.Env, event host.Event) {
	in, asked := event.(host.Incoming)
	if !asked {
		return
	}
	if in.Request.Dir != host.Forward || in.Request.Synapse != host.TextCausalLMNext {
		env.Reply(in.Call, host.Response{Code: host.NotImplemented})
		return
	}
	q, err := wire.DecodeNextRequest(in.Request.Body, forgeryBounds)
	if err != nil {
		env.Reply(in.Call, host.Response{Code: host.InvalidRequest})
		return
	}
	env.Reply(in.Call, host.Response{Code: host.Success, Body: forged(q.Rows, q.TopK)})
}

// forged is an answer of so many rows of so many phrases.
func forged(rows, topk int) []byte {
	row := score.NextRow{Floor: forgedSum}
	for id := range topk {
		row.Phrases = append(row.Phrases, score.Phrase{Prob: forgedProb, Tokens: []uint16{uint16(id)}})
	}
	// A vocabulary has at least eight times the phrases asked, all floors of which count.
	floors := float64(7*topk) * forgedSum
	row.Phrases[topk-1].Prob = -float32(float64(topk-1)*forgedProb + floors)
	answer := wire.NextAnswer{TopK: topk}
	for range rows {
		answer.Rows = append(answer.Rows, row)
	}
	return wire.EncodeNext(answer)
}

// AppendState implements host.Agent.
func (Forger) AppendState(b []byte) []byte { return state.Begin(b, "forger") }

// RestoreState implements host.Agent.
func (Forger) RestoreState(b []byte) error { return state.Open("forger", b).End() }
