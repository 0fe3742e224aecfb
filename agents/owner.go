package agents

import (
	"fmt"

	"taolab/agents/decide"
	"taolab/agents/mind"
	"taolab/agents/state"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Worker is the part of a behaviour that its owner can tell what to do.
type Worker interface {
	SetDuty(now host.Time, share float64) // of its time that it trains from now on
	SetMix(weights []float64)             // of the subsets that it trains on
	Busy() bool                           // a job of its own is running
	Reflects() mind.Reflective            // what it knows about its training; nil: nothing
}

// OwnerConfig is an owner before its first event. What is nil or zero is not decided on.
type OwnerConfig struct {
	// Make makes what the node does while it is on; the Worker is nil where nothing of that can be told.
	Make func() (host.Agent, Worker)

	Identities int // of the node, which the owner may have uids for at a time; 0 means 1

	Every     uint64       // epochs between two decisions
	Smoothing float64      // weight of the newest income in its average
	BlockNs   host.Time    // between blocks
	Genesis   uint64       // height at which the network begins
	From      uint64       // height from which it may take a seat that it does not have
	Price     *decide.Path // of a unit of account, in TAO
	Duty      float64      // share of its time that the node trains, at first
	Costs     decide.Costs
	UIDPerH   float64 // cost of each uid, in units of account an hour
	Seat      *Seating
	Learning  *Learning
	Money     Money
}

// Validate returns an error if the config is unusable.
func (c OwnerConfig) Validate() error {
	switch {
	case c.Make == nil || c.Price == nil:
		return fmt.Errorf("owner: no node or no price; give what the node does, and what costs are stated in")
	case c.Identities < 0 || c.Identities > host.MaxIdentities:
		return fmt.Errorf("owner: %d identities; expected 0 to %d", c.Identities, host.MaxIdentities)
	case c.Every < 1 || c.BlockNs < 1 || !(c.Smoothing > 0 && c.Smoothing <= 1):
		return fmt.Errorf("owner: decisions every %d epochs, blocks of %d ns, smoothing %g; expected at least 1, "+
			"a positive time, and more than 0 up to 1", c.Every, c.BlockNs, c.Smoothing)
	}
	return nil
}

// Owner runs a node for what it brings: at stated heights it looks at what the ledger shows and decides
// whether to hold a seat, how much and on what to train, and what to do with its stake. Between decisions the
// node does what it does. While the owner is out, its node refuses all questions and does not train.
type Owner struct {
	config OwnerConfig
	inner  host.Agent // nil before the first seat
	worker Worker

	on     bool // the node serves
	rhythm decide.Rhythm
	timer  host.TimerID   // of the next decision
	income decide.Average // per epoch, in rao
	paid   uint64         // epochs that had run at the last income seen
	entry  entry
	holds  []holding // by identity; none where there is one
	hash   hashing
	learns lessons
	hears  hearing
	purse  purse
}

// NewOwner returns an owner. It panics when the config is not valid.
func NewOwner(c OwnerConfig) *Owner {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	o := emptyOwner(c)
	o.learns.begin(c.Learning, c.Duty)
	return o
}

func emptyOwner(c OwnerConfig) *Owner {
	o := &Owner{config: c}
	if c.Identities > 1 {
		o.holds = make([]holding, c.Identities)
	}
	return o
}

// Agent is what the owner's node does, or nil before its first seat.
func (o *Owner) Agent() host.Agent { return o.inner }

// Handle implements host.Agent.
func (o *Owner) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		o.start(env, e)
		return
	case host.Block:
		switch e.ID {
		case o.timer:
			o.decide(env)
			o.await(env)
			return
		case o.hash.watch:
			o.watchDifficulty(env)
			return
		}
	case host.Timer:
		if o.hash.on && e.ID == o.hash.timer {
			o.foundSeal(env)
			return
		}
	case host.Done:
		if o.hash.searching && e.ID == o.hash.job {
			o.tookSeal(env, e.Result)
			return
		}
	case host.Answer:
		if o.heard(env, e) {
			return
		}
	case host.Included:
		if o.settled(env, e.ID, true) {
			return
		}
	case host.Rejected:
		if o.settled(env, e.ID, false) {
			return
		}
	case host.Expired:
		if o.settled(env, e.ID, false) {
			return
		}
	case host.Incoming:
		if !o.on || o.gaveUp(e.To) {
			env.Reply(e.Call, host.Response{Code: host.Unavailable})
			return
		}
	}
	if o.inner != nil {
		o.inner.Handle(env, event)
	}
}

// start begins a life, the first or one after a crash: what was on its way is lost.
func (o *Owner) start(env host.Env, e host.Start) {
	o.rhythm = decide.Rhythm{Every: o.config.Every, Offset: uint64(env.Rand("decide/offset").Sub("first").IntN(int(o.config.Every)))}
	o.entry.open, o.hash, o.purse.sent, o.hears.asks = false, hashing{}, nil, nil
	o.on = o.seated(env) && !o.entry.left
	if o.on && o.inner == nil {
		o.inner, o.worker = o.config.Make()
	}
	o.await(env)
	o.tell(env.Now())
	if o.inner != nil {
		o.inner.Handle(env, e)
	}
}

// duty is the share of its time that the node trains while it is on.
func (o *Owner) duty() float64 {
	if l := o.config.Learning; l != nil && l.Adapts {
		return o.learns.effort.Share()
	}
	return o.config.Duty
}

// tell makes the node do what was decided last.
func (o *Owner) tell(now host.Time) {
	if o.worker == nil {
		return
	}
	duty := 0.0
	if o.on {
		duty = o.duty()
	}
	o.worker.SetDuty(now, duty)
	if c := o.config.Learning; c != nil && c.Rule.Rate > 0 {
		o.worker.SetMix(o.learns.mix)
	}
}

// turnOn lets the node serve.
func (o *Owner) turnOn(env host.Env) {
	o.on, o.entry.left, o.entry.strikes = true, false, 0
	o.hash.stop(env)
	fresh := o.inner == nil
	if fresh {
		o.inner, o.worker = o.config.Make()
	}
	o.tell(env.Now())
	if fresh {
		o.inner.Handle(env, host.Start{})
	}
}

// turnOff makes it refuse all questions.
func (o *Owner) turnOff(env host.Env) {
	o.on = false
	o.tell(env.Now())
}

// await sets the timer of the next decision.
func (o *Owner) await(env host.Env) {
	view := env.Chain()
	next, ever := view.EpochAfter(view.Height())
	if !ever {
		return
	}
	if second, _ := view.EpochAfter(next); second > next {
		next += (o.rhythm.Wait(view.Epochs()) - 1) * (second - next)
	}
	o.timer = env.AtBlock(next, 0)
}

// decide looks at the ledger once and chooses.
func (o *Owner) decide(env host.Env) {
	s := o.see(env)
	if s.self.HasUID && o.on && s.view.Epochs() > o.paid {
		o.earn(&s)
	}
	o.paid = s.view.Epochs()
	if o.config.Seat != nil {
		o.chooseSeat(env, &s)
	}
	if o.config.Learning != nil && o.on {
		o.chooseLearning(env, &s)
	}
	o.chooseMoney(env, &s)
}

// record writes a decision down, with what every decision has.
func (o *Owner) record(env host.Env, s *sight, row trace.Decision) {
	row.TimeNs, row.Block, row.Epoch, row.Node = int64(env.Now()), s.view.Height(), s.view.Epochs(), s.self.Node
	if due := o.config.Genesis + uint64(max(env.Now(), 0)/o.config.BlockNs); due > row.Block {
		row.AgeBlocks = due - row.Block
	}
	if s.self.HasUID {
		row.UID = trace.Some(uint16(s.self.UID))
	}
	env.Record(row)
}

// AppendState implements host.Agent.
func (o *Owner) AppendState(b []byte) []byte {
	b = state.Begin(b, "owner")
	b = state.AppendBool(b, o.on)
	b = state.AppendU64(b, o.rhythm.Offset)
	b = state.AppendU64(b, uint64(o.timer))
	b = appendAverage(b, o.income)
	b = state.AppendU64(b, o.paid)
	b = o.appendHolds(o.entry.append(b))
	b = o.hash.append(b)
	b = o.hears.append(o.learns.append(b, o.config.Learning))
	b = o.purse.append(b)
	b = state.AppendBool(b, o.inner != nil)
	if o.inner != nil {
		b = o.inner.AppendState(b)
	}
	return b
}

// RestoreState implements host.Agent. After an error the owner is as it was.
func (o *Owner) RestoreState(b []byte) error {
	c := state.Open("owner", b)
	r := emptyOwner(o.config)
	r.on = c.Bool("serving")
	r.rhythm = decide.Rhythm{Every: o.config.Every, Offset: c.U64("offset")}
	r.timer = host.TimerID(c.U64("timer"))
	r.income = readAverage(c)
	r.paid = c.U64("epochs seen")
	r.entry.restore(c)
	r.restoreHolds(c)
	r.hash.restore(c)
	r.learns.restore(c, o.config.Learning)
	r.hears.restore(c, len(r.learns.mix))
	r.purse.restore(c)
	hired := c.Bool("node there")
	var inner []byte
	if hired {
		inner = c.Rest()
	}
	switch {
	case r.on && !hired:
		c.Fail("a node that serves and is not there")
	case o.config.Seat == nil && (r.entry.open || r.hash.on || r.hash.searching):
		c.Fail("a registration or a search for a seal, of an owner who does not decide on seats")
	}
	if err := c.End(); err != nil {
		return err
	}
	if hired {
		r.inner, r.worker = o.config.Make()
		if err := r.inner.RestoreState(inner); err != nil {
			return err
		}
	}
	*o = *r
	o.tell(0) // its duty is what it was
	return nil
}

func appendAverage(b []byte, a decide.Average) []byte {
	return state.AppendF64(state.AppendBool(b, a.Known), a.Value)
}

func readAverage(c *state.Cursor) decide.Average {
	return decide.Average{Known: c.Bool("average known"), Value: c.F64("average")}
}
