// Package emission is the supply curve: how much money a block mints.
//
// Three rules: by issuance (what the Bittensor chain runs, opentensor/subtensor since March 2023: the
// reward halves each time that the money still to come has halved, so recycled money postpones
// the halving), by height (as Bitcoin: at fixed intervals, whatever was recycled) and flat. First
// reward, cap and interval are parameters. Integers only: a number of halvings is found by comparing
// with the cap, never by a logarithm. No rule passes its cap, nor any cap 21 million TAO.
package emission
