// Package fixed is the arithmetic of the ledger: binary fixed-point numbers in plain integers.
//
// It promises the same bits on every machine and exactly the rounding of the numbers that the
// Bittensor chain computes with (encointer/substrate-fixed under opentensor/subtensor):
// multiplication rounds toward minus infinity, division truncates toward zero, both saturate;
// the division that callers want nearly always is the safe one, 0 by zero and 0 on overflow.
// exp and ln are the truncated series of that library, errors included, because a consensus
// outcome depends on every bit of them. What is faster here than there (Divisor, Logistics) has the
// same bits.
//
// No float, no allocation, no panic.
package fixed
