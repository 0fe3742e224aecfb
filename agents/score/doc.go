// Package score is the validator's arithmetic: from a peer's answer to a loss, from losses to
// credit, from credit to a row of weights.
//
// It promises the scores of the 2022 reference validator (opentensor/bittensor, releases 3.3.0 to
// 3.5.1, told apart by Era): phrase cross-entropy, effective parameters by the scaling law of
// Kaplan et al. 2020 above the irreducible loss of Hoffmann et al. 2022, Shapley value over
// coalitions of one and two, zeroing moving averages, and weights with their limits. Sizes that
// the main network fixed (vocabulary, phrases asked for) are parameters here.
//
// It does no I/O, reads no clock and knows neither ledger nor wire. Sums run in uid order, never
// in order of arrival; arithmetic is float64 through model/num, so the bits are the same on every
// machine. Losses are in nats per standard token unless a name says otherwise.
package score
