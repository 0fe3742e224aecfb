// Package host is the contract between an agent and its world, and what both worlds share.
//
// An agent is a state machine: its host hands it one event at a time and it answers with effects
// through Env. It promises the agent named random streams, a clock, the chain as this node has
// seen it, calls to peers, one compute unit and timers; it promises the reader that the virtual
// and the live world differ in nothing that an agent can see but the passing of time.
//
// It forbids agents to block, to start goroutines, to read another clock and to do I/O, and it
// does none of that itself. The admission queue of a serving node stands here because both worlds
// use it: it is the rule that gives stake its use.
package host
