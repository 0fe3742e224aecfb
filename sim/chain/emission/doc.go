// Package emission is the supply curve: how much money a block mints.
//
// Three rules: by issuance (what the Bittensor chain runs: the reward halves each time that the
// money still to come has halved, so recycled money postpones the halving), by height (as
// Bitcoin: every 10.5 million blocks) and flat. Integers only; no rule passes 21 million TAO.
package emission
