package scenarios

import (
	"taolab/agents/score"
	"taolab/report"
	"taolab/sim/virtual"
)

func one(x float64) Span { return Span{x, x} }

// Default is what a scenario file starts from.
func Default() Scenario {
	return Scenario{
		Format:     currentFormat,
		Seed:       1,
		Time:       TimeSection{Hours: 6, BlockS: 12},
		Chain:      ChainSection{Era: "finney-2023", TempoBlocks: 72, DigestEpochs: 1, WeightsRateLimitBlocks: 20},
		Corpus:     CorpusSection{Kind: "synthetic", Megabytes: 6, Vocab: 512, InvalidUTF8: "refuse"},
		Base:       BaseSection{Steps: 800, Rows: 16, LearningRate: 6e-3},
		Evaluation: EvaluationSection{PeriodBlocks: 72, Rows: 66},
		Network: NetworkSection{
			Regions:   []string{"europe", "america", "asia"},
			LatencyMs: [][]float64{{10, 45, 90}, {45, 15, 70}, {90, 70, 20}},
			JitterMs:  5, BlockDelayMs: 800, HeaderBytes: virtual.DefaultHeaderBytes, SaveS: 600,
			ProducerTxs: 1024, ProducerWaiting: 16384, TxExpiryBlocks: 64,
		},
		Waves: defaultWaves(),
		Trace: TraceSection{Nodes: "all", Seats: "all", Blocks: "all", Transactions: "all", Epochs: 1, Weights: 1, Bonds: 1, Queries: "all", Answers: "all", Rows: "off", Training: "all", Applications: "all"},
	}
}

func defaultMiners() MinerGroup {
	return MinerGroup{
		Name: "miner", Count: 1, Behaviour: "honest", Width: 28, Layers: 2, Heads: 2, Context: 32,
		HardwareMFLOPS: one(16), Duty: one(0.1), LearningRate: 1e-3, Rows: 8, Steps: 1,
		StakeTAO: one(1), UpMbps: 50, DownMbps: 100, MinIntervalS: 1, Queue: 32, Slots: 1, LongestS: 600,
	}
}

func defaultValidators() ValidatorGroup {
	return ValidatorGroup{
		Name: "validator", Count: 1, Behaviour: "honest", Routing: "uniform", StakeTAO: one(1000),
		Batch: "mixed", Release: score.DefaultEra, Targets: "serving",
		Rows: 16, Tokens: 24, Peers: 8, TopK: 64, StepS: 24, TimeoutS: 12, EpochBlocks: 60,
		Alpha: 0.1, Noise: 0.1,
		RouterWidth: 32, RouterHeads: 2, RouterRate: 0.1, RouterLabels: true, RouterBase: true,
		HardwareMFLOPS: one(200), UpMbps: 200, DownMbps: 200,
	}
}

func defaultApplications() ApplicationGroup {
	return ApplicationGroup{
		Name: "application", Count: 1, StakeTAO: one(10), SessionS: 600, PaceS: 1.2, Prompt: 16, Tokens: 8, Peers: 3,
		Combine: "best", Sessions: 1, Forced: true, TopK: 64, TimeoutS: 12, UpMbps: 20, DownMbps: 50,
	}
}

func defaultFault() FaultEntry { return FaultEntry{Kind: "crash", DurationS: 600} }

func defaultWaves() WavesSection { return WavesSection{StormS: 300, Together: 3} }

func defaultExpectation() report.Expectation { return report.Expectation{} }

// Complete is the default with one table of each kind, as the reference shows it.
func Complete() Scenario {
	sc := Default()
	sc.Miners, sc.Validators = []MinerGroup{defaultMiners()}, []ValidatorGroup{defaultValidators()}
	sc.Applications, sc.Faults = []ApplicationGroup{defaultApplications()}, []FaultEntry{defaultFault()}
	sc.Expect = []report.Expectation{defaultExpectation()}
	return sc
}
