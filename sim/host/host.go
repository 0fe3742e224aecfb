package host

import (
	"strconv"

	"taolab/model/num"
	"taolab/sim/chain"
	"taolab/sim/trace"
)

// Time is a point in time in nanoseconds since genesis, virtual or wall; differences are
// durations in nanoseconds.
type Time int64

// Durations.
const (
	Microsecond Time = 1e3
	Millisecond Time = 1e6
	Second      Time = 1e9
	Minute      Time = 60 * Second
	Hour        Time = 60 * Minute
)

// PeerID names a node on the wire: the axon key that the chain knows it by, the hotkey where it
// published no other.
type PeerID = chain.Key

// Identifiers that a host hands out; unique per agent, increasing, never reused.
type (
	CallID   uint64
	JobID    uint64
	TimerID  uint64
	SubmitID uint64
)

// Tag is an agent's own note on a timer, returned with its event.
type Tag uint64

// KeyRole says which of the agent's keys signs a transaction.
type KeyRole uint8

// The keys of an agent.
const (
	Hotkey KeyRole = iota + 1
	Coldkey
)

// Identity names one of a node's hotkeys, 0 the first. Each has a uid, an axon and weights of its own; they
// share the node's coldkey, agent, compute unit, links and admission queue.
type Identity uint8

// MaxIdentities is the most that a node may have.
const MaxIdentities = 64

// Self is who the agent is on the network under one identity, as of the newest block that its node has seen.
type Self struct {
	Node    uint32 // its place in the run's table of nodes
	Peer    PeerID
	Hotkey  chain.Key
	Coldkey chain.Key
	UID     chain.UID // valid only when HasUID
	HasUID  bool
}

// Synapse is the kind of question a request asks.
type Synapse uint8

// The four synapses of opentensor/bittensor v3.4.2, the one of runs without models, the one by which miners
// learn what a validator pays for, and the one by which the operator of an application has a text continued,
// in streamed parts. An operator calls under the key of its own node.
const (
	TextLastHiddenState Synapse = 1
	TextCausalLM        Synapse = 2
	TextSeq2Seq         Synapse = 3
	TextCausalLMNext    Synapse = 4
	StatedLoss          Synapse = 5
	PayList             Synapse = 6
	Continuation        Synapse = 7
)

// Dir reports whether a request asks for an answer or hands back gradients.
type Dir uint8

// The directions.
const (
	Forward  Dir = 1
	Backward Dir = 2
)

// Request is one question on the wire. Body is encoded bytes: its length is what bandwidth costs. Nobody
// changes a body that was sent or received.
type Request struct {
	Synapse    Synapse
	Dir        Dir
	Body       []byte
	MaxReplies uint32 // 0 and 1: a single reply; more: that many streamed parts at most
}

// Code is a return code of the wire, numbered as in opentensor/bittensor v3.4.2.
type Code uint8

// The return codes that hosts and agents use.
const (
	NoReturn        Code = 0
	Success         Code = 1
	Timeout         Code = 2
	Backoff         Code = 3 // the server's queue is full
	Unavailable     Code = 4 // no route, node down
	NotImplemented  Code = 5
	EmptyRequest    Code = 6
	EmptyResponse   Code = 7
	InvalidResponse Code = 8
	InvalidRequest  Code = 9
	UnknownError    Code = 22
	Unauthenticated Code = 23 // refused by the admission rules
)

// codeNames are the names of the return codes that hosts and agents use.
var codeNames = map[Code]string{
	NoReturn: "NoReturn", Success: "Success", Timeout: "Timeout", Backoff: "Backoff",
	Unavailable: "Unavailable", NotImplemented: "NotImplemented", EmptyRequest: "EmptyRequest",
	EmptyResponse: "EmptyResponse", InvalidResponse: "InvalidResponse", InvalidRequest: "InvalidRequest",
	UnknownError: "UnknownError", Unauthenticated: "Unauthenticated",
}

// String is the code's name, or its number where it has none here.
func (c Code) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "Code" + strconv.Itoa(int(c))
}

// Response is one reply on the wire; More announces that another part follows. Where the code is a refusal,
// the body may say why in words.
type Response struct {
	Code Code
	Body []byte
	More bool
}

// Job is work for the agent's compute unit: plain data and a pure function of it and of the
// models it names. Only one job of an agent is outstanding at a time; nothing else touches the
// models of a running job.
type Job interface {
	// Work is the cost in FLOP; virtual time is Work over the agent's hardware speed.
	Work() int64
	// Run does the work and returns the result as bytes that belong to the caller.
	Run(*Scratch) []byte
}

// Reader is what a Job may be besides: it tells those who watch how many tokens it reads.
type Reader interface{ Tokens() int64 }

// Scratch is memory that one worker of the pool lends to one job after the other. Jobs find in
// Local what an earlier job left there and may replace it; no result may depend on it.
type Scratch struct {
	Local any
}

// Agent is the behaviour of one node.
type Agent interface {
	Handle(Env, Event)
	// AppendState appends the whole state as bytes. It is called between events with no job running.
	AppendState([]byte) []byte
	// RestoreState replaces the state by what AppendState wrote.
	RestoreState([]byte) error
}

// Bookkeeper is what an Agent may be besides: one whose books a crash must not set back. The host saves its
// state after every event for which Unsaved says true, before what the agent sent in that event leaves the
// node. After a crash it tells the agent what became of the transactions that it had submitted before, as a
// process finds out that looks them up in the ledger's history. A bookkeeper starts no jobs. The live world
// refuses it.
type Bookkeeper interface {
	Agent
	// Unsaved reports whether the newest event changed what must be on disk.
	Unsaved() bool
}

// Env is the world as one agent sees it, acting under one of its node's identities. It may be used only
// during Handle.
type Env interface {
	// Self is who this Env acts as: what Handle is given acts as identity 0.
	Self() Self
	// As is the same world, in which Self, Submit and Call are another identity's. It panics for one that
	// the node does not have. A wrapper that changes any of the three wraps what its inner As returns.
	As(Identity) Env
	Now() Time
	// Rand is the agent's own stream for a purpose; its position survives snapshots.
	Rand(purpose string) *num.Stream
	// Chain is the newest block that this node has seen; the view is immutable.
	Chain() chain.View
	// Submit sends a transaction; the host adds nonce, expiry and signature. The answer is an
	// Included, Rejected or Expired event.
	Submit(KeyRole, chain.Msg) SubmitID
	// Call asks a peer. The answer is one or more Answer events, the last with More unset; after
	// timeout the host answers with code Timeout. The body must not change afterwards: the receiver may
	// get these very bytes.
	Call(to PeerID, req Request, timeout Time) CallID
	// Cancel drops a call: no further Answer event comes.
	Cancel(CallID)
	// Reply answers an Incoming event. Parts beyond the request's MaxReplies and replies after the
	// deadline are dropped; the last part allowed is the last, whatever More says. Bodies
	// must not change afterwards.
	Reply(CallID, Response)
	// Compute starts a job and ends in a Done event. It panics while another job is outstanding.
	Compute(Job) JobID
	// After sets a timer that ends in a Timer event.
	After(d Time, tag Tag) TimerID
	// AtBlock sets a timer that ends in a Block event when this node sees the block at height.
	AtBlock(height uint64, tag Tag) TimerID
	// Stop drops a timer.
	Stop(TimerID)
	Record(trace.Row)
	// NodeOf is the node that answers at a key, as rows name it; nil where none is known.
	NodeOf(PeerID) *uint32
}

// Event is what a host hands to an agent.
type Event interface{ event() }

// The events.
type (
	// Start is the first event of an agent's life and the first after a crash; Restored tells which.
	Start struct{ Restored bool }
	// Timer is the end of After.
	Timer struct {
		ID  TimerID
		Tag Tag
	}
	// Block is the end of AtBlock: the node has just seen the block at Height.
	Block struct {
		ID     TimerID
		Tag    Tag
		Height uint64
	}
	// Done is the end of a job.
	Done struct {
		ID     JobID
		Result []byte
	}
	// Incoming is a request that the admission queue let through. Deadline is when its service ends,
	// on this node's clock: when the caller gives up, or earlier where the rules allow no longer
	// service. Then the slot of the request is free again, and an agent that has not answered gets
	// Cancelled. To is the identity that was asked.
	Incoming struct {
		Call     CallID
		From     PeerID
		To       Identity
		StakeRao uint64
		Deadline Time
		Request  Request
	}
	// Cancelled says that nobody waits for the answer to a request any more.
	Cancelled struct{ Call CallID }
	// Answer is a reply to a call that was made at SentAt, on the caller's clock. From is the key
	// that was called.
	Answer struct {
		Call     CallID
		From     PeerID
		SentAt   Time
		Response Response
	}
	// Included says that a submitted transaction is in the block at Height.
	Included struct {
		ID     SubmitID
		Height uint64
	}
	// Rejected says that the ledger refused a transaction, and why.
	Rejected struct {
		ID     SubmitID
		Height uint64
		Reason string
	}
	// Expired says that a transaction was in no block up to its expiry.
	Expired struct{ ID SubmitID }
)

func (Start) event()     {}
func (Timer) event()     {}
func (Block) event()     {}
func (Done) event()      {}
func (Incoming) event()  {}
func (Cancelled) event() {}
func (Answer) event()    {}
func (Included) event()  {}
func (Rejected) event()  {}
func (Expired) event()   {}
