// Package consensus computes one epoch: from stake, weights and bonds to consensus, incentive,
// dividends, new bonds and the split of the emission.
//
// The rules form a family, one file each, chosen by name (see Lookup). They follow the sparse epoch
// of opentensor/subtensor step by step and reproduce its results bit for bit: the order of the
// steps, every truncation and the difference between an absent entry and an entry of zero are
// part of the rule. Integers only; a Workspace is reused, so that a network that keeps its
// shape allocates nothing from its second epoch on.
package consensus
