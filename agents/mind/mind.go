// Package mind holds what computes a node's answers. Behaviours deal in bytes and jobs: they do not know
// whether a transformer, noise or anything else stands behind an answer.
package mind

import (
	"taolab/agents/state"
	"taolab/sim/host"
)

// Server is the mind of a node that serves. Its node has one job at a time: what a mind changes, it
// changes in its own jobs or in its own methods, never in both at once.
type Server interface {
	// Check returns Success, or the code with which a request is refused.
	Check(host.Request) host.Code
	// Answer returns the job whose result is the body of the answer to a request that Check passed, or the
	// body itself where none is needed.
	Answer(host.Env, host.Request) (host.Job, []byte)

	// Train returns the job of a training visit; nil for a mind that does not learn.
	Train(host.Env) host.Job
	Trained(result []byte)
	// Measure returns the job of a measurement; nil for a mind that cannot be measured.
	Measure() host.Job
	Measured(env host.Env, result []byte) // records it

	// AppendState writes what Restore reads, into a mind that Fresh made.
	AppendState([]byte) []byte
	Fresh() Server
	Restore(*state.Cursor)
}
