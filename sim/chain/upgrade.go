package chain

import (
	"fmt"

	"taolab/sim/chain/consensus"
)

// Upgrade is a version of the rules and the first block under it.
type Upgrade struct {
	Rules  uint32
	Height uint64
}

// ruleset is what a version of the rules brings. Versions count from 1, with which a chain is born.
type ruleset struct {
	doc     string
	fits    func(*Params) bool // the chain may take the step
	migrate func(*State)       // a pure function of the state before its first block
}

var rulesets = []ruleset{
	{doc: "the rules that a chain is born with", fits: always, migrate: func(*State) {}},
	{doc: "epochs count from the last one, and seals of work read numbers as 2026 does", fits: always,
		migrate: func(s *State) {
			p := s.params
			p.EpochDue = DueSinceLast
			if p.Seal == "keccak-hotkey" {
				p.Seal = "keccak-hotkey-le"
			}
			s.adopt(p)
		}},
	{doc: "the consensus rule is yuma3", fits: func(p *Params) bool { return p.Rule != consensus.Nakamoto },
		migrate: toYuma3},
}

func always(*Params) bool { return true }

// toYuma3 changes the rule and deletes all bonds. Before, a column of bonds was scaled to its largest
// and had stake in it; yuma3 stores absolute shares without stake and would read the old ones as far too
// large for dozens of epochs. The next epoch makes bonds of the weights that stand.
func toYuma3(s *State) {
	p := s.params
	p.Rule = consensus.Yuma3
	s.adopt(p)
	for uid := range UID(s.neurons.n) {
		if len(s.neurons.get(uid).bonds) > 0 {
			s.setBonds(uid, nil)
		}
	}
}

// Rules lists what the versions bring that this program knows, from version 1 on.
func Rules() []string { return converted(rulesets, func(r ruleset) string { return r.doc }) }

// mayUpgrade checks a plan as far as every program can, whatever versions it knows: an older one agrees
// to a plan for a newer one, and stops at its height.
func (s *State) mayUpgrade(u Upgrade) error {
	switch {
	case u.Rules <= s.rules:
		return refuse(RulesInForce, uint64(u.Rules), uint64(s.rules))
	case u.Height <= s.height+1:
		return refuse(UpgradePast, u.Height, s.height+2)
	}
	for v := s.rules; v < min(u.Rules, uint32(len(rulesets))); v++ {
		if !rulesets[v].fits(&s.params) {
			return refuse(UpgradeImpossible, uint64(v+1), 0)
		}
	}
	return nil
}

// turn notes at the end of a block that the next one has other rules. A program that does not know them has a
// whole state up to here, and stops.
func (s *State) turn() []Event {
	if s.plan == (Upgrade{}) || s.height+1 < s.plan.Height {
		return nil
	}
	s.rules, s.plan = s.plan.Rules, Upgrade{}
	return []Event{Upgraded{s.height + 1, s.rules}}
}

// migrate makes the state one of the rules in force.
func (s *State) migrate() {
	if err := s.Outdated(); err != nil {
		panic("chain: " + err.Error())
	}
	for ; s.stored < s.rules; s.stored++ {
		rulesets[s.stored].migrate(s)
	}
}

// Outdated says that the next block has rules which this program does not know. It must not begin it.
func (s *State) Outdated() error {
	if int(s.rules) <= len(rulesets) {
		return nil
	}
	return fmt.Errorf("block %d has version %d of the rules, this program knows versions 1 to %d: install one that "+
		"knows it; it goes on from the state after block %d", s.height+1, s.rules, len(rulesets), s.height)
}

// Rules is the version of the rules in the next block; 0: this chain is never upgraded.
func (v View) Rules() uint32 { return v.header.governing.rules }

// Plan is the upgrade to come; zero: none.
func (v View) Plan() Upgrade { return v.header.governing.plan }
