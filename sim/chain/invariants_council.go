package chain

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

var councilInvariants = []Invariant{
	{Name: "council-governs-alone",
		Doc: "a council has 1 to 15 keys of which more than half decide, and there is no governor as well",
		state: func(s *State) error {
			switch n := len(s.council); {
			case n == 0:
				return is("threshold", uint64(s.threshold), 0)
			case s.governor != Key{}:
				return fmt.Errorf("%d members and a governor", n)
			default:
				return checkCouncil(s.council, s.threshold)
			}
		}},
	{Name: "proposals-open",
		Doc: "an open proposal is one of its member, in order, of the past, and small",
		state: func(s *State) error {
			var members uint16
			for i, p := range s.proposals {
				if i > 0 && s.proposals[i-1].id >= p.id || p.id >= s.nextProposal || members>>p.by&1 == 1 {
					return fmt.Errorf("proposal %d: %w", p.id, errOrder)
				}
				members |= 1 << p.by
				if err := cmp.Or(fits(p.content), atMost("proposer", uint64(p.by)+1, uint64(len(s.council))),
					atMost("block", max(p.opened, p.agreedAt), s.height+1)); err != nil {
					return fmt.Errorf("proposal %d: %w", p.id, err)
				}
			}
			return nil
		}},
	{Name: "votes-of-members",
		Doc: "who votes is in the council, and a proposal waits for its delay where the votes are enough only",
		state: func(s *State) error {
			for _, p := range s.proposals {
				if p.votes>>len(s.council) != 0 {
					return fmt.Errorf("proposal %d: votes %b of %d members", p.id, p.votes, len(s.council))
				}
				if enough := bits.OnesCount16(p.votes) >= int(s.threshold); enough != (p.agreedAt > 0) {
					return fmt.Errorf("proposal %d: votes %b, agreed at %d", p.id, p.votes, p.agreedAt)
				}
			}
			return nil
		}},
	{Name: "steps-remembered",
		Doc: "each parameter that was changed is remembered once, with an epoch of the past",
		state: func(s *State) error {
			for i, p := range s.steps {
				if _, ok := findGovernable(p.name); !ok ||
					slices.ContainsFunc(s.steps[:i], func(q paramStep) bool { return q.name == p.name }) {
					return fmt.Errorf("%q: %w", p.name, errOrder)
				}
				if err := atMost("epoch of a step", p.epoch, s.epochs); err != nil {
					return err
				}
			}
			return nil
		}},
	{Name: "rules-known",
		Doc: "the state is stored by rules that are known, and those of the next block are the same or newer",
		state: func(s *State) error {
			if s.params.Hard.VoteDelayBlocks == 0 {
				return is("version of the rules", uint64(max(s.rules, s.stored)), 0)
			}
			return cmp.Or(within("version of the stored state", uint64(s.stored), 1, uint64(len(rulesets))),
				atMost("version of the stored state", uint64(s.stored), uint64(s.rules)))
		}},
	{Name: "plan-ahead",
		Doc: "an upgrade is planned for a block to come, to newer rules",
		state: func(s *State) error {
			if s.plan == (Upgrade{}) {
				return nil
			}
			if s.plan.Rules <= s.rules || s.plan.Height <= s.height+1 {
				return fmt.Errorf("version %d at block %d, present are %d and %d", s.plan.Rules, s.plan.Height, s.rules,
					s.height)
			}
			return nil
		}},
}
