package scenarios

import (
	"taolab/agents/role"
	"taolab/report"
)

// Scenario is one experiment. The tags of its fields define the file format, see package settings.
type Scenario struct {
	Format       int                `toml:"format" default:"2" min:"1" max:"2" doc:"format that the file was written for: 1 of the first release, 2 of this one; if it is missing or 1, the program lists the changes in meaning" inert:"it only tells what the file means"`
	Name         string             `toml:"name" doc:"name of the scenario, used for the output folder"`
	Description  string             `toml:"description" doc:"what it shows, in a sentence or two" inert:"words for readers"`
	Seed         uint64             `toml:"seed" default:"1" doc:"master seed of every random stream"`
	Mode         string             `toml:"mode" one:",economy" doc:"economy: no node has a model, and no corpus or tokenizer is needed: miners answer with losses by answer_loss and answer_spread; empty: so only if no node asks or answers"`
	Time         TimeSection        `toml:"time"`
	Chain        role.Chain         `toml:"chain"`
	Corpus       role.Corpus        `toml:"corpus"`
	Base         role.Training      `toml:"base"`
	Evaluation   role.Evaluation    `toml:"evaluation"`
	Network      NetworkSection     `toml:"network"`
	Miners       []MinerGroup       `toml:"miners"`
	Validators   []ValidatorGroup   `toml:"validators"`
	Applications []ApplicationGroup `toml:"applications"`
	Holders      []HolderGroup      `toml:"holders"`
	Prices       []role.Price       `toml:"prices"`
	Bridge       role.Bridge        `toml:"bridge"`
	Faults       []FaultEntry       `toml:"faults"`
	Waves        WavesSection       `toml:"waves"`
	Trace        TraceSection       `toml:"trace"`

	Expect []report.Expectation `toml:"expect" inert:"is compared with the run when that is over"`
	Sweep  SweepSection         `toml:"sweep" inert:"it defines the variants that taolab sweep runs; a single run ignores it"`
	Tune   TuneSection          `toml:"tune" inert:"it defines the search of taolab tune; a single run ignores it"`
}

// TimeSection holds the settings of the run's time.
type TimeSection struct {
	Hours  float64 `toml:"hours" default:"6" unit:"h" min:"0.01" max:"1110000" doc:"simulated time, at most 126 years"`
	BlockS float64 `toml:"block_s" default:"12" unit:"s" min:"0.1" max:"3600" doc:"time between blocks"`
	Jump   bool    `toml:"jump" default:"true" doc:"the world advances through blocks without events in one step; false: one by one" inert:"both give the same blocks"`
	Start  string  `toml:"start" doc:"date of genesis, such as 2023-03-20: numbers and figures by year then use calendar years; empty: years count from genesis" inert:"it only names years"`
}

// NetworkSection describes the links.
type NetworkSection struct {
	Regions      []string    `toml:"regions" default:"['europe', 'america', 'asia']" doc:"names of the regions"`
	LatencyMs    [][]float64 `toml:"latency_ms" default:"[[10, 45, 90], [45, 15, 70], [90, 70, 20]]" unit:"ms" min:"0" max:"600000" doc:"one-way latency from region to region; symmetric, the diagonal is within the region"`
	JitterMs     float64     `toml:"jitter_ms" default:"5" unit:"ms" min:"0" max:"60000" doc:"mean of an exponential delay added to each message"`
	Loss         float64     `toml:"loss" unit:"share" min:"0" max:"1" doc:"share of messages that never arrive"`
	BlockDelayMs float64     `toml:"block_delay_ms" default:"800" unit:"ms" min:"0" max:"600000" doc:"mean time after which a node sees a block, drawn for each; at most 100 blocks"`
	HeaderBytes  int         `toml:"header_bytes" default:"256" unit:"bytes" min:"1" max:"1000000" doc:"length of a message without its body"`
	SaveS        float64     `toml:"save_s" default:"600" unit:"s" min:"1" max:"1e6" doc:"time between two saved states of a node that will crash: it restarts from the last one"`

	Producer        string `toml:"producer" doc:"region of the block producer; empty: the first"`
	ProducerTxs     int    `toml:"producer_txs" default:"1024" unit:"transactions" min:"1" max:"1000000" doc:"most transactions in a block"`
	ProducerWaiting int    `toml:"producer_waiting" default:"16384" unit:"transactions" min:"1" max:"1000000" doc:"most transactions that wait for a block"`
	TxExpiryBlocks  uint64 `toml:"tx_expiry_blocks" default:"64" unit:"blocks" min:"1" max:"1000000" doc:"blocks after which a transaction that was not included is dropped"`
}

// TraceSection holds the settings of the tables.
type TraceSection struct {
	Nodes        string `toml:"nodes" default:"all" one:"off,all" doc:"a row per node, at the beginning" inert:"says what is written of the run, not what happens in it"`
	Seats        string `toml:"seats" default:"all" one:"off,all" doc:"a row per life of a uid, when it ends" inert:"says what is written of the run, not what happens in it"`
	EveryEpochs  uint64 `toml:"every_epochs" default:"1" unit:"epochs" min:"1" max:"1000000" doc:"of all tables that grow with the run, keep only rows of every n-th epoch" inert:"says what is written of the run, not what happens in it"`
	Blocks       string `toml:"blocks" default:"all" one:"off,epochs,all" doc:"a row per block, and the ledger's totals; epochs: only at the ends of epochs and of stretches of equal emission" inert:"says what is written of the run, not what happens in it"`
	Transactions string `toml:"transactions" default:"all" one:"off,all" doc:"a row per transaction that reached the block producer" inert:"says what is written of the run, not what happens in it"`
	Epochs       uint64 `toml:"epochs" default:"1" unit:"epochs" max:"1000000" doc:"record every n-th epoch; 0 is off" inert:"says what is written of the run, not what happens in it"`
	Weights      uint64 `toml:"weights" default:"1" unit:"epochs" max:"1000000" doc:"record the weight matrix every n-th epoch; 0 is off" inert:"says what is written of the run, not what happens in it"`
	Bonds        uint64 `toml:"bonds" default:"1" unit:"epochs" max:"1000000" doc:"record the bond matrix every n-th epoch; 0 is off" inert:"says what is written of the run, not what happens in it"`
	Queries      string `toml:"queries" default:"all" one:"off,all" doc:"a row per question of a validator" inert:"says what is written of the run, not what happens in it"`
	Answers      string `toml:"answers" default:"all" one:"off,all" doc:"a row per question of a validator and subset of its rows" inert:"says what is written of the run, not what happens in it"`
	Rows         string `toml:"rows" default:"off" one:"off,all" doc:"a row per row of text in each question, in the table scores, which grows large" inert:"says what is written of the run, not what happens in it"`
	Training     string `toml:"training" default:"all" one:"off,all" doc:"a row per measurement of a miner" inert:"says what is written of the run, not what happens in it"`
	Applications string `toml:"applications" default:"all" one:"off,all" doc:"a row per request of an application" inert:"says what is written of the run, not what happens in it"`
	Decisions    string `toml:"decisions" default:"all" one:"off,all" doc:"a row per choice of an owner, where some decide" inert:"says what is written of the run, not what happens in it"`
}
