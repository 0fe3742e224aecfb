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
// Where the papers write letters, the code has names; in terms of these, for validators i and miners j:
//
//	S  stake       s_i: share of the stake, of those who are active and permitted
//	W  weights     w_ij: what i gives to j, each row with the sum 1
//	C  consensus   c_j: the largest weight that a part kappa of the stake supports, its weighted median
//	R  rank        r_j = sum over i of s_i min(w_ij, c_j); for nakamoto of s_i w_ij
//	T  trust       nakamoto: t_j = sum of s_i over the i with a weight on j
//	Tv             of a validator: sum over j of min(w_ij, c_j)
//	I  incentive   i_j = r_j / sum of r; for nakamoto r_j c_j / sum of r c, with c_j the sigmoid of t_j
//	B  bonds       b_ij: moves in each epoch a part alpha toward s_i w_ij (yuma3: w_ij)
//	D  dividends   d_i = sum over j of b_ij i_j (yuma3: s_i times that), normalised; nakamoto: what the j
//	               do not keep of their i_j
//
// Integers only. No input makes an epoch panic, as long as its slices have one element per uid, its
// rows name uids that exist, once each, and its stakes sum to less than 2^63. A Workspace is reused,
// so that a network that keeps its shape allocates nothing from its second epoch on.
package consensus
