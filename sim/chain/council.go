package chain

import (
	"math/bits"
	"slices"
)

// A council governs a ledger of strangers: so many of its members as the threshold says agree, a delay
// passes in which everybody sees what comes, and it is in force after the end of an epoch, so that no
// epoch sees two sets of parameters. Numbers move in steps, and the constitution stands above.

// governing is what the ledger keeps of its government, where Hard.VoteDelayBlocks is set.
type governing struct {
	rules        uint32 // version in force in the next block
	stored       uint32 // version by which the state is stored; another only between two blocks
	plan         Upgrade
	council      []Key
	threshold    uint8
	nextProposal uint64
	proposals    []proposal // ascending by number
	steps        []paramStep
}

// proposal is something that the council may agree on.
type proposal struct {
	id       uint64
	by       uint8  // place of its proposer in the council
	opened   uint64 // block
	votes    uint16 // a bit for each member
	agreedAt uint64 // block in which the votes were enough; 0: they are not
	content  Propose
}

// paramStep is the epoch in which a parameter was last changed.
type paramStep struct {
	name  string
	epoch uint64
}

const (
	maxCouncil     = 15
	maxChanges     = 8      // of a proposal
	proposalBlocks = 50_400 // that a proposal is open
	proposalBytes  = 8 + 1 + 8 + 2 + 8 + proposeBytes
	proposeBytes   = 4 + 4 + 8 + 4 + 1
)

func (g *governing) layout(c *coder) {
	c.u32(&g.rules)
	c.u32(&g.stored)
	c.u32(&g.plan.Rules)
	c.u64(&g.plan.Height)
	list(c, &g.council, len(Key{}), func(k *Key) { c.bytes(k[:]) })
	c.u8(&g.threshold)
	c.u64(&g.nextProposal)
	list(c, &g.proposals, proposalBytes, func(p *proposal) {
		c.u64(&p.id)
		c.u8(&p.by)
		c.u64(&p.opened)
		c.u16(&p.votes)
		c.u64(&p.agreedAt)
		p.content.layout(c)
	})
	list(c, &g.steps, 1+8, func(p *paramStep) {
		text(c, &p.name)
		c.u64(&p.epoch)
	})
}

// member returns the place of a key in the council.
func (g *governing) member(k Key) (place int, err error) {
	if place = slices.Index(g.council, k); place < 0 {
		return 0, refuse(NotCouncillor, 0, 0)
	}
	return place, nil
}

// propose opens a proposal for which its proposer votes. A member has one open at most, so that one
// stolen key does not keep the others from theirs.
func (s *State) propose(signer Key, m Propose) error {
	place, err := s.member(signer)
	if err != nil {
		return err
	}
	for _, p := range s.proposals {
		if int(p.by) == place {
			return refuse(ProposalOpen, p.id, 0)
		}
	}
	if err := s.Fork().enact(m); err != nil {
		return err
	}
	p := proposal{id: s.nextProposal, by: uint8(place), opened: s.height + 1, content: m}
	s.nextProposal++
	s.proposals = append(slices.Clip(s.proposals), p)
	s.vote(len(s.proposals)-1, place, true)
	return nil
}

// approve votes for a proposal, or takes the vote back for as long as it is not in force.
func (s *State) approve(signer Key, m Approve) error {
	place, err := s.member(signer)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.proposals, func(p proposal) bool { return p.id == m.ID })
	if i < 0 {
		return refuse(UnknownProposal, m.ID, s.nextProposal)
	}
	if voted := s.proposals[i].votes>>place&1 == 1; voted != m.Withdraw {
		return refuse(VotedAlready, m.ID, 0)
	}
	s.vote(i, place, !m.Withdraw)
	return nil
}

// vote sets or deletes a vote. The delay begins when the votes are enough, and ends if they are not
// any more.
func (s *State) vote(i, place int, yes bool) {
	s.proposals = slices.Clone(s.proposals)
	p := &s.proposals[i]
	p.votes &^= 1 << place
	if yes {
		p.votes |= 1 << place
	}
	switch enough := bits.OnesCount16(p.votes) >= int(s.threshold); {
	case !enough:
		p.agreedAt = 0
	case p.agreedAt == 0:
		p.agreedAt = s.height + 1
	}
}

// delay is how long what is agreed on waits.
func (s *State) delay(m *Propose) uint64 {
	money := func(c ParamChange) bool {
		_, is := moneyParams[c.Name]
		return is
	}
	if len(m.Changes) > 0 && !slices.ContainsFunc(m.Changes, money) {
		return s.params.Hard.VoteDelayBlocks
	}
	return max(s.params.Hard.MoneyDelayBlocks, s.params.Hard.VoteDelayBlocks)
}

// govern puts in force at an epoch's end what waited long enough, and drops what nobody agrees on or
// what became impossible.
func (s *State) govern() (events []Event) {
	if s.params.Hard.VoteDelayBlocks == 0 {
		return nil
	}
	for _, p := range s.proposals {
		fate := Decided{Block: s.height, ID: p.id}
		switch {
		case p.agreedAt == 0 && p.opened+proposalBlocks <= s.height:
			fate.Reason = "expired"
		case p.agreedAt == 0 || p.agreedAt+s.delay(&p.content) > s.height || s.tooSoon(&p.content):
			continue
		default:
			if trial := s.Fork(); trial.enact(p.content) != nil {
				fate.Reason = "impossible"
			} else if err := s.enact(p.content); err == nil {
				fate.InForce = true
			}
		}
		events = append(events, fate)
		s.proposals = slices.DeleteFunc(slices.Clone(s.proposals), func(q proposal) bool { return q.id == p.id })
		if fate.InForce && len(p.content.Members) > 0 {
			s.proposals = nil // votes are places in the council that was
		}
		if len(s.proposals) == 0 {
			s.proposals = nil
			break
		}
	}
	return events
}

// tooSoon reports whether a parameter changed in the epochs before.
func (s *State) tooSoon(m *Propose) bool {
	return slices.ContainsFunc(s.steps, func(p paramStep) bool {
		return s.epochs < p.epoch+uint64(s.params.Hard.ParamEpochs) &&
			slices.ContainsFunc(m.Changes, func(c ParamChange) bool { return c.Name == p.name })
	})
}

// enact does what a proposal says, or says why that is impossible, and may then leave a part of it done.
func (s *State) enact(m Propose) error {
	kinds := 0
	for _, is := range []bool{len(m.Changes) > 0, m.Upgrade != Upgrade{}, len(m.Members) > 0} {
		if is {
			kinds++
		}
	}
	switch {
	case kinds != 1 || m.Threshold != 0 && len(m.Members) == 0:
		return refuse(ProposalMixed, uint64(kinds), 1)
	case len(m.Members) > 0:
		if err := checkCouncil(m.Members, m.Threshold); err != nil {
			return err
		}
		s.council, s.threshold = slices.Clone(m.Members), m.Threshold
	case m.Upgrade != Upgrade{}:
		if err := s.mayUpgrade(m.Upgrade); err != nil {
			return err
		}
		s.plan = m.Upgrade
	}
	for _, c := range m.Changes {
		if err := s.step(c); err != nil {
			return err
		}
	}
	return nil
}

func checkCouncil(members []Key, threshold uint8) error {
	n := len(members)
	if n > maxCouncil || 2*int(threshold) <= n || int(threshold) > n {
		return refuse(CouncilImpossible, uint64(threshold), uint64(n))
	}
	for i, k := range members {
		if k == (Key{}) || k.weak() || slices.Contains(members[:i], k) {
			return refuse(CouncilImpossible, uint64(threshold), uint64(n))
		}
	}
	return nil
}

// step changes a parameter as far as one step and the constitution let it.
func (s *State) step(c ParamChange) error {
	before := s.params
	g, ok := findGovernable(c.Name)
	if _, fixed := fixedParams[c.Name]; !ok || fixed {
		return refuse(UnknownParameter, 0, 0)
	}
	have := g.value(&before)
	lo, hi := min(have-have/4, have-min(have, 1)), max(have+have/3, have+1)
	if hi < have {
		hi = maxU64
	}
	switch {
	case c.Value < lo:
		return refuse(ParameterTooLow, c.Value, lo)
	case c.Value > hi:
		return refuse(ParameterTooHigh, c.Value, hi)
	}
	if err := s.setParam(g, c.Value); err != nil {
		return err
	}
	for i, a := range constitution {
		if !a.kept(&before, &s.params, s.money.Staked) {
			return refuse(Unconstitutional, uint64(i+1), uint64(len(constitution)))
		}
	}
	s.steps = slices.DeleteFunc(slices.Clone(s.steps), func(p paramStep) bool { return p.name == c.Name })
	s.steps = append(s.steps, paramStep{c.Name, s.epochs})
	return nil
}

// Council returns the keys that govern, and how many of them have to agree.
func (v View) Council() (members []Key, threshold int) {
	return slices.Clone(v.header.governing.council), int(v.header.governing.threshold)
}

// Proposal is something that the council may agree on.
type Proposal struct {
	ID       uint64
	Content  Propose
	Votes    int
	InForce  uint64 // the first epoch's end from this block on; 0: the votes are not enough
	ExpireAt uint64 // block
}

// Proposals lists those that are open.
func (v View) Proposals() []Proposal {
	s := State{header: header{params: *v.params}}
	return converted(v.header.governing.proposals, func(p proposal) Proposal {
		open := Proposal{p.id, p.content, bits.OnesCount16(p.votes), 0, p.opened + proposalBlocks}
		if p.agreedAt > 0 {
			open.InForce = p.agreedAt + s.delay(&p.content)
		}
		return open
	})
}
