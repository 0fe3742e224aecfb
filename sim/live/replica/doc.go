// Package replica keeps one ledger alike on many machines: sim/chain behind CometBFT, in one process.
//
// It promises that all nodes have the same state after the same block, or stop with an error that says
// why; that a block which Blocks handed out stays in the chain; that what a node has committed outlives a crash
// at any moment, since a block reaches the store as one synced batch; and that every queue, cache and
// message has a bound.
//
// It decides nothing about money, weights or validators: that is sim/chain's. It knows no agents and opens no
// port but the two of the engine.
package replica
