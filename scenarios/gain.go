package scenarios

import (
	"fmt"

	"taolab/agents/decide"
	"taolab/sim/chain/registration"
)

// loop is a feedback loop: a group of owners who respond to one signal.
type loop struct {
	name  string
	gain  float64 // of one owner's decision
	every uint64  // epochs between decisions of one owner; in each epoch a part of the group decides
	delay int     // age of the signal in decisions
	what  string
}

// together is the gain of the group, of which only a part decides at a time.
func (l loop) together() float64 { return l.gain / float64(l.every) }

// limit is the largest gain at which the group settles. The delay counts decisions of the group, which come
// every epoch.
func (l loop) limit() float64 { return decide.GainLimit(l.delay) }

// loops lists the groups that respond to a signal.
func (sc *Scenario) loops() []loop {
	var list []loop
	for i, g := range sc.Miners {
		w := &g.Wants
		if !w.Decides() || w.MixRate == 0 || w.MixBy == "gradient" || w.MixBy == "bandit" {
			continue // the last two hear nothing of what others do, or answer it with no stated strength
		}
		l := loop{name: fmt.Sprintf("miners[%d] %s: mix", i, g.Name), gain: w.MixRate, every: w.EveryEpochs,
			what: "the share of a subset follows its pay"}
		if w.MixBy == "income" { // forth for one period and back for one
			l.delay = 1
		}
		list = append(list, l)
	}
	for i, g := range sc.Holders {
		list = append(list, loop{
			name: fmt.Sprintf("holders[%d] %s: nominations", i, g.Name), every: 1,
			gain: float64(g.Move * (1 + float64(g.Beta*sc.yield()))),
			what: fmt.Sprintf("stake follows yields of %.3g a year, those of the first emission on all stake and money", sc.yield()),
		})
	}
	return list
}

// yield is the yearly return, at the first emission, on the stake and the money of all that may nominate, if
// validators get half of it.
func (sc *Scenario) yield() float64 {
	p, err := sc.Params()
	if err != nil {
		return 0
	}
	stake := uint64(0)
	for _, g := range sc.Validators {
		stake += g.sumRao(g.StakeTAO, g.Count, &p.Hard)
	}
	for _, g := range sc.Holders {
		stake += new(Group).sumRao(g.MoneyTAO, g.Count, &p.Hard)
	}
	if stake == 0 {
		return 0
	}
	blocks := float64(decide.HoursPerYear*3600) / sc.Time.BlockS
	return float64(blocks*float64(p.RewardRao)) / 2 / float64(stake)
}

// ownersInForce lists the groups that decide, the period of their decisions, and whether each settles.
func (f *File) ownersInForce() []Setting {
	var list []Setting
	for i, g := range f.Miners {
		if most := g.Identities(); most > 1 {
			list = append(list, Setting{fmt.Sprintf("miners[%d] %s: uids", i, g.Name), fmt.Sprintf("%d at first, at most %d", g.UIDs, most),
				"one model, one compute unit and one queue answer for all of them"})
		}
		if w := &g.Wants; w.Decides() {
			list = append(list, Setting{fmt.Sprintf("miners[%d] %s: decides", i, g.Name), fmt.Sprintf("every %d epochs", w.EveryEpochs),
				fmt.Sprintf("entry %s by %s; costs %s units of account an hour and %s W, an hour of which is %.4g units for the first",
					w.Entry, w.By, w.HardwarePerH, w.Watts, float64(w.Watts.At(0, g.Count)/1000*w.PerKWh))})
		}
	}
	for i, g := range f.Validators {
		if w := &g.Wants; w.Decides() {
			list = append(list, Setting{fmt.Sprintf("validators[%d] %s: decides", i, g.Name), fmt.Sprintf("every %d epochs", w.EveryEpochs),
				fmt.Sprintf("sells %g of what its stake grows by; half-life of its stake %g years, 0: none", w.Sell, w.HalfLifeYears)})
		}
	}
	for _, l := range f.loops() {
		list = append(list, Setting{l.name, fmt.Sprintf("gain %.3g of at most %.3g", l.together(), l.limit()),
			fmt.Sprintf("%s: %.3g for one, of whom 1 in %d decides at a time, on a signal %d decisions old; above half of the limit they may oscillate",
				l.what, l.gain, l.every, l.delay)})
	}
	if p, err := f.Params(); err == nil && registration.Seal(p.Seal) == registration.Granted {
		list = append(list, Setting{"seal", "granted",
			"nobody hashes: the ledger takes the work of a registration as done, at the hash rates of by = work"})
	}
	return list
}

// swings warns of owners who respond so strongly that they may never settle.
func (f *File) swings() []string {
	var list []string
	for _, l := range f.loops() {
		if g, limit := l.together(), l.limit(); g > limit/2 {
			list = append(list, fmt.Sprintf("%s: a gain of %.3g, and they settle below %.3g: above half of that they may oscillate for long; "+
				"lower mix_rate, beta or move, or raise every_epochs", l.name, g, limit))
		}
	}
	return list
}
