// Package host is the contract between an agent and its world, and what both worlds share.
//
// An agent is a state machine: its host hands it one event at a time and it answers with effects
// through Env. It promises the agent named random streams, a clock, the chain as this node has
// seen it, calls to peers, one compute unit and timers; it promises the reader that the virtual
// and the live world differ in nothing that an agent can see but the passing of time.
//
// A whole agent, one that answers every request with the request's own bytes (the example of [Agent] runs it):
//
//	type echo struct{ answered uint64 }
//
//	func (e *echo) Handle(env host.Env, event host.Event) {
//		if in, ok := event.(host.Incoming); ok {
//			e.answered++
//			env.Reply(in.Call, host.Response{Code: host.Success, Body: in.Request.Body})
//		}
//	}
//
//	func (e *echo) AppendState(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, e.answered) }
//
//	func (e *echo) RestoreState(b []byte) error {
//		_, err := binary.Decode(b, binary.LittleEndian, &e.answered)
//		return err
//	}
//
// It forbids agents to block, to start goroutines, to read another clock and to do I/O, and it
// does none of that itself. Two structures stand here because both worlds use them: the admission
// queue of a serving node, the rule that gives stake its use, and the ledger driver, which takes
// transactions to blocks, keeps the newest views and makes the rows of the chain.
package host
