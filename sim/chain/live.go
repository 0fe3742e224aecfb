package chain

// Live returns the parameters with the settings that make the network safe for strangers. Apart from the
// limits of one tempo they are the same for every network.
func (p Params) Live() Params {
	p.Hard = Hard{
		StrictNonce: true, MaxExpiryBlocks: 1024,
		FeeRao: 1000, FeeRise: 8, FeeRecycled: true, MaxBlockWork: 400_000, MaxBlockBytes: 1 << 20,

		Seats: 64, MinSeatRao: 100 * RaoPerTAO, ChurnDen: 10,
		JailWindow: 300, JailSigned: 32768, JailEpochs: 1, SlashEquivocation: 3277,
		UnbondEpochs: 50, WarmStake: true,
		VoteDelayBlocks: 7200, MoneyDelayBlocks: 36_000, ParamEpochs: 2,

		ExistentialRao: RaoPerTAO / 1000, MinNominationRao: RaoPerTAO / 10,
		ServeBlocks: 50, ResetBlocks: p.TempoBlocks, TakeBlocks: 216_000,
		Consent: true, SoundKeys: true, HashEntropy: true,
		SwapRao: RaoPerTAO / 10, HotSwapBlocks: 7200,
	}
	return p
}
