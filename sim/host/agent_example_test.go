package host_test

import (
	"encoding/binary"
	"fmt"

	"taolab/sim/host"
)

type echo struct{ answered uint64 }

func (e *echo) Handle(env host.Env, event host.Event) {
	if in, ok := event.(host.Incoming); ok {
		e.answered++
		env.Reply(in.Call, host.Response{Code: host.Success, Body: in.Request.Body})
	}
}

func (e *echo) AppendState(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, e.answered) }

func (e *echo) RestoreState(b []byte) error {
	_, err := binary.Decode(b, binary.LittleEndian, &e.answered)
	return err
}

// printed is a world in which replies are printed.
type printed struct{ host.Env }

func (printed) Reply(call host.CallID, r host.Response) {
	fmt.Printf("call %d: %v, %q\n", call, r.Code, r.Body)
}

// An agent is handed one event at a time and answers through Env. Its state is bytes between any two.
func ExampleAgent() {
	var agent host.Agent = new(echo)
	agent.Handle(printed{}, host.Start{})
	agent.Handle(printed{}, host.Incoming{Call: 7, Request: host.Request{Body: []byte("ping")}})

	restarted := new(echo)
	if err := restarted.RestoreState(agent.AppendState(nil)); err != nil {
		fmt.Println(err)
	}
	restarted.Handle(printed{}, host.Incoming{Call: 8, Request: host.Request{Body: []byte("pong")}})
	fmt.Println("answered", restarted.answered)
	// Output:
	// call 7: Success, "ping"
	// call 8: Success, "pong"
	// answered 2
}
