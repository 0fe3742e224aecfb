// Package virtual is the host whose time is virtual: one loop takes the earliest event, hands it
// to its agent and applies the agent's effects, for thousands of agents over one ledger.
//
// It promises that the same Config gives the same run digest whatever the number of workers,
// whatever is recorded and however often the agents' states were written out and read back.
// Events are ordered by (virtual time, sequence number); a block comes before every other event of
// its time. Everything that decides what happens next is plain data.
//
// Time is spent by links (latency between regions, bandwidth at both ends), by compute units
// (work over speed), by waiting for admission and for blocks. Only the work of compute jobs runs
// on other goroutines; its results join the loop at their virtual time. All queues have limits,
// stated in limits.go, and memory does not grow with the length of a run.
//
// A panic of an agent or a job, a broken invariant, or time that would go back ends Run with an error
// that says where; what was recorded up to there is whole.
//
// It uses no wall time and no unnamed randomness, and knows nothing of what agents do.
package virtual
