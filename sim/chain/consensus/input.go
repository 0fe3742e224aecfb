package consensus

// UID is a neuron's slot in the network.
type UID uint16

// WeightEntry is one entry of a row of weights, as the chain stores it: the row's largest is 65535,
// or, for nakamoto, the row's sum is about 2^32-1.
type WeightEntry struct {
	UID    UID
	Weight uint32
}

// BondEntry is one entry of a row of bonds, as the chain stores it: in 1/65535, or, for nakamoto,
// an amount in rao.
type BondEntry struct {
	UID  UID
	Bond uint64
}

// NoCommit stands in Input.Commits for a neuron without an unexpired commit.
const NoCommit = 1<<64 - 1

// Input is the network before an epoch. All slices have one element per uid. The sum of Stakes is
// below 2^63; no row has two entries for one uid, and every uid in a row is below N.
type Input struct {
	Params
	Block          uint64 // at which the epoch runs
	LastEpochBlock uint64 // of the epoch before; 0: none yet

	StakesRao    []uint64
	LastUpdate   []uint64 // block of the last weights, or of registration
	RegisteredAt []uint64 // block
	Permits      []bool   // given by the epoch before
	Weights      [][]WeightEntry
	Bonds        [][]BondEntry
	Commits      []uint64 // block of the earliest unexpired commit or NoCommit; nil: no commit-reveal
	Pruned       []bool   // nakamoto: replaced since the epoch before; nil: nobody
}

// N is the number of neurons.
func (in *Input) N() int { return len(in.StakesRao) }

func (in *Input) countedStake(uid int) uint64 {
	if in.StakesRao[uid] < in.StakeThresholdRao && !in.isOwner(uid) {
		return 0
	}
	return in.StakesRao[uid]
}

func (in *Input) permitted(uid int) bool { return in.Permits[uid] || in.isOwner(uid) }

// weightsBefore is the block before which a neuron must have registered for the weights of uid on
// it to count: that of the weights, or the one after an unexpired commit, whose author did not
// know of later ones either.
func (in *Input) weightsBefore(uid int) uint64 {
	before := in.LastUpdate[uid]
	if in.Commits != nil && in.Commits[uid] != NoCommit {
		before = min(before, in.Commits[uid]+1)
	}
	return before
}

// bondsBefore is the block before which a neuron must have registered for the bonds in it to count:
// that of the epoch before.
func (in *Input) bondsBefore() uint64 {
	if in.LastEpochBlock == 0 {
		return in.Block - min(in.TempoBlocks, in.Block)
	}
	return in.LastEpochBlock + 1
}

// Params are the parameters of an epoch; shares are in 1/65535.
type Params struct {
	TempoBlocks           uint64
	Kappa                 uint16
	BondsPenalty          uint16
	BondsMovingAveragePPM uint32
	ActivityCutoffBlocks  uint64
	StakeThresholdRao     uint64
	MaxValidators         int
	LiquidAlpha           bool // alpha of the bonds between AlphaLow and AlphaHigh
	AlphaLow, AlphaHigh   uint16
	AlphaSteepness        int16  // in hundredths
	Rho                   uint16 // nakamoto only, as the next two
	KappaInverse          uint16
	SelfOwnershipInverse  uint16
	// ServerShare is the servers' part of the emission where both sides earn; 0: the split follows
	// the sums of incentive and dividends.
	ServerShare uint16
	// Owner is a neuron that needs neither the stake threshold nor a permit and may weigh itself.
	HasOwner bool
	Owner    UID
}

func (p *Params) isOwner(uid int) bool { return p.HasOwner && int(p.Owner) == uid }

// Output is the outcome of an epoch, one element per uid. Shares are floors in 1/65535.
type Output struct {
	ServerEmissionRao    []uint64 // by incentive
	ValidatorEmissionRao []uint64 // by dividends, or by stake where nobody has either
	EmissionRao          []uint64 // by both together; what is paid
	Consensus            []uint16
	Incentive            []uint16
	Dividends            []uint16
	ValidatorTrust       []uint16
	StakeWeight          []uint16
	PruningScore         []uint16 // of the emission, relative to the largest
	Active               []bool
	Permits              []bool // for the next epoch
	Bonds                [][]BondEntry
	Rank, Trust          []uint16 // of the rules that have them
	Wide                 *Wide    // nakamoto only
}

// Wide is the scores of nakamoto as floors in 1/(2^64-1), of which those of Output are the upper
// 16 bits.
type Wide struct {
	Rank, Trust, Consensus, Incentive, Dividends []uint64
}
