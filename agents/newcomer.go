package agents

import (
	"fmt"

	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// NewcomerConfig is a node that registers while the network lives.
type NewcomerConfig struct {
	AtBlock     uint64            // height from which it tries to register
	RetryBlocks uint64            // blocks from a refusal to the next try
	Tries       int               // for each identity, after which it gives up
	Identities  int               // that it registers, one after the other; 0 means 1
	Then        func() host.Agent // what it is once it has a uid
}

// Validate returns an error if the config is unusable.
func (c NewcomerConfig) Validate() error {
	switch {
	case c.RetryBlocks < 1 || c.Tries < 1 || c.Then == nil:
		return fmt.Errorf("newcomer: %d tries every %d blocks; expected at least 1 of both, and an agent",
			c.Tries, c.RetryBlocks)
	case c.Identities < 0 || c.Identities > host.MaxIdentities:
		return fmt.Errorf("newcomer: %d identities; expected 0 to %d", c.Identities, host.MaxIdentities)
	}
	return nil
}

// Newcomer waits for its block, registers its hotkeys by burning free money of its coldkey, and is another
// agent from the first registration on. Until then it refuses every question.
type Newcomer struct {
	config NewcomerConfig
	tries  uint32 // for the next identity
	timer  host.TimerID
	submit host.SubmitID
	next   host.Identity // to be registered
	inner  host.Agent    // nil before the first registration
}

// NewNewcomer returns a newcomer. It panics when the config is not valid.
func NewNewcomer(c NewcomerConfig) *Newcomer {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	c.Identities = max(c.Identities, 1)
	return &Newcomer{config: c}
}

// Agent is the agent that the newcomer has become, or nil.
func (n *Newcomer) Agent() host.Agent { return n.inner }

// registers reports whether an identity is still to be registered.
func (n *Newcomer) registers() bool { return int(n.next) < n.config.Identities }

// Handle implements host.Agent.
func (n *Newcomer) Handle(env host.Env, event host.Event) {
	was := n.inner
	if n.registers() && n.join(env, event) {
		return
	}
	if in, asked := event.(host.Incoming); asked && n.inner == nil {
		Refuse(env, in)
	}
	if was != nil {
		was.Handle(env, event)
	}
}

// join takes an event of the registration; false: the event is of another, or for the agent too.
func (n *Newcomer) join(env host.Env, event host.Event) bool {
	switch e := event.(type) {
	case host.Start:
		if !n.seated(env) { // else it was included while the node was down
			n.wait(env, n.config.AtBlock)
		}
		return false
	case host.Block:
		if e.ID != n.timer {
			return false
		}
		if !n.seated(env) { // else what was sent before a crash was included after the restart
			n.tries++
			n.register(env)
		}
		return true
	case host.Included:
		switch {
		case e.ID != n.submit:
			return false
		case env.Chain().Params().Hard.Consent && !env.As(n.next).Self().HasUID: // that was the claim
			n.register(env)
		default:
			n.registered(env)
		}
		return true
	case host.Rejected:
		return n.again(env, e.ID)
	case host.Expired:
		return n.again(env, e.ID)
	}
	return false
}

// seated takes note of a seat that the next identity has.
func (n *Newcomer) seated(env host.Env) bool {
	seated := env.As(n.next).Self().HasUID
	if seated {
		n.registered(env)
	}
	return seated
}

// registered goes on after a registration: the first makes the newcomer another agent.
func (n *Newcomer) registered(env host.Env) {
	n.next++
	n.tries = 0
	if n.inner == nil {
		n.inner = n.config.Then()
		n.inner.Handle(env, host.Start{})
	}
	if n.registers() && !n.seated(env) {
		n.tries++
		n.register(env)
	}
}

// register registers the next identity's hotkey, which the coldkey claims first where the network asks for that.
func (n *Newcomer) register(env host.Env) {
	hotkey, view := env.As(n.next).Self().Hotkey, env.Chain()
	var msg chain.Msg = chain.Register{Hotkey: hotkey}
	if _, owned := view.OwnerOf(hotkey); view.Params().Hard.Consent && !owned {
		msg = chain.Claim{Hotkey: hotkey} // the host adds the hotkey's agreement
	}
	n.submit = env.Submit(host.Coldkey, msg)
}

// again waits for the next try after a registration that failed; false: it was another transaction.
func (n *Newcomer) again(env host.Env, id host.SubmitID) bool {
	if id != n.submit {
		return false
	}
	if int(n.tries) < n.config.Tries {
		n.wait(env, env.Chain().Height()+n.config.RetryBlocks)
	}
	return true
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
	if n.config.Identities > 1 {
		b = append(b, byte(n.next))
	}
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
	if n.config.Identities > 1 {
		if r.next = host.Identity(c.U8("identities registered")); int(r.next) > n.config.Identities {
			c.Fail("%d identities are registered, expected at most %d", r.next, n.config.Identities)
		}
	}
	var inner []byte
	registered := c.Bool("registered")
	if registered {
		inner = c.Rest()
		r.next = max(r.next, 1)
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
