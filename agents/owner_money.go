package agents

import (
	"math"
	"slices"

	"taolab/agents/decide"
	"taolab/agents/state"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// Money is what an owner does with what it has.
type Money struct {
	Exchange      chain.Key // coldkey that buys
	Sell          float64   // share of what its stake grew by that it sells
	Vault         chain.Key // coldkey of the bridge
	Bridge        float64   // share of its free money that goes there in a decision
	HalfLifeYears float64   // in which it sells half of its stake; 0: never
	Taking        *Taking
	Nominating    *Nominating
}

// Taking is how a delegate sets its take.
type Taking struct {
	First uint16 // in 1/65535
	Step  uint16 // by which it looks for a better one; 0: it stays
	Every uint32 // decisions between two moves
}

// Nominating is how a nominator chooses delegates.
type Nominating struct {
	Beta  float64 // how strongly it follows yields
	Share float64 // of its stake that may move in a decision
}

// maxSent bounds the transactions of an owner's money that are on their way.
const maxSent = 128

// purse is what an owner remembers about its money.
type purse struct {
	known     bool   // there was a decision before
	stakeRao  uint64 // of its own on its hotkey after the last one
	sellsRao  uint64 // freed, and not sold yet
	decisions uint32 // since the last move of the take
	haggle    decide.Haggle
	revenue   decide.Average
	sent      []sentMoney // by ascending id
}

// sentMoney is a transaction on its way.
type sentMoney struct {
	id    host.SubmitID
	sells uint64 // freed for sale once it is included
}

// settle takes what became of a transaction.
func (p *purse) settle(id host.SubmitID, included bool) bool {
	i := slices.IndexFunc(p.sent, func(s sentMoney) bool { return s.id == id })
	if i < 0 {
		return false
	}
	if included {
		p.sellsRao += p.sent[i].sells
	}
	p.sent = slices.Delete(p.sent, i, i+1)
	return true
}

// pay sends a transaction of the coldkey.
func (o *Owner) pay(env host.Env, msg chain.Msg, sells uint64) {
	if len(o.purse.sent) < maxSent {
		o.purse.sent = append(o.purse.sent, sentMoney{env.Submit(host.Coldkey, msg), sells})
	}
}

// chooseMoney sells, sets the take and nominates.
func (o *Owner) chooseMoney(env host.Env, s *sight) {
	m, p := &o.config.Money, &o.purse
	own, free, settled := s.view.OwnStakeOf(s.self.Hotkey), s.view.FreeOf(s.self.Coldkey), len(o.purse.sent) == 0
	if m.Sell > 0 || m.HalfLifeYears > 0 {
		o.sell(env, s)
	}
	if m.Taking != nil && own > 0 {
		o.chooseTake(env, s)
	}
	if rao := decide.Part(free, m.Bridge); rao > 0 {
		free -= rao
		o.pay(env, chain.Transfer{To: m.Vault, AmountRao: rao}, 0)
		o.record(env, s, trace.Decision{Kind: "stake", Choice: "bridge", AmountRao: trace.Some(rao)})
	}
	if m.Nominating != nil && settled { // what is on its way would be counted twice, or not at all
		o.nominate(env, s, free)
	}
	p.known = true
}

// sell frees stake of all hotkeys for sale, and sells what was freed before.
func (o *Owner) sell(env host.Env, s *sight) {
	m, p := &o.config.Money, &o.purse
	if sells := min(p.sellsRao, s.view.FreeOf(s.self.Coldkey)); sells > 0 {
		p.sellsRao -= sells
		o.pay(env, chain.Transfer{To: m.Exchange, AmountRao: sells}, 0)
		o.record(env, s, trace.Decision{Kind: "stake", Choice: "sell", AmountRao: trace.Some(sells), Price: trace.Some(s.price)})
	}
	keys, before := o.hotkeys(env)
	for i, hotkey := range keys {
		own := s.view.OwnStakeOf(hotkey)
		frees := decide.Decayed(own, float64(s.epochHours*float64(o.config.Every)), m.HalfLifeYears)
		if p.known && own > *before[i] {
			frees += decide.Part(own-*before[i], m.Sell)
		}
		*before[i] = own
		if frees = min(frees, own); frees > 0 {
			*before[i] -= frees
			o.pay(env, chain.RemoveStake{Hotkey: hotkey, AmountRao: frees}, frees)
			o.record(env, s, trace.Decision{Kind: "stake", Choice: "unstake", AmountRao: trace.Some(frees), Price: trace.Some(s.price)})
		}
	}
}

// chooseTake opens the hotkey to nominators, and then looks for the take that brings most.
func (o *Owner) chooseTake(env host.Env, s *sight) {
	t, p := o.config.Money.Taking, &o.purse
	take, open := s.view.Take(s.self.Hotkey)
	p.revenue.Take(o.keeps(s, take), o.config.Smoothing)
	choice := "open"
	switch {
	case !open:
		take = t.First
	case t.Step == 0:
		return
	default:
		if p.decisions++; p.decisions < t.Every {
			return
		}
		p.decisions = 0
		if choice = "raise"; p.haggle.Next(p.revenue.Value) {
			choice = "lower"
			take -= min(take, t.Step)
		} else {
			take += min(t.Step, math.MaxUint16-take)
		}
	}
	take = min(take, s.view.Params().MaxTake)
	o.pay(env, chain.Delegate{Hotkey: s.self.Hotkey, Take: take}, 0)
	o.record(env, s, trace.Decision{
		Kind: "take", Choice: choice, IncomeRao: trace.Some(p.revenue.Value), Share: trace.Some(float64(take) / 65535),
	})
}

// keeps is what an owner has of its node's last emission: its own stake's part, and its take of the rest.
func (o *Owner) keeps(s *sight, take uint16) float64 {
	all := s.view.StakeOf(s.self.Hotkey)
	if all == 0 {
		return 0
	}
	own := float64(s.view.OwnStakeOf(s.self.Hotkey)) / float64(all)
	return float64(float64(s.emissionRao) * (own + float64((1-own)*(float64(take)/65535))))
}

// maxDelegates bounds the delegates that a nominator chooses among: the first by uid.
const maxDelegates = 64

// nominate moves a share of the stake and of free money toward what yields most.
func (o *Owner) nominate(env host.Env, s *sight, free uint64) {
	n := o.config.Money.Nominating
	var hotkeys []chain.Key
	var yields []float64
	perYear := decide.HoursPerYear / s.epochHours
	for i := 0; i < s.view.N() && len(hotkeys) < maxDelegates; i++ {
		d := s.view.Neuron(chain.UID(i))
		take, open := s.view.Take(d.Hotkey)
		if !open || d.StakeRao == 0 {
			continue
		}
		paid := float64(float64(d.EmissionRao) * (1 - float64(take)/65535))
		hotkeys, yields = append(hotkeys, d.Hotkey), append(yields, float64(paid/float64(d.StakeRao)*perYear))
	}
	if len(hotkeys) == 0 {
		return
	}
	total := free
	held := make([]uint64, len(hotkeys))
	for i, hotkey := range hotkeys {
		held[i] = s.view.NominationOf(hotkey, s.self.Coldkey)
		total += held[i]
	}
	for i, share := range decide.Logit(yields, n.Beta) {
		want := decide.Part(total, share)
		row := trace.Decision{Kind: "nomination", Share: trace.Some(share), Signal: trace.Some(yields[i]), Peer: env.NodeOf(hotkeys[i])}
		switch step := decide.Part(max(want, held[i])-min(want, held[i]), n.Share); {
		case step == 0:
			continue
		case want > held[i]:
			if step = min(step, free); step == 0 {
				continue
			}
			free -= step
			row.Choice, row.AmountRao = "add", trace.Some(step)
			o.pay(env, chain.AddStake{Hotkey: hotkeys[i], AmountRao: step}, 0)
		default:
			row.Choice, row.AmountRao = "remove", trace.Some(step)
			o.pay(env, chain.RemoveStake{Hotkey: hotkeys[i], AmountRao: step}, 0)
		}
		o.record(env, s, row)
	}
}

func (p *purse) append(b []byte) []byte {
	b = state.AppendBool(b, p.known)
	b = state.AppendU64(b, p.stakeRao)
	b = state.AppendU64(b, p.sellsRao)
	b = state.AppendU32(b, p.decisions)
	b = state.AppendF64(b, p.haggle.Before)
	b = state.AppendBool(b, p.haggle.Down)
	b = state.AppendBool(b, p.haggle.Begun)
	b = appendAverage(b, p.revenue)
	b = state.AppendU32(b, uint32(len(p.sent)))
	for _, s := range p.sent {
		b = state.AppendU64(state.AppendU64(b, uint64(s.id)), s.sells)
	}
	return b
}

func (p *purse) restore(c *state.Cursor) {
	*p = purse{
		known: c.Bool("decided before"), stakeRao: c.U64("stake before"), sellsRao: c.U64("freed for sale"),
		decisions: c.U32("decisions since the take moved"),
		haggle:    decide.Haggle{Before: c.F64("revenue before"), Down: c.Bool("take falls"), Begun: c.Bool("take moved")},
		revenue:   readAverage(c),
	}
	n := c.Count("transactions on their way", 16)
	if n > maxSent {
		c.Fail("%d transactions on their way, expected at most %d", n, maxSent)
		n = 0
	}
	for range n {
		p.sent = append(p.sent, sentMoney{host.SubmitID(c.U64("transaction")), c.U64("freed by it")})
	}
}
