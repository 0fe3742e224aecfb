// Package chain is the ledger: a state, signed transactions that change it, and blocks that mint
// emission and run consensus epochs.
//
// It promises that the same genesis and the same transactions give the same state, digest and
// events on every machine; that a rejected transaction changes nothing and says why in numbers; that
// decoding never panics and accepts only what encoding would write; that many blocks at once are the
// same as one by one; and that money is conserved to the rao after every step: minted = free +
// staked + unbonding + pending + burned + dust + unallocated (a state that breaks this panics rather than
// continues).
//
// It uses no floats, clocks, goroutines, randomness or map order. Both the simulator and the replicated
// chain run exactly this package.
//
// The epoch that is due in a block runs at its end, after the block's transactions and its emission:
// weights set in the block count, a neuron that registered in it takes part, and the money of the block
// is paid by it. On the original chain the block begins with the epoch (a hook before its transactions),
// so that what a block carries counts in the next one that has an epoch. Here the end was chosen because
// it makes the state after a block complete: what a block brought about stands in its own digest, events
// and view, with nothing put off to the beginning of the next, and blocks without transactions can be
// advanced in bulk. Heights are alike: an epoch in block h sees h as the present block, as it does there.
//
// The rules are those of the Bittensor chain for one network whose emission goes to its neurons, in
// the versions of five eras (emostov/subtensor of March 2022, opentensor/subtensor of 2023, January
// 2025 and June 2026): registration by proof of work and by burning, pruning, stake and
// delegation, weights set openly or committed and revealed, the consensus, the supply curve. Eras
// are data, see Params; the rules of consensus, emission and registration are packages of their own.
package chain
