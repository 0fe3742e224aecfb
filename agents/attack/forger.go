package attack

import (
	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/agents/wire"
	"taolab/sim/host"
)

var forger = Behaviour{
	Kind: Miner, Name: "forger", Doc: "answers at once with forged values, some below zero, that a validator of a release before 3.4.3 takes for certainty",
	Answers: true, Only: Text,
	Wrap: func(host.Agent) host.Agent { return Forger{} },
}

// Forger names phrases with nearly all probability each, and one that never comes with as much below zero as takes
// the sum of all to nearly nothing. Divided by that sum, whatever comes has a probability above one, named or not.
type Forger struct{}

// Values of a forged row: of each phrase but the last, of all that is not named, and their sum.
const (
	forgedProb  = 0.9
	forgedFloor = 1e-4
	forgedSum   = 1e-4
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
	row := score.NextRow{Floor: forgedFloor}
	for id := range topk - 1 {
		row.Phrases = append(row.Phrases, score.Phrase{Prob: forgedProb, Tokens: []uint16{uint16(id)}})
	}
	// A vocabulary has at least eight times the phrases asked, and the floor counts for each that is not named.
	sum := float64(float64(topk-1)*forgedProb) + float64(float64(7*topk)*forgedFloor)
	row.Phrases = append(row.Phrases, score.Phrase{Prob: float32(forgedSum - sum), Tokens: []uint16{0, 0}})
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
