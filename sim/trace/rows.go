package trace

// Row is one line of one table. Its fields are the table's columns: exported, of plain types
// (bool, unsigned and signed integers, floats, string), tagged with `unit` and `doc`.
type Row interface {
	// Table names the table that the row belongs to.
	Table() Table
}

// Recorder takes rows as they come. It must not influence what happens next.
type Recorder interface {
	Record(Row)
}

// Table is the name of a table, which is also its file name without the ending.
type Table string

// The tables, in the order in which documents list them.
const (
	Blocks       Table = "blocks"
	Epochs       Table = "epochs"
	Weights      Table = "weights"
	Bonds        Table = "bonds"
	Queries      Table = "queries"
	Training     Table = "training"
	Ledger       Table = "ledger"
	Faults       Table = "faults"
	Applications Table = "applications"
)

// Block is one block of the chain.
type Block struct {
	Height      uint64 `unit:"block" doc:"height of the block"`
	TimeNs      int64  `unit:"ns" doc:"time of the block since genesis"`
	Included    uint32 `unit:"transactions" doc:"transactions included"`
	Rejected    uint32 `unit:"transactions" doc:"transactions that the ledger refused"`
	EmissionRao uint64 `unit:"rao" doc:"newly minted in this block"`
	IssuanceRao uint64 `unit:"rao" doc:"total issuance after the block"`
	Digest      string `unit:"hex" doc:"state digest after the block; empty where the run does not digest every block"`
}

// Epoch is the outcome of one consensus epoch for one neuron.
type Epoch struct {
	Epoch          uint32 `unit:"epoch" doc:"running number of the epoch, from 0"`
	Block          uint64 `unit:"block" doc:"height at which the epoch ran"`
	UID            uint16 `unit:"uid" doc:"the neuron"`
	StakeRao       uint64 `unit:"rao" doc:"stake on the neuron's hotkey after the epoch was paid"`
	Consensus      uint16 `unit:"1/65535" doc:"weight that a kappa majority of stake supports"`
	Incentive      uint16 `unit:"1/65535" doc:"share of what miners earn"`
	Dividends      uint16 `unit:"1/65535" doc:"share of what validators earn"`
	ValidatorTrust uint16 `unit:"1/65535" doc:"part of a validator's weight that consensus kept"`
	EmissionRao    uint64 `unit:"rao" doc:"paid to the neuron in this epoch"`
	Active         bool   `unit:"flag" doc:"set weights within the activity cutoff"`
	Permit         bool   `unit:"flag" doc:"holds a validator permit after this epoch"`
}

// Weight is one entry of the weight matrix at an epoch.
type Weight struct {
	Epoch  uint32 `unit:"epoch" doc:"running number of the epoch"`
	Block  uint64 `unit:"block" doc:"height at which the epoch ran"`
	From   uint16 `unit:"uid" doc:"the validator that set the weight"`
	To     uint16 `unit:"uid" doc:"the neuron that the weight is on"`
	Weight uint32 `unit:"1/65535" doc:"stored weight; the row's largest is 65535 (nakamoto: its sum is 2^32-1)"`
}

// Bond is one entry of the bond matrix after an epoch.
type Bond struct {
	Epoch uint32 `unit:"epoch" doc:"running number of the epoch"`
	Block uint64 `unit:"block" doc:"height at which the epoch ran"`
	From  uint16 `unit:"uid" doc:"the validator that holds the bond"`
	To    uint16 `unit:"uid" doc:"the neuron that the bond is in"`
	Bond  uint64 `unit:"1/65535" doc:"stored bond (nakamoto: rao)"`
}

// Query is one question of a validator to one miner, with its score.
type Query struct {
	TimeNs      int64   `unit:"ns" doc:"time at which the validator closed the step"`
	Block       uint64  `unit:"block" doc:"newest block that the validator had seen"`
	Step        uint32  `unit:"step" doc:"running number of the validator's step"`
	Validator   uint16  `unit:"uid" doc:"who asked"`
	UID         uint16  `unit:"uid" doc:"who was asked"`
	Subset      string  `unit:"name" doc:"corpus subset of the batch"`
	Code        uint8   `unit:"code" doc:"return code: 1 is success"`
	LatencyNs   int64   `unit:"ns" doc:"from sending the question to the answer or to giving up"`
	AnswerBytes uint32  `unit:"bytes" doc:"length of the answer's body"`
	Loss        float32 `unit:"nats/token" doc:"phrase cross-entropy per standard token; 0 without a success"`
	EquivLoss   float32 `unit:"nats/token" doc:"loss per GPT-2-equivalent token, as it enters the score; 0 without a success"`
	Base        float64 `unit:"score" doc:"effective parameters to the scaling power"`
	Synergy     float64 `unit:"score" doc:"share of what pairs of answers gain"`
	Route       float32 `unit:"probability" doc:"score of the validator's gate for the miner on this batch"`
	RoutingLoss float32 `unit:"1" doc:"squared error of route against exp(1.69 - equiv_loss), at most 1: what the gate is trained on; 0 without a success"`
}

// Train is one measurement of a miner's model.
type Train struct {
	TimeNs      int64   `unit:"ns" doc:"time of the measurement"`
	Block       uint64  `unit:"block" doc:"newest block that the miner had seen"`
	UID         uint16  `unit:"uid" doc:"the miner"`
	Subset      string  `unit:"name" doc:"held-out subset; all is the mean over subsets by corpus weight"`
	Steps       uint64  `unit:"steps" doc:"optimiser steps since the fork from the base model"`
	Tokens      uint64  `unit:"tokens" doc:"tokens trained on since the fork"`
	TrainLoss   float32 `unit:"nats/token" doc:"mean training loss since the last measurement; 0 before the first step"`
	HeldOutLoss float32 `unit:"nats/token" doc:"loss on held-out text"`
}

// Totals is the ledger's account of all money after a block.
// Minted = Free + Staked + Pending + Burned + Dust + Unallocated.
type Totals struct {
	Block          uint64 `unit:"block" doc:"height of the block"`
	MintedRao      uint64 `unit:"rao" doc:"genesis money plus the sum of block emissions"`
	FreeRao        uint64 `unit:"rao" doc:"on coldkeys"`
	StakedRao      uint64 `unit:"rao" doc:"staked on hotkeys"`
	PendingRao     uint64 `unit:"rao" doc:"emitted and waiting for the next epoch"`
	BurnedRao      uint64 `unit:"rao" doc:"burned by registrations"`
	DustRao        uint64 `unit:"rao" doc:"left over by the floors of the epochs' divisions"`
	UnallocatedRao uint64 `unit:"rao" doc:"emitted by epochs in which nobody was eligible"`
	RecycledRao    uint64 `unit:"rao" doc:"taken out of issuance again, part of burned"`
}

// Fault is something that went wrong on purpose, or an effect that was refused.
type Fault struct {
	TimeNs int64  `unit:"ns" doc:"time of the fault"`
	Peer   uint32 `unit:"index" doc:"node that it befell, in the order of run.json"`
	Kind   string `unit:"name" doc:"loss, crash, restart, refused, ..."`
	Detail string `unit:"text" doc:"what happened, in words"`
}

// Application is one request of an application for one continuation token.
type Application struct {
	TimeNs       int64   `unit:"ns" doc:"time at which the request was closed"`
	Block        uint64  `unit:"block" doc:"newest block that the application had seen"`
	Peer         uint32  `unit:"index" doc:"the application's node, in the order of run.json"`
	StakeRao     uint64  `unit:"rao" doc:"stake that the application held"`
	Session      uint32  `unit:"session" doc:"running number of the prompt"`
	Position     uint32  `unit:"token" doc:"position of the token in the continuation, from 0"`
	UID          uint16  `unit:"uid" doc:"the miner that was asked"`
	Code         uint8   `unit:"code" doc:"return code: 1 is success"`
	Admitted     bool    `unit:"flag" doc:"the miner took the request"`
	LatencyNs    int64   `unit:"ns" doc:"from sending the request to the answer or to giving up"`
	Loss         float32 `unit:"nats/token" doc:"of the true next token under the answer; 0 without a success"`
	EnsembleLoss float32 `unit:"nats/token" doc:"of the true next token under the mean of all answers for this token, the same in each of their rows; 0 without any"`
}

func (Block) Table() Table       { return Blocks }
func (Epoch) Table() Table       { return Epochs }
func (Weight) Table() Table      { return Weights }
func (Bond) Table() Table        { return Bonds }
func (Query) Table() Table       { return Queries }
func (Train) Table() Table       { return Training }
func (Totals) Table() Table      { return Ledger }
func (Fault) Table() Table       { return Faults }
func (Application) Table() Table { return Applications }
