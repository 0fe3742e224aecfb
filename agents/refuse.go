package agents

import "taolab/sim/host"

// Refuse answers a request that the agent does not serve.
func Refuse(env host.Env, event host.Event) {
	if e, ok := event.(host.Incoming); ok {
		env.Reply(e.Call, host.Response{Code: host.NotImplemented})
	}
}
