// Package consensus computes one epoch: from stake, weights and bonds to consensus, incentive,
// dividends, new bonds and the split of the emission.
//
// The rules form a family, one file each, chosen by name (see Lookup). The yuma rules follow the
// sparse epoch of opentensor/subtensor step by step, as it was in mid 2026 and, for yuma2-liquid, in
// January 2025; nakamoto follows emostov/subtensor of March 2022. They reproduce the results of these
// bit for bit: the order of the steps, every truncation and the difference between an absent entry
// and an entry of zero are part of the rule. Parts of the rules can be called alone (Median, TopK,
// PairAlpha and so on), to find where another implementation differs.
//
// Integers only. No input makes an epoch panic, as long as its slices have one element per uid, its
// rows name uids that exist, once each, and its stakes sum to less than 2^63. A Workspace is reused,
// so that a network that keeps its shape allocates nothing from its second epoch on.
package consensus
