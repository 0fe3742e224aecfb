package attack

import (
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
)

var bait = Behaviour{
	Kind: Validator, Name: "bait", Doc: "sets the weights that it is told, and takes nothing of what its nominators earn, but for the moment of the epoch, when it takes the most that the chain allows",
	Scripted: true,
	Wrap:     func(a host.Agent) host.Agent { return &Bait{inner: a} },
}

// Bait is a delegate that shows a take of 0 and raises it for the block in which dividends are shared.
type Bait struct {
	inner  host.Agent
	timer  host.TimerID // of its next transaction
	raises bool         // which that is
}

// baitLead is how many blocks before an epoch's the take is raised: into the next block goes what is submitted,
// and the producer may need one more.
const baitLead = 3

// Handle implements host.Agent.
func (a *Bait) Handle(env host.Env, event host.Event) {
	switch e := event.(type) {
	case host.Start:
		a.take(env, 0)
		a.await(env, true)
	case host.Block:
		if e.ID != a.timer {
			break
		}
		take := uint16(0)
		if a.raises {
			take = env.Chain().Params().MaxTake
		}
		a.take(env, take)
		a.await(env, !a.raises)
		return
	}
	a.inner.Handle(env, event)
}

// await waits for the block of the next raise, or for the epoch's.
func (a *Bait) await(env host.Env, raises bool) {
	view := env.Chain()
	a.raises = raises
	from := view.Height()
	if raises {
		from += baitLead
	}
	next, ever := view.EpochAfter(from)
	if !ever {
		return
	}
	if raises {
		next -= baitLead
	}
	a.timer = env.AtBlock(next, 0)
}

func (a *Bait) take(env host.Env, take uint16) {
	env.Submit(host.Coldkey, chain.Delegate{Hotkey: env.Self().Hotkey, Take: take})
}

// AppendState implements host.Agent.
func (a *Bait) AppendState(b []byte) []byte {
	b = state.AppendBool(state.AppendU64(state.Begin(b, "bait"), uint64(a.timer)), a.raises)
	return a.inner.AppendState(b)
}

// RestoreState implements host.Agent. After an error the bait is as it was.
func (a *Bait) RestoreState(b []byte) error {
	c := state.Open("bait", b)
	r := Bait{inner: a.inner, timer: host.TimerID(c.U64("timer")), raises: c.Bool("raises")}
	inner := c.Rest()
	if err := c.End(); err != nil {
		return err
	}
	if err := r.inner.RestoreState(inner); err != nil {
		return err
	}
	*a = r
	return nil
}
