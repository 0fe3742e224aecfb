// Package calibration fits three numbers to the weights of a recorded metagraph: the spread of the miners' quality,
// the disagreement of the validators about it, and the noise of a single judgement.
//
// The model is one factor: the logarithm of the weight that validator i gives to miner j is
//
//	level_i + slope_i quality_j + noise_ij,
//
// where qualities have mean 0 and standard deviation spread, slopes have mean 1 and standard deviation disagreement,
// and noise_ij has standard deviation noise. One recording cannot tell a validator's lasting taste for a miner from
// chance: both are noise here.
//
// It promises that a fit has the same bits for a seed on every machine, that a share of the judgements takes no part
// in it and shows how far it predicts, and that intervals come from networks drawn with the fitted numbers, in which
// the same validators judge the same miners and the ledger rounds as it does.
package calibration
