package report

// glossary explains the words of a page.
var glossary = []Line{
	{"bond", "what a validator has built up by putting weight on a miner that consensus supports; dividends follow bonds"},
	{"bootstrap interval", "range of a statistic over 1,000 samples drawn with replacement, without the outer 2.5 % on both sides: of the miners, or of runs of successive epochs of the window"},
	{"consensus", "the weight on a miner that a stake majority (kappa) supports; weight above it is clipped"},
	{"dividends", "what validators earn, by their bonds"},
	{"emission", "newly minted money"},
	{"epoch", "the consensus computation every tempo blocks, which pays what the blocks minted meanwhile"},
	{"gate", "a validator’s learned guess of how well each peer will answer a row"},
	{"held-out loss", "cross-entropy of a miner’s model, in nats per token, on text that nobody trains on; lower is better"},
	{"incentive", "what miners earn, as a share of all that miners get in an epoch"},
	{"kappa", "the stake majority that consensus asks for"},
	{"lane", "scoring: whole batches to the peers whose turn it is, which alone set weights; service: single rows to the peers that the gate names"},
	{"pruning", "a newcomer takes the seat of the neuron that earns least"},
	{"rao", "the smallest unit of money; 1 TAO is 1,000,000,000 rao"},
	{"score", "what a validator makes of an answer’s loss: effective parameters by the scaling law, to a power"},
	{"Spearman’s correlation", "correlation of ranks, from −1 to 1: −1 where every better model earns more"},
	{"uid", "number of a seat in the network; a seat can change hands, so that numbers here belong to nodes"},
	{"validator trust", "the part of a validator’s weight that consensus kept"},
	{"weight", "a validator’s judgement of a miner, set on the chain"},
	{"window", "the epochs over which statistics are taken: the last quarter, unless another was asked for"},
}
