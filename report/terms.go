package report

import (
	"cmp"
	"slices"

	"taolab/sim/trace"
)

// maxTerms bounds how many terms are held one by one; those beyond are counted.
const maxTerms = 4096

// term is the time that one holder had a seat.
type term struct {
	uid         uint16
	node        int // -1: a hotkey of no node
	from, until uint64
	ended       bool
	successor   int
}

// terms are all terms of the run: from the table of seats, or else from the holders that the epochs
// name.
type terms struct {
	findings *findings
	recorded bool             // table seats has them
	open     map[uint16]*term // by uid, where epochs tell
	list     []term
	ended    int
}

func newTerms(f *findings) *terms {
	return &terms{findings: f, open: make(map[uint16]*term)}
}

func (f *findings) addSeat(s trace.Seat) error {
	t := term{uid: s.UID, node: -1, from: s.FromBlock, successor: -1}
	if s.Node != nil && int(*s.Node) < len(f.nodes) {
		t.node = int(*s.Node)
	}
	if s.SuccessorNode != nil && int(*s.SuccessorNode) < len(f.nodes) {
		t.successor = int(*s.SuccessorNode)
	}
	if s.UntilBlock != nil {
		t.until, t.ended = *s.UntilBlock, true
	}
	f.terms.recorded = true
	f.terms.add(t)
	return nil
}

// seated takes the holder of a seat as of an epoch, and the blocks of this epoch and the one before.
func (t *terms) seated(uid uint16, node int, block, before uint64) {
	if t.recorded {
		return
	}
	open := t.open[uid]
	if open != nil && open.node == node {
		return
	}
	next := &term{uid: uid, node: node, successor: -1}
	if open != nil || before > 0 {
		next.from = block
	}
	if open != nil {
		open.until, open.ended, open.successor = block, true, node
		t.add(*open)
	}
	t.open[uid] = next
	t.begin(*next)
}

// add takes a term that is over, or that its table names.
func (t *terms) add(one term) {
	if t.recorded {
		t.begin(one)
	}
	if one.ended {
		t.ended++
		if s := t.times(one.node); s != nil {
			s.until, s.ended = max(s.until, one.until), true
		}
	}
	if len(t.list) < maxTerms {
		t.list = append(t.list, one)
	}
}

// begin notes the beginning of a holder's term.
func (t *terms) begin(one term) {
	s := t.times(one.node)
	if s == nil {
		return
	}
	if !s.known || one.from < s.from {
		s.from = one.from
	}
	if one.from >= s.until {
		s.ended = false
	}
	s.known = true
	s.incumbency++
}

func (t *terms) times(node int) *seatTimes {
	if node < 0 {
		return nil
	}
	if m := t.findings.seat[node].miner; m != nil {
		return &m.seats
	}
	return nil
}

// all lists every term, by uid and beginning, those still held among them.
func (t *terms) all() []term {
	out := slices.Clone(t.list)
	if !t.recorded {
		for _, open := range t.open { // order-free: sorted below
			if len(out) < maxTerms {
				out = append(out, *open)
			}
		}
	}
	slices.SortFunc(out, func(a, b term) int {
		return cmp.Or(cmp.Compare(a.uid, b.uid), cmp.Compare(a.from, b.from))
	})
	return out
}

// strangers is the group of those who are not nodes of the scenario.
const strangers = "hotkeys of no node"

// SeatSummary tells how seats changed hands.
type SeatSummary struct {
	Changes int           `json:"changes"` // terms that ended because somebody else took the seat
	Groups  []SeatChanges `json:"groups"`  // of those who came or went
}

// SeatChanges counts what happened to the members of one group.
type SeatChanges struct {
	Group string `json:"group"`
	Came  int    `json:"came"`  // took a seat after genesis
	Went  int    `json:"went"`  // were pruned
	Holds int    `json:"holds"` // hold a seat at the end
}

func (f *findings) seats() *SeatSummary {
	if !f.terms.recorded && len(f.terms.open) == 0 {
		return nil
	}
	s := &SeatSummary{Changes: f.terms.ended}
	of := func(node int) *SeatChanges {
		name := strangers
		if node >= 0 {
			name = f.nodes[node].group()
		}
		for i := range s.Groups {
			if s.Groups[i].Group == name {
				return &s.Groups[i]
			}
		}
		s.Groups = append(s.Groups, SeatChanges{Group: name})
		return &s.Groups[len(s.Groups)-1]
	}
	for _, t := range f.terms.all() {
		g := of(t.node)
		switch {
		case t.ended:
			g.Went++
		default:
			g.Holds++
		}
		if t.from > 0 {
			g.Came++
		}
	}
	s.Groups = slices.DeleteFunc(s.Groups, func(g SeatChanges) bool { return g.Came == 0 && g.Went == 0 })
	return s
}
