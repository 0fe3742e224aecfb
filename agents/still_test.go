package agents

import (
	"taolab/agents/state"
	"taolab/sim/host"
)

// still looks at every tenth block and does nothing.
type still struct{}

func (still) Handle(env host.Env, event host.Event) {
	if _, asked := event.(host.Incoming); asked {
		Refuse(env, event)
		return
	}
	env.AtBlock(env.Chain().Height()+10, 0)
}

func (still) AppendState(b []byte) []byte { return state.Begin(b, "still agent") }

func (still) RestoreState(b []byte) error { return state.Open("still agent", b).End() }
