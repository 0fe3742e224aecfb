package agents

import (
	"taolab/agents/wire"
	"taolab/sim/host"
)

// payroll is the pay of each uid for each subset. It is a cache, recomputed from the state after each change
// that may move it.
type payroll struct {
	made   bool
	demand []float64
	parts  []float64 // [uids x subsets], each part of the whole
}

// publish tells a caller the pay for each subset, and the caller's part of it. Under mixture credit a uid's
// weight counts for the subsets in proportion to their rows.
func (v *Validator) publish(env host.Env, e host.Incoming) {
	switch {
	case !v.config.Publishes || e.Request.Synapse != host.PayList || e.Request.Dir != host.Forward:
		env.Reply(e.Call, host.Response{Code: host.NotImplemented})
		return
	case wire.DecodePayRequest(e.Request.Body) != nil:
		env.Reply(e.Call, host.Response{Code: host.InvalidRequest})
		return
	}
	if !v.paid.made {
		v.paid = v.payroll()
	}
	names := v.judge.Subsets()
	list := make([]wire.Pay, len(v.paid.demand))
	for subset, demand := range v.paid.demand {
		list[subset] = wire.Pay{Subset: names[subset], Demand: float32(demand)}
		for uid, p := range v.peers {
			if at := uid*len(list) + subset; p.axon == e.From && at < len(v.paid.parts) {
				list[subset].Own = min(float32(v.paid.parts[at]), float32(demand))
			}
		}
	}
	env.Reply(e.Call, host.Response{Code: host.Success, Body: wire.EncodePay(list)})
}

// payroll computes the current pay.
func (v *Validator) payroll() payroll {
	p := payroll{made: true, demand: v.judge.Demand()}
	if v.config.Credit == Market {
		p.parts = v.pay(p.demand)
		return p
	}
	scores, total := v.scores(), 0.0
	for _, s := range scores {
		total += s
	}
	if total == 0 {
		return p
	}
	for _, s := range scores {
		for _, demand := range p.demand {
			p.parts = append(p.parts, float64(demand*s)/total)
		}
	}
	return p
}
