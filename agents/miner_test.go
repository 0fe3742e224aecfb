package agents

import (
	"testing"

	"taolab/agents/wire"
	"taolab/sim/host"
)

func TestARequestWhoseCallerGaveUpIsForgotten(t *testing.T) {
	m := NewMiner(testMiner())
	d := &driver{env: newFakeEnv(t, 5), agent: m}
	d.handle(host.Start{}) // the compute unit is busy with a measurement
	body := wire.EncodeNextRequest(wire.NextRequest{Rows: 1, Cols: 8, TopK: 2, Tokens: make([]uint16, 8)})
	for call := range 2 {
		d.handle(host.Incoming{
			Call: host.CallID(100 + call), Deadline: host.Hour,
			Request: host.Request{Synapse: host.TextCausalLMNext, Dir: host.Forward, Body: body},
		})
	}
	d.handle(host.Cancelled{Call: 100})
	if len(m.waiting) != 1 || m.waiting[0].call != 101 {
		t.Errorf("after the first of two calls was given up, %+v wait", m.waiting)
	}
}
