package scenarios

import (
	"fmt"

	"taolab/agents/decide"
	"taolab/sim/chain/registration"
)

// loop is a group of owners who answer one signal.
type loop struct {
	name  string
	gain  float64 // per decision of one
	every uint64  // epochs between decisions, at each of which a part of the group decides
	delay int     // decisions by which the signal is old
	what  string
}

// together is the gain of the group: those who decide at a time are a part of it.
func (l loop) together() float64 { return l.gain / float64(l.every) }

// limit is the largest gain at which the group comes to rest. The signal is as old in decisions of the group,
// which come every epoch.
func (l loop) limit() float64 { return decide.GainLimit(l.delay) }

// loops are the groups whose settings say how strongly they answer.
func (sc *Scenario) loops() []loop {
	var list []loop
	for i, g := range sc.Miners {
		w := &g.Wants
		if !w.Decides() || w.MixRate == 0 || w.MixBy == "gradient" || w.MixBy == "bandit" {
			continue // the last two hear nothing of what others do, or answer it with no stated strength
		}
		l := loop{name: fmt.Sprintf("miners[%d] %s: mix", i, g.Name), gain: w.MixRate, every: w.EveryEpochs,
			what: "the share of a subset answers what it pays"}
		if w.MixBy == "income" { // there for one period and back for one
			l.delay = 1
		}
		list = append(list, l)
	}
	for i, g := range sc.Holders {
		list = append(list, loop{
			name: fmt.Sprintf("holders[%d] %s: nominations", i, g.Name), every: 1,
			gain: float64(g.Move * (1 + float64(g.Beta*sc.yield()))),
			what: fmt.Sprintf("stake answers yields of %.3g a year, as the first emission pays on all stake and money", sc.yield()),
		})
	}
	return list
}

// yield is what a year of the first emission pays on the stake and the money of those who may nominate, half
// of it to validators.
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

// ownersInForce tells who decides, how often, and whether they come to rest together.
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
			fmt.Sprintf("%s: %.3g for one, a %d-th of whom decide at a time, on a signal %d decisions old; above half of the limit they may swing",
				l.what, l.gain, l.every, l.delay)})
	}
	if p, err := f.Params(); err == nil && registration.Seal(p.Seal) == registration.Granted {
		list = append(list, Setting{"seal", "granted", "nobody hashes: the ledger believes that the work of a registration was done, at the hash rates of by = work"})
	}
	return list
}

// swings warns of owners who answer so strongly that they may never come to rest.
func (f *File) swings() []string {
	var list []string
	for _, l := range f.loops() {
		if g, limit := l.together(), l.limit(); g > limit/2 {
			list = append(list, fmt.Sprintf("%s: a gain of %.3g, and they come to rest below %.3g: above half of that they may swing for long; "+
				"lower mix_rate, beta or move, or decide more rarely", l.name, g, limit))
		}
	}
	return list
}
