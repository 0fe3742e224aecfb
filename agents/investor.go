package agents

import (
	"fmt"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// InvestorConfig holds the settings of an investor.
type InvestorConfig struct {
	AtBlock     uint64 // height from which it tries to stake
	AmountRao   uint64 // of its coldkey's free money; all of that if it is less
	RetryBlocks uint64 // blocks from a refusal to the next try
	Tries       uint32 // after which it gives up
	Does        func() host.Agent
}

// Validate returns an error if the config is unusable.
func (c InvestorConfig) Validate() error {
	if c.AmountRao < 1 || c.RetryBlocks < 1 || c.Tries < 1 || c.Does == nil {
		return fmt.Errorf("investor: %d rao, %d tries every %d blocks; expected at least 1 of each, and the node's agent",
			c.AmountRao, c.Tries, c.RetryBlocks)
	}
	return nil
}

// Investor stakes free money of its coldkey on its hotkey at a height, around an agent that does the node's
// other work.
type Investor struct {
	config InvestorConfig
	tries  uint32
	before uint64 // free money at the first try
	waits  bool
	timer  host.TimerID // of the next try
	open   bool
	submit host.SubmitID // on its way
	inner  host.Agent
}

// NewInvestor returns an investor. It panics when the config is not valid.
func NewInvestor(c InvestorConfig) *Investor {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Investor{config: c, inner: c.Does()}
}

// Agent is the agent inside.
func (n *Investor) Agent() host.Agent { return n.inner }

// Handle implements host.Agent.
func (n *Investor) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		n.open = false
		n.wait(env, n.config.AtBlock)
	case host.Block:
		if n.waits && e.ID == n.timer {
			n.waits = false
			n.invest(env)
			return
		}
	case host.Included:
		if n.sent(e.ID) {
			n.open, n.tries = false, n.config.Tries
			return
		}
	case host.Rejected:
		if n.sent(e.ID) {
			n.again(env)
			return
		}
	case host.Expired:
		if n.sent(e.ID) {
			n.again(env)
			return
		}
	}
	n.inner.Handle(env, event)
}

func (n *Investor) sent(id host.SubmitID) bool { return n.open && id == n.submit }

// invest stakes the amount, unless a transaction sent before a crash was included while the node was down.
func (n *Investor) invest(env host.Env) {
	self, view := env.Self(), env.Chain()
	free := view.FreeOf(self.Coldkey)
	if n.tries == 0 {
		n.before = free
	}
	amount := min(n.config.AmountRao, free)
	switch n.tries++; {
	case free < n.before:
		n.tries = n.config.Tries
		return
	case amount == 0:
		n.again(env)
		return
	}
	n.open, n.submit = true, env.Submit(host.Coldkey, chain.AddStake{Hotkey: self.Hotkey, AmountRao: amount})
	row := trace.Decision{TimeNs: int64(env.Now()), Block: view.Height(), Epoch: view.Epochs(), Node: self.Node,
		Kind: "stake", Choice: "stake", AmountRao: trace.Some(amount)}
	if self.HasUID {
		row.UID = trace.Some(uint16(self.UID))
	}
	env.Record(row)
}

func (n *Investor) again(env host.Env) {
	n.open = false
	n.wait(env, env.Chain().Height()+n.config.RetryBlocks)
}

// wait sets the timer of the next try, if there is one.
func (n *Investor) wait(env host.Env, height uint64) {
	if n.waits = n.tries < n.config.Tries; n.waits {
		n.timer = env.AtBlock(max(height, env.Chain().Height()+1), 0)
	}
}

// AppendState implements host.Agent.
func (n *Investor) AppendState(b []byte) []byte {
	b = state.AppendU32(state.Begin(b, "investor"), n.tries)
	b = state.AppendU64(b, n.before)
	b = state.AppendU64(state.AppendBool(b, n.waits), uint64(n.timer))
	b = state.AppendU64(state.AppendBool(b, n.open), uint64(n.submit))
	return n.inner.AppendState(b)
}

// RestoreState implements host.Agent. After an error the investor is as it was.
func (n *Investor) RestoreState(b []byte) error {
	c := state.Open("investor", b)
	r := Investor{config: n.config, tries: c.U32("tries"), before: c.U64("free money")}
	r.waits, r.timer = c.Bool("waiting"), host.TimerID(c.U64("timer"))
	r.open, r.submit = c.Bool("sent"), host.SubmitID(c.U64("submission"))
	inner := c.Rest()
	if err := c.End(); err != nil {
		return err
	}
	r.inner = n.config.Does()
	if err := r.inner.RestoreState(inner); err != nil {
		return err
	}
	*n = r
	return nil
}
