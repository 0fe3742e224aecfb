// Package registration is the arithmetic of joining a network: what a registration costs, how much
// work it takes, and who gives way to the newcomer when all slots are taken.
//
// It promises pure integer functions: the same arguments give the same result on every machine,
// no argument panics, and intermediate results never wrap. It knows nothing of states, accounts and
// transactions; package chain applies its answers. Besides the standard library it needs Keccak as it
// was before SHA-3.
//
// Prices: [Adjust] moves a price or a difficulty once an interval toward a target number of
// registrations, [Moved] says which of the two moves (opentensor/subtensor, 2023 to 2025);
// [DoubleOrHalve] is the rule before (emostov/subtensor, 2022); [DecayFactor], [Decayed] and
// [Raise] are the price by demand that falls with every block and rises with every registration
// (opentensor/subtensor, 2026).
//
// Pruning: [PruneByEmission] of 2026, [PruneByScore] from August 2024 on, [PruneByScoreLast] of 2023 and
// until then, [PruneByStakeOrIncentive] of 2022.
//
// Work: a [Seal] hashes a nonce and a recent block's hash, in the four ways that the chain has had;
// [Seal.MeetsDifficulty] judges it and [Seal.Solve] finds it.
package registration
