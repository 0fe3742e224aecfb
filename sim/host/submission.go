package host

import (
	"cmp"
	"fmt"
	"slices"

	"taolab/sim/trace"
)

// submissions are the transactions whose fate a node does not know yet, by ascending id.
type submissions struct{ list []submission }

// submission is one of them; height 0 and not rejected: nothing is decided.
type submission struct {
	id       SubmitID
	expiry   uint64 // last height at which a block may include it
	height   uint64 // of the block that decided
	rejected bool
	reason   string
}

// add appends a submission; id is larger than all before.
func (s *submissions) add(id SubmitID) *submission {
	s.list = append(s.list, submission{id: id})
	return &s.list[len(s.list)-1]
}

func (s *submissions) find(id SubmitID) (int, bool) {
	return slices.BinarySearchFunc(s.list, id, func(x submission, id SubmitID) int { return cmp.Compare(x.id, id) })
}

// decided reports whether the node is only waiting to see the block that decided.
func (s *submission) decided() bool { return s.rejected || s.height > 0 }

func (s *submission) reject(height uint64, reason string) {
	s.height, s.rejected, s.reason = height, true, reason
}

// decide keeps what a block made of the transaction.
func (s *submission) decide(height uint64, r Receipt) {
	s.height, s.rejected, s.reason = height, r.Fate == trace.Rejected, r.Reason
}

// allDecided reports whether all but the newest are decided.
func (s *submissions) allDecided() bool {
	return !slices.ContainsFunc(s.list[:len(s.list)-1], func(x submission) bool { return !x.decided() })
}

// submission is an open one of a node; nil where there is none. Valid until the next change.
func (l *Ledger) submission(node int32, id SubmitID) *submission {
	if node < 0 || int(node) >= len(l.open) {
		return nil
	}
	open := &l.open[node]
	if i, ok := open.find(id); ok {
		return &open.list[i]
	}
	return nil
}

// Undecided reports whether no block has decided about a node's open transaction yet.
func (l *Ledger) Undecided(node int32, id SubmitID) bool {
	s := l.submission(node, id)
	return s != nil && !s.decided()
}

// Expiry is the last height at which a block may include a node's open transaction.
func (l *Ledger) Expiry(node int32, id SubmitID) uint64 { return l.submission(node, id).expiry }

// Untold reports whether a node has yet to be told of its transaction's fate.
func (l *Ledger) Untold(node int32, id SubmitID) bool { return l.submission(node, id) != nil }

// Tell closes a submission and returns the event for its agent: Included or Rejected, or Expired
// where nothing was decided.
func (l *Ledger) Tell(node int32, id SubmitID) Event {
	s := l.submission(node, id)
	if s == nil {
		panic(fmt.Sprintf("host: node %d has no open transaction %d", node, id))
	}
	told := *s
	open := &l.open[node]
	i, _ := open.find(id)
	open.list = slices.Delete(open.list, i, i+1)
	switch {
	case told.rejected:
		return Rejected{ID: id, Height: told.height, Reason: told.reason}
	case told.height > 0:
		return Included{ID: id, Height: told.height}
	}
	return Expired{ID: id}
}

// Forget closes all submissions of a node, as a crash does, and says how many there were.
func (l *Ledger) Forget(node int32) int {
	n := len(l.open[node].list)
	l.open[node].list = nil
	return n
}

// transactionOf names a transaction in errors.
func (l *Ledger) transactionOf(node int32) string {
	if node < 0 {
		return "a transaction of nobody here"
	}
	return fmt.Sprintf("a transaction of node %d", node)
}
