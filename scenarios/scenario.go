package scenarios

import (
	"fmt"

	"taolab/model/num"
	"taolab/report"
	"taolab/sim/chain/emission"
)

// Scenario is one experiment. The struct tags are the reference of the file format: `toml` is the
// key, `min` and `max` bound numbers, `one` lists the allowed words, `unit` and `doc` explain.
type Scenario struct {
	Format       int                `toml:"format" min:"1" max:"2" doc:"format that the file was written for: 1 of the first release, 2 of this one; where it is not written, or 1, the program notes what changed in meaning" inert:"it says what was meant, and changes nothing"`
	Name         string             `toml:"name" doc:"name of the scenario, used for the output folder"`
	Description  string             `toml:"description" doc:"what it shows, in a sentence or two" inert:"words for readers"`
	Seed         uint64             `toml:"seed" doc:"master seed of every random stream"`
	Time         TimeSection        `toml:"time"`
	Chain        ChainSection       `toml:"chain"`
	Corpus       CorpusSection      `toml:"corpus"`
	Base         BaseSection        `toml:"base"`
	Evaluation   EvaluationSection  `toml:"evaluation"`
	Network      NetworkSection     `toml:"network"`
	Miners       []MinerGroup       `toml:"miners"`
	Validators   []ValidatorGroup   `toml:"validators"`
	Applications []ApplicationGroup `toml:"applications"`
	Faults       []FaultEntry       `toml:"faults"`
	Waves        WavesSection       `toml:"waves"`
	Trace        TraceSection       `toml:"trace"`

	Expect []report.Expectation `toml:"expect" inert:"is compared with the run when that is over"`
}

// TimeSection says how long the network lives.
type TimeSection struct {
	Hours  float64 `toml:"hours" unit:"h" min:"0.01" max:"876600" doc:"simulated time, at most a century"`
	BlockS float64 `toml:"block_s" unit:"s" min:"0.1" max:"3600" doc:"time between blocks"`
}

// ChainSection picks an era's parameters and overrides some of them. What is unset keeps the era's
// value, scaled to the number of neurons where the protocol's limits depend on it; a written 0 is 0.
type ChainSection struct {
	Era                    string   `toml:"era" doc:"parameter preset"`
	Rule                   string   `toml:"rule" one:",nakamoto,yuma2,yuma2-liquid,yuma3" doc:"consensus rule; empty keeps the era's"`
	Emission               string   `toml:"emission" one:",issuance,height,flat" doc:"supply curve; empty keeps the era's"`
	TempoBlocks            uint64   `toml:"tempo_blocks" unit:"blocks" max:"1000000" doc:"tempo: blocks between epochs, one more in eras before 2026; 0: no epoch ever"`
	DigestEpochs           uint64   `toml:"digest_epochs" unit:"epochs" max:"1000000" doc:"epochs between two digests of the ledger in the run digest; 0: only the one at the end"`
	ImmunityBlocks         *uint64  `toml:"immunity_blocks" unit:"blocks" max:"100000000" doc:"blocks during which a newcomer is not replaced"`
	ActivityCutoffBlocks   *uint64  `toml:"activity_cutoff_blocks" unit:"blocks" max:"100000000" doc:"blocks after which a silent validator no longer counts"`
	WeightsRateLimitBlocks uint64   `toml:"weights_rate_limit_blocks" unit:"blocks" max:"1000000" doc:"blocks between two weight settings of one neuron"`
	MinAllowedWeights      *uint64  `toml:"min_allowed_weights" unit:"entries" max:"65535" doc:"fewest entries of a weight row"`
	MaxWeight              *float64 `toml:"max_weight" unit:"share" min:"0" max:"1" doc:"largest share of one entry in a weight row"`
	MaxValidators          *uint64  `toml:"max_validators" unit:"neurons" max:"65535" doc:"number of validator permits; unset: one for each validator of the scenario"`
	Kappa                  *float64 `toml:"kappa" unit:"share" min:"0" max:"1" doc:"stake majority that consensus weight needs"`
	BondsMovingAverage     *float64 `toml:"bonds_moving_average" unit:"share" min:"0" max:"0.999999" doc:"part of the old bonds that an epoch keeps"`
	InitialIssuanceTAO     float64  `toml:"initial_issuance_tao" unit:"TAO" min:"0" max:"20999999" doc:"issuance before the stakes and balances of this scenario"`

	LiquidAlpha    *bool    `toml:"liquid_alpha" doc:"the share of the new bond moves with consensus, between alpha_low and alpha_high"`
	AlphaLow       *float64 `toml:"alpha_low" unit:"share" min:"0" max:"1" doc:"least share of the new bond under liquid alpha"`
	AlphaHigh      *float64 `toml:"alpha_high" unit:"share" min:"0" max:"1" doc:"largest share of the new bond under liquid alpha"`
	AlphaSteepness *float64 `toml:"alpha_steepness" min:"-327" max:"327" doc:"steepness of the sigmoid between them"`
	BondsPenalty   *float64 `toml:"bonds_penalty" unit:"share" min:"0" max:"1" doc:"0: bonds from raw weights, 1: from weights clipped at consensus"`
	CommitReveal   *bool    `toml:"commit_reveal" doc:"weights are committed first and revealed in a later epoch; plain ones, as lazy validators send them, are refused"`
	RevealPeriod   *uint64  `toml:"reveal_period_epochs" unit:"epochs" min:"1" max:"100" doc:"epochs from a commit to its reveal"`
	ServerShare    *float64 `toml:"server_share" unit:"share" min:"0" max:"1" doc:"miners' part of the emission; 0: as incentive and dividends have it"`
	OwnerCut       *float64 `toml:"owner_cut" unit:"share" min:"0" max:"1" doc:"part of an epoch's emission that goes to the owner first"`
	Owner          string   `toml:"owner" doc:"group whose first member is the network's owner; empty: nobody"`
	CapTAO         *float64 `toml:"cap_tao" unit:"TAO" min:"0.000000001" max:"21000000" doc:"supply that is never passed"`
	RewardTAO      *float64 `toml:"reward_tao" unit:"TAO" min:"0.000000001" max:"21000000" doc:"emission of the first block"`
	HalvingBlocks  *uint64  `toml:"halving_blocks" unit:"blocks" min:"1" max:"1000000000000" doc:"blocks between halvings where the emission goes by height"`
	FlatTAO        *float64 `toml:"flat_tao" unit:"TAO" min:"0" max:"21000000" doc:"emission of a block where it is flat"`
	BurnTAO        *float64 `toml:"burn_tao" unit:"TAO" min:"0" max:"21000000" doc:"price of a registration at genesis"`
	MaxUIDs        *uint64  `toml:"max_uids" unit:"neurons" min:"1" max:"65535" doc:"seats; unset: as many as there are neurons at the beginning"`
	PruneBy        string   `toml:"prune_by" one:",emission,score,score-last,stake-or-incentive" doc:"who gives way to a newcomer: the least emission, score (of equals the earlier, or with score-last the last uid), or larger of stake share and incentive; empty keeps the era's"`
	MinNonImmune   *uint64  `toml:"min_non_immune" unit:"neurons" max:"65535" doc:"prune_by emission: of at most so many that are not immune, an immune one goes instead"`
	StakeThreshold *float64 `toml:"stake_threshold_tao" unit:"TAO" min:"0" max:"21000000" doc:"less stake does not count in consensus and sets no weights"`
}

// CorpusSection says what everybody reads.
type CorpusSection struct {
	Kind      string   `toml:"kind" one:"synthetic,shards" doc:"the embedded synthetic Pile, or shards on disk"`
	Path      string   `toml:"path" doc:"folder or file of .jsonl or .jsonl.zst shards; relative to the scenario file"`
	Subsets   []string `toml:"subsets" doc:"names of the subsets to use; empty takes all"`
	Megabytes float64  `toml:"megabytes" unit:"MB" min:"0.5" max:"1000000" doc:"text to read or synthesise at most"`
	Vocab     int      `toml:"vocab" unit:"tokens" min:"264" max:"65535" doc:"size of the standard tokenizer's vocabulary"`

	InvalidUTF8 string `toml:"invalid_utf8" one:"refuse,replace" doc:"bytes of shards that are not UTF-8: an error, or read as U+FFFD and counted in a warning" inert:"text that both read is the same text"`
}

// BaseSection says how the models that miners start from are trained: once per shape.
type BaseSection struct {
	Steps        int     `toml:"steps" unit:"steps" min:"0" max:"10000000" doc:"optimiser steps of a base model"`
	Rows         int     `toml:"rows" unit:"rows" min:"1" max:"4096" doc:"rows in a batch"`
	LearningRate float64 `toml:"learning_rate" min:"0" max:"1" doc:"AdamW rate after warm-up"`
}

// EvaluationSection fixes the held-out text on which every miner measures itself.
type EvaluationSection struct {
	PeriodBlocks uint64 `toml:"period_blocks" unit:"blocks" min:"1" max:"1000000" doc:"blocks between two measurements of one miner"`
	Rows         int    `toml:"rows" unit:"rows" min:"1" max:"65536" doc:"held-out rows in all, shared out over the subsets"`
}

// NetworkSection describes the links.
type NetworkSection struct {
	Regions      []string    `toml:"regions" doc:"names of the regions"`
	LatencyMs    [][]float64 `toml:"latency_ms" unit:"ms" doc:"one-way latency from region to region; symmetric, the diagonal is within the region"`
	JitterMs     float64     `toml:"jitter_ms" unit:"ms" min:"0" max:"60000" doc:"mean of an exponential delay added to each message"`
	Loss         float64     `toml:"loss" unit:"share" min:"0" max:"1" doc:"share of messages that never arrive"`
	BlockDelayMs float64     `toml:"block_delay_ms" unit:"ms" min:"0" max:"600000" doc:"mean time after which a node sees a block, drawn for each; at most 100 blocks"`
	HeaderBytes  int         `toml:"header_bytes" unit:"bytes" min:"1" max:"1000000" doc:"length of a message beside its body"`
	SaveS        float64     `toml:"save_s" unit:"s" min:"1" max:"1e6" doc:"time between two saved states of a node that will crash: it comes back with the last one"`

	Producer        string `toml:"producer" doc:"region of the node that makes the blocks; empty: the first"`
	ProducerTxs     int    `toml:"producer_txs" unit:"transactions" min:"1" max:"1000000" doc:"transactions in a block at most"`
	ProducerWaiting int    `toml:"producer_waiting" unit:"transactions" min:"1" max:"1000000" doc:"transactions that wait for a block at most"`
	TxExpiryBlocks  uint64 `toml:"tx_expiry_blocks" unit:"blocks" min:"1" max:"1000000" doc:"blocks after which a transaction that was not included is given up"`
}

// MinerGroup is a number of miners that differ only in what a span spreads out.
type MinerGroup struct {
	Name           string   `toml:"name" doc:"name of the group; members are numbered"`
	Count          int      `toml:"count" unit:"neurons" min:"1" max:"65535" doc:"members of the group"`
	Behaviour      string   `toml:"behaviour" one:"honest,random,frozen,untrained" doc:"honest trains and answers; random answers noise; frozen serves the base model; untrained serves a fresh model"`
	Width          int      `toml:"width" unit:"channels" min:"8" max:"4096" doc:"model width"`
	Layers         int      `toml:"layers" unit:"layers" min:"1" max:"64" doc:"transformer blocks"`
	Heads          int      `toml:"heads" unit:"heads" min:"1" max:"64" doc:"attention heads; divides the width"`
	Context        int      `toml:"context" unit:"tokens" min:"8" max:"4096" doc:"longest sequence the model sees"`
	HardwareMFLOPS Span     `toml:"hardware_mflops" unit:"MFLOP/s" min:"0.001" max:"1e9" doc:"speed of the compute unit; a pair is spread over the members"`
	Duty           Span     `toml:"duty" unit:"share" min:"0" max:"1" doc:"diligence: share of its time that the miner trains; a pair is spread over the members"`
	Subsets        []string `toml:"subsets" doc:"subsets that the miner trains on; empty takes the corpus as it is"`
	LearningRate   float64  `toml:"learning_rate" min:"0" max:"1" doc:"AdamW rate"`
	Rows           int      `toml:"rows" unit:"rows" min:"1" max:"4096" doc:"rows in a training batch"`
	Steps          int      `toml:"steps" unit:"steps" min:"1" max:"1000" doc:"optimiser steps in one training visit"`
	StakeTAO       Span     `toml:"stake_tao" unit:"TAO" min:"0" max:"20999999" doc:"stake at genesis"`
	UpMbps         float64  `toml:"up_mbps" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"uplink"`
	DownMbps       float64  `toml:"down_mbps" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"downlink"`
	MinStakeTAO    float64  `toml:"min_stake_tao" unit:"TAO" min:"0" max:"20999999" doc:"callers with less stake are refused"`
	MinIntervalS   float64  `toml:"min_interval_s" unit:"s" min:"0" max:"3600" doc:"time between two requests of one caller"`
	Queue          int      `toml:"queue" unit:"requests" min:"1" max:"4096" doc:"requests that may wait"`
	LongestS       float64  `toml:"longest_service_s" unit:"s" min:"0.001" max:"86400" doc:"longest time that a request is in service, however patient its caller"`
	RequireUID     bool     `toml:"require_uid" doc:"callers without a uid, such as applications, are refused"`
	Slots          int      `toml:"slots" unit:"requests" min:"1" max:"1024" doc:"requests that are handed to the miner at a time"`
	Historic       bool     `toml:"historic" doc:"admission of 2022: requests are served in order of arrival, and a refused one restarts its caller's interval; false: larger stake goes first"`
	Coldkey        string   `toml:"coldkey" doc:"name of a coldkey that the members share, with all groups that give the same name; a node's name means that node's; empty: each has its own"`
	SkewMs         Span     `toml:"skew_ms" unit:"ms" min:"-3600000" max:"3600000" doc:"what the members' clocks show too much; a pair is spread over the members" inert:"agents act on differences of their own clock; the times in their rows show it"`
	Loss           float64  `toml:"loss" unit:"share" min:"0" max:"1" doc:"share of the members' messages that never arrive, beside the network's"`
	JoinsH         float64  `toml:"joins_h" unit:"h" min:"0" max:"876600" doc:"time at which the members register, by burning, with stake_tao as free money; 0: they are there from the beginning"`
}

// ValidatorGroup is a number of validators that differ only in what a span spreads out.
type ValidatorGroup struct {
	Name           string   `toml:"name" doc:"name of the group; members are numbered"`
	Count          int      `toml:"count" unit:"neurons" min:"1" max:"65535" doc:"members of the group"`
	Behaviour      string   `toml:"behaviour" one:"honest,lazy" doc:"honest queries and scores; lazy copies the row of the largest stake"`
	Favour         []string `toml:"favour" doc:"nodes that lazy members put equal weights on, instead of copying; empty: they copy"`
	Routing        string   `toml:"routing" one:"uniform,gated" doc:"uniform: all peers in a permuted order without replacement, each the whole batch; gated: some so, and for each row those whom the trained gate names"`
	StakeTAO       Span     `toml:"stake_tao" unit:"TAO" min:"0" max:"20999999" doc:"stake at genesis; a pair is spread over the members"`
	Subsets        []string `toml:"subsets" doc:"subsets that the validator scores on; empty takes the corpus as it is"`
	Batch          string   `toml:"batch" one:"mixed,subset" doc:"mixed: each row of a batch is of a subset drawn by weight; subset: all rows are of one, which pays who is best at one common subset"`
	Release        string   `toml:"release" one:"3.3.0,3.3.4,3.4.2,3.5.1,3.6.0" doc:"reference release whose rules are followed; from 3.6.0 on the loss is averaged before the power, not after"`
	Targets        string   `toml:"targets" one:"serving,everyone" doc:"whom to ask at all: who sets no weights on others, or every uid as in 2022"`
	Rows           int      `toml:"rows" unit:"rows" min:"1" max:"1024" doc:"rows in a batch"`
	Tokens         int      `toml:"tokens" unit:"tokens" min:"4" max:"4096" doc:"tokens of each row that are sent"`
	Peers          int      `toml:"peers" unit:"neurons" min:"1" max:"4096" doc:"miners asked about each row of a step"`
	TopK           int      `toml:"topk" unit:"phrases" min:"1" max:"8192" doc:"phrases asked from each miner; at most an eighth of the vocabulary"`
	StepS          float64  `toml:"step_s" unit:"s" min:"1" max:"86400" doc:"time between two steps"`
	TimeoutS       float64  `toml:"timeout_s" unit:"s" min:"0.1" max:"3600" doc:"time after which an answer no longer counts"`
	EpochBlocks    uint64   `toml:"epoch_blocks" unit:"blocks" min:"1" max:"1000000" doc:"blocks after which weights are set, once every uid was asked"`
	Alpha          float64  `toml:"alpha" unit:"share" min:"0.0001" max:"1" doc:"weight of a new score in the moving average"`
	Power          *float64 `toml:"power" min:"0.01" max:"4" doc:"exponent on effective parameters; unset: the release's"`
	SynergyPower   *float64 `toml:"synergy_power" min:"0.01" max:"4" doc:"exponent on effective parameters in the synergy; unset: the release's"`
	ScorePeers     *int     `toml:"score_peers" unit:"neurons" min:"1" max:"4096" doc:"of the peers of a gated step, how many are asked in turn about the whole batch: their answers alone are scored and weighted; unset: the least that reaches every target within epoch_blocks, from 2 to peers - 1; uniform routing scores all peers"`
	Noise          float64  `toml:"noise" min:"0" max:"100" doc:"standard deviation of the noise on the gate's choice for a row, in units of the scores' own; gated routing only"`
	RouterWidth    int      `toml:"router_width" unit:"channels" min:"8" max:"4096" doc:"width of the routing model"`
	RouterHeads    int      `toml:"router_heads" unit:"heads" min:"1" max:"64" doc:"heads of the routing model"`
	RouterRate     float64  `toml:"router_rate" min:"0" max:"1" doc:"SGD rate of the routing model of uniform routing; the gated one takes Adam's usual rates"`
	RouterLabels   bool     `toml:"router_labels" doc:"the gated routing model learns a row's subset as a second task and adds a table of means by uid and subset; false takes both away"`
	RouterBase     bool     `toml:"router_base" doc:"the gated routing model begins at a base model of its shape; false: at random weights"`
	HardwareMFLOPS Span     `toml:"hardware_mflops" unit:"MFLOP/s" min:"0.001" max:"1e9" doc:"speed of the compute unit"`
	UpMbps         float64  `toml:"up_mbps" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"uplink"`
	DownMbps       float64  `toml:"down_mbps" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"downlink"`
	Coldkey        string   `toml:"coldkey" doc:"name of a coldkey that the members share, as of miners"`
	SkewMs         Span     `toml:"skew_ms" unit:"ms" min:"-3600000" max:"3600000" doc:"what the members' clocks show too much; a pair is spread over the members" inert:"agents act on differences of their own clock; the times in their rows show it"`
	Loss           float64  `toml:"loss" unit:"share" min:"0" max:"1" doc:"share of the members' messages that never arrive, beside the network's"`
}

// ApplicationGroup is a number of applications that hold stake and ask for continuations.
type ApplicationGroup struct {
	Name     string  `toml:"name" doc:"name of the group; members are numbered"`
	Count    int     `toml:"count" unit:"nodes" min:"1" max:"65535" doc:"members of the group"`
	StakeTAO Span    `toml:"stake_tao" unit:"TAO" min:"0" max:"20999999" doc:"stake at genesis; a pair is spread over the members"`
	SessionS float64 `toml:"session_s" unit:"s" min:"1" max:"864000" doc:"mean time between two prompts"`
	PaceS    float64 `toml:"pace_s" unit:"s" min:"0.001" max:"3600" doc:"least time between two requests of a session; miners refuse callers that come sooner than their min_interval_s"`
	Prompt   int     `toml:"prompt" unit:"tokens" min:"1" max:"4096" doc:"length of a prompt"`
	Tokens   int     `toml:"tokens" unit:"tokens" min:"1" max:"4096" doc:"length of a continuation"`
	Peers    int     `toml:"peers" unit:"neurons" min:"1" max:"64" doc:"miners asked for each token, by incentive"`
	Combine  string  `toml:"combine" one:"best,mean" doc:"how a prediction is made of several answers: the best incentive's, or the mean of all; it leads free-running text on"`
	Sessions int     `toml:"sessions" unit:"sessions" min:"1" max:"1024" doc:"prompts worked on at a time; those that come while as many are open are dropped"`
	Forced   bool    `toml:"forced" doc:"the text goes on with the true token after each request, so that losses are known; false: with the predicted one"`
	TopK     int     `toml:"topk" unit:"tokens" min:"1" max:"8192" doc:"tokens asked from each miner"`
	TimeoutS float64 `toml:"timeout_s" unit:"s" min:"0.1" max:"3600" doc:"time after which an answer no longer counts"`
	UpMbps   float64 `toml:"up_mbps" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"uplink"`
	DownMbps float64 `toml:"down_mbps" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"downlink"`
	Coldkey  string  `toml:"coldkey" doc:"name of a coldkey that the members share, as of miners"`
	SkewMs   Span    `toml:"skew_ms" unit:"ms" min:"-3600000" max:"3600000" doc:"what the members' clocks show too much; a pair is spread over the members" inert:"agents act on differences of their own clock; the times in their rows show it"`
	Loss     float64 `toml:"loss" unit:"share" min:"0" max:"1" doc:"share of the members' messages that never arrive, beside the network's"`
}

// TraceSection says what is written.
type TraceSection struct {
	Nodes        string `toml:"nodes" one:"off,all" doc:"a row per node, at the beginning" inert:"says what is written of the run, not what happens in it"`
	Seats        string `toml:"seats" one:"off,all" doc:"a row per life of a uid, when it ends" inert:"says what is written of the run, not what happens in it"`
	Blocks       string `toml:"blocks" one:"off,all" doc:"a row per block, and the ledger's totals" inert:"says what is written of the run, not what happens in it"`
	Transactions string `toml:"transactions" one:"off,all" doc:"a row per transaction that reached the block producer" inert:"says what is written of the run, not what happens in it"`
	Epochs       uint64 `toml:"epochs" unit:"epochs" max:"1000000" doc:"record every n-th epoch; 0 is off" inert:"says what is written of the run, not what happens in it"`
	Weights      uint64 `toml:"weights" unit:"epochs" max:"1000000" doc:"record the weight matrix every n-th epoch; 0 is off" inert:"says what is written of the run, not what happens in it"`
	Bonds        uint64 `toml:"bonds" unit:"epochs" max:"1000000" doc:"record the bond matrix every n-th epoch; 0 is off" inert:"says what is written of the run, not what happens in it"`
	Queries      string `toml:"queries" one:"off,all" doc:"a row per question of a validator" inert:"says what is written of the run, not what happens in it"`
	Answers      string `toml:"answers" one:"off,all" doc:"a row per question of a validator and subset of its rows" inert:"says what is written of the run, not what happens in it"`
	Rows         string `toml:"rows" one:"off,all" doc:"a row per row of text in each question, in the table scores: much" inert:"says what is written of the run, not what happens in it"`
	Training     string `toml:"training" one:"off,all" doc:"a row per measurement of a miner" inert:"says what is written of the run, not what happens in it"`
	Applications string `toml:"applications" one:"off,all" doc:"a row per request of an application" inert:"says what is written of the run, not what happens in it"`
}

// Span is a number, or a pair of numbers that a group's members are spread between in equal
// ratios (equal steps where one end is zero). Who is spread moves when the group gains a member:
// between two ends there is no place that does not depend on how many share them. Whatever else is
// a member's own depends on its name only.
type Span struct{ From, To float64 }

// At is the value for member i of n.
func (s Span) At(i, n int) float64 {
	if n <= 1 || s.From == s.To {
		return s.From
	}
	t := float64(i) / float64(n-1)
	if s.From > 0 && s.To > 0 {
		return float64(s.From * num.Pow(s.To/s.From, t))
	}
	return s.From + float64(t*(s.To-s.From))
}

// sumRao is the total over n members of a span in TAO.
func (s Span) sumRao(n int) uint64 {
	sum := uint64(0)
	for i := range n {
		if sum += rao(s.At(i, n)); sum > emission.SupplyRao {
			return emission.SupplyRao + 1 // more than there can be; the sum must not wrap
		}
	}
	return sum
}

func (s Span) String() string {
	if s.From == s.To {
		return fmt.Sprintf("%g", s.From)
	}
	return fmt.Sprintf("[%g, %g]", s.From, s.To)
}
