// Package agents holds the behaviours of a network: the validator that asks, scores and sets
// weights, the miner that trains and serves, the application whose stake has its prompts answered,
// and the ones that cheat. Each is written once, as a state machine over sim/host, and runs unchanged
// in virtual and in real time.
//
// It promises that an agent's whole state round-trips through bytes between any two events, that
// heavy arithmetic goes through compute jobs alone, that sums over peers run in uid order,
// never in that of arrival, and that every queue, retry and list
// of pending calls has a limit, stated where it is declared.
//
// It forbids clocks, files, goroutines and shared mutable memory: what several agents share (text,
// base models, held-out windows) is read-only.
//
// The validator follows the reference validator of opentensor/bittensor v3.4.2 (November 2022,
// text/core_validator): scaling-law Shapley scores over phrase cross-entropies, zeroing averages,
// weights once an epoch. Where that validator drew the peers of a step at random, the gated
// routing of this package chooses them by the trained gate, as the network's whitepaper
// (arXiv 2003.03917) described. The routing model is trained in both cases.
package agents
