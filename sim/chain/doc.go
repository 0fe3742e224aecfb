// Package chain is the ledger: a state, signed transactions that change it, and blocks that mint
// emission and run consensus epochs.
//
// It promises that the same genesis and the same transactions give the same state, digest and
// events on every machine; that a rejected transaction changes nothing; that decoding never panics
// and accepts only what encoding would write; and that money is conserved to the rao after every
// step: minted = free + staked + pending + burned + dust + unallocated (a state that breaks this
// panics rather than continues).
//
// It forbids itself floats, clocks, goroutines, randomness and the order of maps. Both the
// simulator and the replicated chain run exactly this package.
//
// The rules are those of opentensor/subtensor for one subnet whose emission goes to its neurons:
// registration by burn, pruning, weight setting, the Yuma consensus, the supply curve.
package chain
