package agents

import (
	"fmt"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// NewcomerConfig holds the settings of a newcomer.
type NewcomerConfig struct {
	AtBlock     uint64            // height from which it tries to register
	RetryBlocks uint64            // blocks from a refusal to the next try
	Tries       int               // after which it gives up
	Then        func() host.Agent // the agent that it becomes once it has a uid
}

// Validate returns an error if the config is unusable.
func (c NewcomerConfig) Validate() error {
	if c.RetryBlocks < 1 || c.Tries < 1 || c.Then == nil {
		return fmt.Errorf("newcomer: %d tries every %d blocks; expected at least 1 of both, and an agent",
			c.Tries, c.RetryBlocks)
	}
	return nil
}

// Newcomer is a neuron that registers while the network runs: it waits for its block, registers
// its hotkey by burning free money of its coldkey, and then becomes another agent. Until then it
// refuses every question.
type Newcomer struct {
	config NewcomerConfig
	tries  uint32
	timer  host.TimerID
	submit host.SubmitID
	inner  host.Agent // nil before the registration
}

// NewNewcomer returns a newcomer. It panics when the config is not valid.
func NewNewcomer(c NewcomerConfig) *Newcomer {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	return &Newcomer{config: c}
}

// Agent is the agent that the newcomer has become, or nil.
func (n *Newcomer) Agent() host.Agent { return n.inner }

// Handle implements host.Agent.
func (n *Newcomer) Handle(env host.Env, event host.Event) {
	if n.inner != nil {
		n.inner.Handle(env, event)
		return
	}
	switch e := event.(type) {
	case host.Start:
		if env.Self().HasUID { // included while the node was down
			n.begin(env)
			return
		}
		n.wait(env, n.config.AtBlock)
	case host.Block:
		if e.ID != n.timer {
			return
		}
		if env.Self().HasUID { // a registration sent before a crash was included after the restart
			n.begin(env)
			return
		}
		n.tries++
		n.join(env)
	case host.Included:
		switch {
		case e.ID != n.submit:
		case env.Chain().Params().Hard.Consent && !env.Self().HasUID: // the claim was included
			n.join(env)
		default:
			n.begin(env)
		}
	case host.Rejected:
		n.again(env, e.ID)
	case host.Expired:
		n.again(env, e.ID)
	case host.Incoming:
		Refuse(env, e)
	}
}

// join registers the hotkey; where the network requires it, the coldkey claims the hotkey first.
func (n *Newcomer) join(env host.Env) {
	hotkey, view := env.Self().Hotkey, env.Chain()
	var msg chain.Msg = chain.Register{Hotkey: hotkey}
	if _, owned := view.OwnerOf(hotkey); view.Params().Hard.Consent && !owned {
		msg = chain.Claim{Hotkey: hotkey} // the host adds the hotkey's agreement
	}
	n.submit = env.Submit(host.Coldkey, msg)
}

func (n *Newcomer) begin(env host.Env) {
	n.inner = n.config.Then()
	n.inner.Handle(env, host.Start{})
}

func (n *Newcomer) again(env host.Env, id host.SubmitID) {
	if id == n.submit && int(n.tries) < n.config.Tries {
		n.wait(env, env.Chain().Height()+n.config.RetryBlocks)
	}
}

func (n *Newcomer) wait(env host.Env, height uint64) {
	n.timer = env.AtBlock(max(height, env.Chain().Height()+1), 0)
}

// AppendState implements host.Agent.
func (n *Newcomer) AppendState(b []byte) []byte {
	b = state.Begin(b, "newcomer")
	b = state.AppendU32(b, n.tries)
	b = state.AppendU64(b, uint64(n.timer))
	b = state.AppendU64(b, uint64(n.submit))
	b = state.AppendBool(b, n.inner != nil)
	if n.inner != nil {
		b = n.inner.AppendState(b)
	}
	return b
}

// RestoreState implements host.Agent. After an error the newcomer is as it was.
func (n *Newcomer) RestoreState(b []byte) error {
	c := state.Open("newcomer", b)
	r := Newcomer{config: n.config, tries: c.U32("tries")}
	r.timer, r.submit = host.TimerID(c.U64("timer")), host.SubmitID(c.U64("submission"))
	var inner []byte
	registered := c.Bool("registered")
	if registered {
		inner = c.Rest()
	}
	if err := c.End(); err != nil {
		return err
	}
	if registered {
		r.inner = n.config.Then()
		if err := r.inner.RestoreState(inner); err != nil {
			return err
		}
	}
	*n = r
	return nil
}
