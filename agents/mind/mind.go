// Package mind holds what computes a node's answers, what judges them, and what an application makes of
// them. Behaviours deal in bytes, jobs and losses: they do not know whether a transformer, a stated quality
// or anything else stands behind an answer.
package mind

import (
	"taolab/agents/score"
	"taolab/agents/state"
	"taolab/sim/host"
)

// Question is a request as the mind that it is put to has read it. It is not changed.
type Question any

// Server is the mind of a node that serves. Its node has one job at a time: what a mind changes, it
// changes in its own jobs or in its own methods, never in both at once.
type Server interface {
	// Read decodes a request. A code other than Success refuses it.
	Read(host.Request) (Question, host.Code)
	// Answer returns the job whose result is the body of the answer to a question that Read returned, or
	// the body itself where no job is needed. The job is of the moment: it is to be started at once.
	Answer(host.Env, Question) (host.Job, []byte)

	// Train returns the job of a training visit; nil for a mind that does not learn.
	Train(host.Env) host.Job
	Trained(result []byte)
	// Measure returns the job of a measurement; nil for a mind that cannot be measured.
	Measure(host.Env) host.Job
	Measured(env host.Env, result []byte) // records it

	// AppendState writes what Restore reads, into a mind that Fresh made.
	AppendState([]byte) []byte
	Fresh() Server
	Restore(*state.Cursor)
}

// Learner is a Server that can be told what to learn.
type Learner interface {
	// SetMix sets how often a row of its training is of each of the run's subsets, from the next visit on. Its
	// state is without it: the owner who decides on the mix sets it again after Restore.
	SetMix(weights []float64)
}

// Diligent is a Server that learns of itself, for a share of its time.
type Diligent interface {
	// SetDuty sets that share from a time on.
	SetDuty(now host.Time, share float64)
}

// Judge is the mind of a node that asks and scores. It holds one batch of rows at a time, each of a
// subset, and scores each peer as a gate: how much its answer to a row is likely to be worth. As with a
// Server, one job runs at a time.
type Judge interface {
	Subsets() []string  // names of the subsets that its rows can be of
	Demand() []float64  // how often a row is of each of them, summing to 1
	LossScale() float64 // turns its losses into nats per GPT-2-equivalent token

	Draw(host.Env)  // replaces the batch by the next
	Rows() []uint16 // the batch's rows: the place of each one's subset in Subsets; none without a batch
	Drop()          // forgets the batch

	// Route returns the job behind the gate's scores of the batch, whose result Routed takes; nil where
	// they need none.
	Route() host.Job
	Routed(result []byte)
	Gate(row int, uid uint16) (score float32, gated bool)

	Ask(rows []uint16) host.Request // the question about these rows, ascending
	AnswerBytes(rows int) int       // how long the answer to a question about so many rows is at most
	// Read returns the job that reads answers to questions of the batch, whose result Losses decodes, or
	// the losses themselves where no job is needed: of each answer in nats per token, by row of its
	// question; none of an answer that cannot be decoded.
	Read([]Answer) (host.Job, [][]float64)
	// Learn takes what the questions of the batch were worth, in uid order within each lane. It returns
	// the job that learns from them; nil where there is nothing to compute.
	Learn([]Lesson) host.Job

	StartEpoch()
	Forget(uid uint16) // a new hotkey sits there

	// AppendState writes what Restore reads, into a judge that Fresh made.
	AppendState([]byte) []byte
	Fresh() Judge
	Restore(*state.Cursor)
}

// Answer is the body of an answer to the question about these rows.
type Answer struct {
	Rows []uint16 // ascending
	Body []byte
}

// Lesson is what a peer's answer to rows of a batch was worth, between 0 and 1 each.
type Lesson struct {
	UID     uint16
	Lane    score.Lane
	Rows    []uint16  // ascending
	Targets []float32 // of each of the rows
}

// Prompter is the mind of an application: text to continue, and what answers say of its next token.
// It has no state.
type Prompter interface {
	// Draw takes a prompt and the tokens that follow it.
	Draw(host.Env) (prompt, truth []uint16)
	Ask(text []uint16) host.Request
	// Read is an answer's distribution of the token that follows the text.
	Read(text []uint16, body []byte) (score.Dist, error)
	// Loss of a token under a distribution, in nats.
	Loss(d score.Dist, truth uint16) float64
	Shape() (prompt, truth int) // tokens of both

	// Encode is a text that somebody else wants continued, in tokens; an error where prompts have no text.
	Encode(text []byte) ([]uint16, error)
	// Text is what a token reads as; end says that it ends the text instead.
	Text(token uint16) (text []byte, end bool)
	Context() int // tokens of such a text that are sent with a request, at most
}
