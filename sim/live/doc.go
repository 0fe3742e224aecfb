// Package live is the second host: the world of real time, in which agents call each other over TLS and share
// a replicated ledger.
//
// It keeps the contract of sim/host, so that an agent cannot tell it from the virtual world but by how time
// passes: one event at a time, a clock that stands still while it is handled, a view that does not change
// under it, one job at a time, answers to every call and every transaction. Each agent has a goroutine of
// its own, and what happens to it waits in bounded mailboxes: requests from outside are turned away with
// Backoff when there are too many, everything else makes its sender wait. No agent makes another wait.
//
// It saves the agents' states on a schedule and restores them at the start, and it can keep a journal of each
// agent, from which what it did can be done again (see sim/journal). It decides nothing about the ledger:
// that is behind [Ledger], which several nodes replicate.
package live
