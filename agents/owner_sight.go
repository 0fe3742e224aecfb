package agents

import (
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// sight is what an owner sees at a decision.
type sight struct {
	self        host.Self     // under the identity that acts
	as          host.Identity // that
	serving     []ownUID      // uids of its own that serve
	idle        []ownUID      // and that do not
	view        chain.View
	epochHours  float64
	immunity    uint64  // epochs for which a newcomer is immune
	price       float64 // of a unit of account, in TAO
	costRao     float64 // of running the node for an epoch
	uidRao      float64 // of that, of each uid
	trialRao    float64 // of that, of the immune uids
	allRao      float64 // income per epoch of the seats without a permit
	others      int     // of those, without its own
	full        bool    // no seat is free
	othersRao   float64 // mean income per epoch of the seats without a permit
	hazard      float64 // share of the seats that changed hands per epoch
	incomeRao   float64 // per epoch that it expects
	immune      bool    // all of its own seats
	incentive   float64 // its own, in 1/65535
	emissionRao uint64  // its own in the last epoch
}

// hazardEpochs is how far back an owner looks for seats that changed hands.
const hazardEpochs = 10

// see reads what a decision may need.
func (o *Owner) see(env host.Env) sight {
	s := sight{view: env.Chain(), price: o.config.Price.At(env.Now())}
	o.look(env, &s)
	period := uint64(1)
	if next, ever := s.view.EpochAfter(s.view.Height()); ever {
		if second, _ := s.view.EpochAfter(next); second > next {
			period = second - next
		}
	}
	s.epochHours = float64(float64(period) * (float64(o.config.BlockNs) / float64(host.Hour)))
	s.immunity = s.view.Params().ImmunityBlocks / period
	duty := 1.0
	if o.config.Learning != nil {
		duty = o.duty()
	}
	uids := float64(max(len(s.serving), 1))
	s.uidRao = float64(float64(s.price*chain.RaoPerTAO) * float64(o.config.UIDPerH*s.epochHours))
	s.costRao = float64(o.config.Costs.RaoPerHour(s.price, duty)*s.epochHours) + float64(uids*s.uidRao)
	s.immune = len(s.serving) > 0
	for _, own := range s.serving {
		s.incentive += float64(s.view.Neuron(own.self.UID).Incentive)
		s.emissionRao += own.emissionRao
		s.immune = s.immune && own.immune
		if own.immune {
			s.trialRao += s.uidRao
		}
	}
	if o.config.Seat != nil {
		s.survey(period)
	}
	s.incomeRao = o.income.Or(float64(uids * s.othersRao))
	return s
}

// survey looks at all seats.
func (s *sight) survey(period uint64) {
	since := s.view.Height() - min(s.view.Height(), hazardEpochs*period)
	epochs := max(min(s.view.Epochs(), hazardEpochs), 1)
	taken, serving, earned := 0, 0, 0.0
	for i := range s.view.N() {
		n := s.view.Neuron(chain.UID(i))
		if n.RegisteredAt > since {
			taken++
		}
		if !n.Permit {
			serving++
			earned += float64(n.EmissionRao)
		}
	}
	s.allRao, s.others = earned, max(serving-len(s.serving), 0)
	s.hazard = float64(taken) / float64(uint64(max(s.view.N(), 1))*epochs)
	if s.full = s.view.N() >= int(s.view.Params().MaxUIDs); !s.full {
		serving++ // one more would share what they earn
	}
	if serving > 0 {
		s.othersRao = earned / float64(serving)
	}
}

// seatRow is a decision about the seat.
func (s *sight) seatRow(choice string) trace.Decision {
	return trace.Decision{
		Kind: "seat", Choice: choice, IncomeRao: trace.Some(s.incomeRao), CostRao: trace.Some(s.costRao),
		Price: trace.Some(s.price), Hazard: trace.Some(s.hazard),
	}
}
