// Package host is the contract between an agent and its world, and what both worlds share.
//
// An agent is a state machine: its host hands it one event at a time and it answers with effects
// through Env. It promises the agent named random streams, a clock, the chain as this node has
// seen it, calls to peers, one compute unit and timers; it promises the reader that the virtual
// and the live world differ in nothing that an agent can see but the passing of time.
//
// It forbids agents to block, to start goroutines, to read another clock and to do I/O, and it
// does none of that itself. Two structures stand here because both worlds use them: the admission
// queue of a serving node, the rule that gives stake its use, and the ledger driver, which takes
// transactions to blocks, keeps the newest views and makes the rows of the chain.
package host
