package trace

// Row is one line of one table. Its fields are the table's columns: exported, of plain types (bool,
// unsigned and signed integers, floats, string), tagged with `unit` and `doc`. An optional column is
// a pointer to a plain type; nil is written as NULL. A row about an actor names its node, the
// actor's place in the table of nodes, since a uid can change hands.
type Row interface {
	// Table names the table that the row belongs to.
	Table() Table
}

// Recorder receives rows as they are recorded. It must not influence the run.
type Recorder interface {
	Record(Row)
}

// Table is the name of a table, which is also its file name without the ending.
type Table string

// The tables, in the order in which documents list them.
const (
	Nodes        Table = "nodes"
	Seats        Table = "seats"
	Blocks       Table = "blocks"
	Transactions Table = "transactions"
	Epochs       Table = "epochs"
	Weights      Table = "weights"
	Bonds        Table = "bonds"
	Queries      Table = "queries"
	Answers      Table = "answers"
	Scores       Table = "scores"
	Training     Table = "training"
	Ledger       Table = "ledger"
	Faults       Table = "faults"
	Applications Table = "applications"
	Decisions    Table = "decisions"
)

// The lanes of a validator's questions.
const (
	ScoringLane = "scoring" // whole batches to the peers whose turn it is; weights come from it
	ServiceLane = "service" // single rows to the peers that the gate names for them
)

// The ends of a seat's life.
const (
	Held   = "held"   // it lasted to the end of the run
	Pruned = "pruned" // another took the uid
)

// The outcomes of a transaction that reached the block producer.
const (
	Included = "included"
	Rejected = "rejected" // by the ledger
	Expired  = "expired"  // before its block
	Refused  = "refused"  // by the producer, where too many waited
)

// Some returns the value of an optional column.
func Some[T any](v T) *T { return &v }

// Node is one machine with its agent, as it is configured.
type Node struct {
	Node      uint32   `unit:"index" doc:"the node's place in the run, from 0; all tables name it by that"`
	Name      string   `unit:"name" doc:"name of the group and number of the member"`
	Group     string   `unit:"name" doc:"group of the scenario"`
	Role      string   `unit:"name" doc:"miner, validator, application or holder"`
	Behaviour string   `unit:"name" doc:"behaviour of the group"`
	Region    string   `unit:"name" doc:"region of the network"`
	Hotkey    string   `unit:"hex" doc:"public key of the hotkey"`
	Coldkey   string   `unit:"hex" doc:"public key of the coldkey"`
	StakeRao  uint64   `unit:"rao" doc:"stake at genesis; of a node that joins later, the free money that it brings"`
	JoinsNs   *int64   `unit:"ns" doc:"time at which the node begins to register; NULL: seated at genesis, or never a neuron"`
	Width     *uint32  `unit:"channels" doc:"width of its model; NULL without a model"`
	Layers    *uint32  `unit:"layers" doc:"transformer blocks of its model; NULL without a model"`
	Heads     *uint32  `unit:"heads" doc:"attention heads of its model; NULL without a model"`
	Context   *uint32  `unit:"tokens" doc:"longest sequence of its model; NULL without a model"`
	Params    *uint64  `unit:"weights" doc:"size of its model; NULL without a model"`
	FLOPS     *uint64  `unit:"FLOP/s" doc:"speed of its compute unit; NULL where it has none"`
	Duty      *float64 `unit:"share" doc:"share of its time that it trains; NULL for a node that never does"`
}

// Seat is one life of a uid: its holder, its blocks, and the reason of its end.
type Seat struct {
	UID           uint16  `unit:"uid" doc:"the seat"`
	Node          *uint32 `unit:"index" doc:"node that held it; NULL for a hotkey of no node"`
	Hotkey        string  `unit:"hex" doc:"public key of the hotkey"`
	FromBlock     uint64  `unit:"block" doc:"height of the registration; 0 at genesis"`
	UntilBlock    *uint64 `unit:"block" doc:"height at which another took it; NULL: held at the end of the run"`
	End           string  `unit:"name" doc:"why it ended: held (it did not), or pruned"`
	SuccessorNode *uint32 `unit:"index" doc:"node that took the seat; NULL if there is none, or for a hotkey of no node"`
}

// Block is one block of the chain.
type Block struct {
	Height      uint64  `unit:"block" doc:"height of the block"`
	TimeNs      int64   `unit:"ns" doc:"time of the block since genesis"`
	Included    uint32  `unit:"transactions" doc:"transactions included"`
	Rejected    uint32  `unit:"transactions" doc:"transactions that the ledger refused"`
	EmissionRao uint64  `unit:"rao" doc:"newly minted in this block"`
	IssuanceRao uint64  `unit:"rao" doc:"total issuance after the block"`
	BurnRao     uint64  `unit:"rao" doc:"price of a registration in the next block"`
	Difficulty  uint64  `unit:"hashes" doc:"of a proof of work in the next block: hashes that one takes on average"`
	Digest      *string `unit:"hex" doc:"state digest after the block; NULL where the run took none"`
}

// Transaction is one transaction that reached the block producer, and its outcome.
type Transaction struct {
	Block   uint64  `unit:"block" doc:"height of the block that decided; of a refused one the newest block"`
	TimeNs  int64   `unit:"ns" doc:"time at which it was decided"`
	Place   *uint32 `unit:"index" doc:"place among the transactions of that block, from 0; NULL for a refused one"`
	Node    *uint32 `unit:"index" doc:"node that sent it; NULL for a key of no node"`
	Signer  string  `unit:"hex" doc:"public key that signed it"`
	Nonce   uint64  `unit:"nonce" doc:"the signer's nonce in it"`
	Kind    string  `unit:"name" doc:"kind of message: SetWeights, Register, Transfer, ..."`
	Bytes   uint32  `unit:"bytes" doc:"length on the wire, signature included"`
	FeeRao  *uint64 `unit:"rao" doc:"burned for it, whether it was included or rejected; NULL where it cost nothing"`
	Outcome string  `unit:"name" doc:"included, rejected (by the ledger), expired (before its block) or refused (by the producer, where too many waited)"`
	Reason  *string `unit:"text" doc:"why it was rejected or refused; NULL otherwise"`
}

// Epoch is the outcome of one consensus epoch for one neuron.
type Epoch struct {
	Epoch          uint32  `unit:"epoch" doc:"running number of the epoch, from 0"`
	Block          uint64  `unit:"block" doc:"height at which the epoch ran"`
	UID            uint16  `unit:"uid" doc:"the neuron"`
	Node           *uint32 `unit:"index" doc:"node that held the uid; NULL for a hotkey of no node"`
	StakeRao       uint64  `unit:"rao" doc:"stake on the neuron's hotkey after the epoch was paid"`
	Consensus      uint16  `unit:"1/65535" doc:"weight that a kappa majority of stake supports"`
	Incentive      uint16  `unit:"1/65535" doc:"share of what miners earn"`
	Dividends      uint16  `unit:"1/65535" doc:"share of what validators earn"`
	ValidatorTrust uint16  `unit:"1/65535" doc:"part of a validator's weight that consensus kept"`
	Rank           *uint16 `unit:"1/65535" doc:"stake-weighted sum of the weights on the neuron; NULL under a rule that does not store it"`
	Trust          *uint16 `unit:"1/65535" doc:"part of its rank that consensus kept; NULL under a rule that does not store it"`
	EmissionRao    uint64  `unit:"rao" doc:"paid to the neuron in this epoch, its nominators included"`
	NominatorsRao  *uint64 `unit:"rao" doc:"part of it that its nominators got, after the take; NULL where they got nothing"`
	Active         bool    `unit:"flag" doc:"set weights within the activity cutoff"`
	Permit         bool    `unit:"flag" doc:"holds a validator permit after this epoch"`
}

// Weight is one entry of the weight matrix at an epoch.
type Weight struct {
	Epoch    uint32  `unit:"epoch" doc:"running number of the epoch"`
	Block    uint64  `unit:"block" doc:"height at which the epoch ran"`
	From     uint16  `unit:"uid" doc:"the validator that set the weight"`
	To       uint16  `unit:"uid" doc:"the neuron that the weight is on"`
	FromNode *uint32 `unit:"index" doc:"node that held from; NULL for a hotkey of no node"`
	ToNode   *uint32 `unit:"index" doc:"node that held to; NULL for a hotkey of no node"`
	Weight   uint32  `unit:"1/65535" doc:"stored weight; the row's largest is 65535 (nakamoto: its sum is 2^32-1)"`
}

// Bond is one entry of the bond matrix after an epoch.
type Bond struct {
	Epoch    uint32  `unit:"epoch" doc:"running number of the epoch"`
	Block    uint64  `unit:"block" doc:"height at which the epoch ran"`
	From     uint16  `unit:"uid" doc:"the validator that holds the bond"`
	To       uint16  `unit:"uid" doc:"the neuron that the bond is in"`
	FromNode *uint32 `unit:"index" doc:"node that held from; NULL for a hotkey of no node"`
	ToNode   *uint32 `unit:"index" doc:"node that held to; NULL for a hotkey of no node"`
	Bond     uint64  `unit:"1/65535" doc:"stored bond (nakamoto: rao)"`
}

// Query is one request of a validator to one miner, with its score.
type Query struct {
	TimeNs      int64    `unit:"ns" doc:"time at which the validator closed the step"`
	Block       uint64   `unit:"block" doc:"newest block that the validator had seen"`
	Step        uint32   `unit:"step" doc:"running number of the validator's step"`
	Node        uint32   `unit:"index" doc:"who asked"`
	Validator   uint16   `unit:"uid" doc:"uid that asked"`
	Peer        *uint32  `unit:"index" doc:"node that was asked; NULL for a key of no node"`
	UID         uint16   `unit:"uid" doc:"uid that was asked"`
	Lane        string   `unit:"name" doc:"scoring: the whole batch, and weights come from it; service: rows that the gate gave to this peer"`
	Rows        uint32   `unit:"rows" doc:"rows of text in the request"`
	Subset      *string  `unit:"name" doc:"corpus subset of all rows; NULL where the rows are mixed"`
	Code        string   `unit:"name" doc:"return code; Success where an answer came that could be read"`
	LatencyNs   int64    `unit:"ns" doc:"from sending the request to the answer or to giving up"`
	AnswerBytes uint32   `unit:"bytes" doc:"length of the answer's body"`
	Loss        *float32 `unit:"nats/token" doc:"mean phrase cross-entropy per standard token; NULL without a success"`
	EquivLoss   *float32 `unit:"nats/token" doc:"loss per GPT-2-equivalent token, as it enters the score; NULL without a success"`
	Base        *float64 `unit:"score" doc:"effective parameters to the scaling power; NULL without a success and in the service lane"`
	Synergy     *float64 `unit:"score" doc:"share of what pairs of answers gain; NULL without a success and in the service lane"`
	Route       *float32 `unit:"probability" doc:"mean over the rows of the gate's score of the miner; NULL for a uid beyond the gates"`
	RoutingLoss *float32 `unit:"1" doc:"mean squared error of the gate's score against its target; NULL for a uid beyond the gates"`
}

// Answer is the part of a request that concerns one subset.
type Answer struct {
	TimeNs    int64    `unit:"ns" doc:"time at which the validator closed the step"`
	Block     uint64   `unit:"block" doc:"newest block that the validator had seen"`
	Step      uint32   `unit:"step" doc:"running number of the validator's step"`
	Node      uint32   `unit:"index" doc:"who asked"`
	Validator uint16   `unit:"uid" doc:"uid that asked"`
	Peer      *uint32  `unit:"index" doc:"node that was asked; NULL for a key of no node"`
	UID       uint16   `unit:"uid" doc:"uid that was asked"`
	Lane      string   `unit:"name" doc:"scoring or service"`
	Subset    string   `unit:"name" doc:"corpus subset of these rows"`
	Rows      uint32   `unit:"rows" doc:"rows of the subset in the request"`
	Loss      *float32 `unit:"nats/token" doc:"mean phrase cross-entropy over these rows; NULL without a success"`
	Gate      *float32 `unit:"probability" doc:"mean gate score over these rows; NULL for a uid beyond the gates"`
	Target    *float32 `unit:"probability" doc:"mean of the gate's training targets over these rows; NULL if the gate learns nothing from the answer"`
}

// Score is one row of text in one request, the finest record of a gate.
type Score struct {
	Step      uint32   `unit:"step" doc:"running number of the validator's step"`
	Node      uint32   `unit:"index" doc:"who asked"`
	Validator uint16   `unit:"uid" doc:"uid that asked"`
	Peer      *uint32  `unit:"index" doc:"node that was asked; NULL for a key of no node"`
	UID       uint16   `unit:"uid" doc:"uid that was asked"`
	Lane      string   `unit:"name" doc:"scoring or service"`
	Row       uint32   `unit:"row" doc:"place of the row in the step's batch, from 0"`
	Subset    string   `unit:"name" doc:"corpus subset of the row"`
	Loss      *float32 `unit:"nats/token" doc:"phrase cross-entropy; NULL without a success"`
	Gate      *float32 `unit:"probability" doc:"the gate's score; NULL for a uid beyond the gates"`
	Target    *float32 `unit:"probability" doc:"the gate's training target; NULL if the gate learns nothing from the answer"`
}

// Train is one measurement of a miner's model.
type Train struct {
	TimeNs      int64    `unit:"ns" doc:"time of the measurement"`
	Block       uint64   `unit:"block" doc:"newest block that the miner had seen"`
	Node        uint32   `unit:"index" doc:"the miner"`
	UID         *uint16  `unit:"uid" doc:"uid that it held; NULL without one"`
	Subset      string   `unit:"name" doc:"held-out subset; all is the mean over subsets by corpus weight"`
	Steps       uint64   `unit:"steps" doc:"optimiser steps since the fork from the base model"`
	Tokens      uint64   `unit:"tokens" doc:"tokens trained on since the fork"`
	TrainLoss   *float32 `unit:"nats/token" doc:"mean training loss since the last measurement; NULL if there was no step"`
	HeldOutLoss float32  `unit:"nats/token" doc:"loss on held-out text"`
}

// Totals is the ledger's account of all money after a block.
// Minted = Free + Staked + Unbonding + Pending + Burned + Dust + Unallocated.
type Totals struct {
	Block          uint64 `unit:"block" doc:"height of the block"`
	MintedRao      uint64 `unit:"rao" doc:"genesis money plus the sum of block emissions"`
	FreeRao        uint64 `unit:"rao" doc:"on coldkeys"`
	StakedRao      uint64 `unit:"rao" doc:"staked on hotkeys"`
	UnbondingRao   uint64 `unit:"rao" doc:"on its way from hotkeys to coldkeys"`
	PendingRao     uint64 `unit:"rao" doc:"emitted and waiting for the next epoch"`
	BurnedRao      uint64 `unit:"rao" doc:"burned, by registrations and fees above all"`
	DustRao        uint64 `unit:"rao" doc:"left over by the floors of the epochs' divisions"`
	UnallocatedRao uint64 `unit:"rao" doc:"emitted by epochs in which nobody was eligible"`
	RecycledRao    uint64 `unit:"rao" doc:"taken out of issuance again, part of burned"`
	OwnerRao       uint64 `unit:"rao" doc:"paid to the network's owner as its cut since genesis, part of staked or free"`
	FeesRao        uint64 `unit:"rao" doc:"paid for transactions since genesis, part of burned"`
}

// Fault is the beginning or end of an injected fault, or a refused effect of an agent.
type Fault struct {
	TimeNs int64   `unit:"ns" doc:"time of the fault"`
	Node   *uint32 `unit:"index" doc:"node that it hit; NULL if it hit the network"`
	Kind   string  `unit:"name" doc:"begin and end of a fault, and its effects: loss, crash, restart, refused, ..."`
	Detail string  `unit:"text" doc:"description of the event"`
}

// Application is one request of an application for one continuation token.
type Application struct {
	TimeNs       int64    `unit:"ns" doc:"time at which the request was closed"`
	Block        uint64   `unit:"block" doc:"newest block that the application had seen"`
	Node         uint32   `unit:"index" doc:"the application"`
	StakeRao     uint64   `unit:"rao" doc:"stake that the application held"`
	Session      uint32   `unit:"session" doc:"running number of the prompt"`
	Position     uint32   `unit:"token" doc:"position of the token in the continuation, from 0"`
	Peer         *uint32  `unit:"index" doc:"node that was asked; NULL for a key of no node"`
	UID          uint16   `unit:"uid" doc:"uid that was asked"`
	Code         string   `unit:"name" doc:"return code; Success where an answer came that could be read"`
	Admitted     *bool    `unit:"flag" doc:"the miner admitted the request; NULL where the caller cannot know, as after a timeout"`
	LatencyNs    int64    `unit:"ns" doc:"from sending the request to the answer or to giving up"`
	Loss         *float32 `unit:"nats/token" doc:"of the true next token under the answer; NULL without a success, and where the text runs free"`
	EnsembleLoss *float32 `unit:"nats/token" doc:"of the true next token under the combined answers for this token, the same in each of their rows; NULL without any"`
}

// Decision is one choice of an owner, with the numbers that led to it.
type Decision struct {
	TimeNs    int64    `unit:"ns" doc:"time of the decision"`
	Block     uint64   `unit:"block" doc:"newest block that the owner's node had seen"`
	AgeBlocks uint64   `unit:"blocks" doc:"age of the view: blocks that were due since that one"`
	Epoch     uint64   `unit:"epoch" doc:"epochs that had run by that block"`
	Node      uint32   `unit:"index" doc:"who decided"`
	UID       *uint16  `unit:"uid" doc:"uid that it held, of several the first that served, or the one that was decided on; NULL without one"`
	Kind      string   `unit:"name" doc:"what was decided on: seat, uid (one of several), work, duty, mix, stake, take or nomination"`
	Choice    string   `unit:"name" doc:"what was chosen"`
	IncomeRao *float64 `unit:"rao" doc:"income per epoch that it expects: the moving average of its own, or others' mean before it had any; of one more uid what it adds, of one less what its loss takes"`
	CostRao   *float64 `unit:"rao" doc:"running cost per epoch at the price of the moment"`
	Price     *float64 `unit:"TAO" doc:"price of a unit of account in which costs are stated"`
	ValueRao  *float64 `unit:"rao" doc:"what a seat is worth at that income and cost; NULL without bound, where it is never lost and nothing is discounted"`
	EntryRao  *float64 `unit:"rao" doc:"what a seat costs at the entry: the burn, or the hashing that a proof of work takes on average"`
	Hazard    *float64 `unit:"1/epoch" doc:"share of the seats that changed hands per epoch, as far as the view shows"`
	AmountRao *uint64  `unit:"rao" doc:"money moved"`
	Peer      *uint32  `unit:"index" doc:"recipient of the money or the question; NULL if there is none, or for a key of no node"`
	Subset    *string  `unit:"name" doc:"subset that a share of the learning mix is of"`
	Share     *float64 `unit:"share" doc:"share that was chosen: of the learning mix, of a nominator's stake, of the time, or of dividends"`
	Signal    *float64 `unit:"1" doc:"quantity that the share follows: relative income, yearly yield, or a seal's expected seconds"`
}

func (Node) Table() Table        { return Nodes }
func (Decision) Table() Table    { return Decisions }
func (Seat) Table() Table        { return Seats }
func (Transaction) Table() Table { return Transactions }
func (Answer) Table() Table      { return Answers }
func (Score) Table() Table       { return Scores }
func (Block) Table() Table       { return Blocks }
func (Epoch) Table() Table       { return Epochs }
func (Weight) Table() Table      { return Weights }
func (Bond) Table() Table        { return Bonds }
func (Query) Table() Table       { return Queries }
func (Train) Table() Table       { return Training }
func (Totals) Table() Table      { return Ledger }
func (Fault) Table() Table       { return Faults }
func (Application) Table() Table { return Applications }
