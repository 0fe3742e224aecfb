package chain

import "fmt"

// Msg is what a transaction asks for: a value of one of the types in the table below.
type Msg interface{ kind() msgKind }

// msgKind is the number of a type of messages within a transaction.
type msgKind uint8

// message is what the ledger knows about one type of message.
type message struct {
	zero   Msg
	signer signerKey
	write  func(*coder, Msg)
	read   func(*coder) Msg
	apply  func(s *State, signer Key, m Msg) error
	work   func(*State, Msg) uint64 // besides its bytes and its signature
}

// signerKey says whose key signs messages of a type.
type signerKey uint8

const (
	coldkeySigns signerKey = iota // and pays
	hotkeySigns                   // and its owner pays
)

// messages has a line for each type of message: its signer, its effect and its work. The type itself has
// its number (kind), the order of its fields (layout) and, where the layout cannot hold every value, its
// bounds (fits).
var messages = [256]*message{}

func init() {
	for _, m := range []*message{
		row(coldkeySigns, (*State).register, joining[Register]),
		row(hotkeySigns, (*State).registerWork, joining[RegisterWork]),
		row(coldkeySigns, (*State).addStake, func(s *State, m AddStake) uint64 { return 4 + s.nominationWork(m.Hotkey) }),
		row(coldkeySigns, (*State).removeStake, func(s *State, m RemoveStake) uint64 { return 4 + s.nominationWork(m.Hotkey) }),
		row(coldkeySigns, (*State).delegate, units[Delegate](2)),
		row(coldkeySigns, (*State).transfer, (*State).transferWork),
		row(coldkeySigns, (*State).burnFree, units[Burn](10)),
		row(coldkeySigns, (*State).recycleFree, units[Recycle](10)),
		row(hotkeySigns, (*State).applyWeights, func(_ *State, m SetWeights) uint64 { return uint64(len(m.UIDs)) / 15 }),
		row(hotkeySigns, (*State).commitWeights, units[CommitWeights](2)),
		row(hotkeySigns, (*State).revealWeights, func(_ *State, m RevealWeights) uint64 { return uint64(len(m.UIDs)) / 15 }),
		row(hotkeySigns, (*State).serveAxon, units[ServeAxon](2)),
		row(hotkeySigns, (*State).serveConsensus, amongOperators[ServeConsensus](40)),
		row(coldkeySigns, (*State).setParams, units[SetParams](10)),
		row(hotkeySigns, (*State).resetBonds, units[ResetBonds](5)),
		row(coldkeySigns, (*State).propose, units[Propose](10)),
		row(coldkeySigns, (*State).approve, units[Approve](10)),
		row(coldkeySigns, (*State).unjail, amongOperators[Unjail](5)),
		row(coldkeySigns, (*State).claim, units[Claim](55)), // a second signature, and perhaps a new account
		row(hotkeySigns, (*State).proveConsensus, amongOperators[ProveConsensus](40)),
		row(coldkeySigns, (*State).swapHotkey, (*State).swapWork),
	} {
		if other := messages[m.zero.kind()]; other != nil {
			panic(fmt.Sprintf("chain: %T and %T have the same number", other.zero, m.zero))
		}
		messages[m.zero.kind()] = m
	}
}

// row makes a line of the table.
func row[M Msg, P interface {
	*M
	layout(*coder)
}](by signerKey, apply func(*State, Key, M) error, work func(*State, M) uint64) *message {
	var zero M
	return &message{
		zero:   zero,
		signer: by,
		write:  func(c *coder, m Msg) { v := value[M](m); P(&v).layout(c) },
		read:   func(c *coder) Msg { var v M; P(&v).layout(c); return v },
		apply:  func(s *State, signer Key, m Msg) error { return apply(s, signer, value[M](m)) },
		work:   func(s *State, m Msg) uint64 { return work(s, value[M](m)) },
	}
}

// value is a message given by value or by pointer.
func value[M Msg](m Msg) M {
	if v, ok := m.(M); ok {
		return v
	}
	return *any(m).(*M)
}

// units is the work of a type whose messages all take the same.
func units[M Msg](n uint64) func(*State, M) uint64 { return func(*State, M) uint64 { return n } }

// amongOperators is the work of a message that changes an operator: all operators are hashed together.
func amongOperators[M Msg](n uint64) func(*State, M) uint64 {
	return func(s *State, _ M) uint64 { return n + uint64(len(s.operators))/8 }
}

// Messages are empty messages of all types, in the order of their numbers.
func Messages() (all []Msg) {
	for _, m := range messages {
		if m != nil {
			all = append(all, m.zero)
		}
	}
	return all
}

// appendMsg writes the fields of a message.
func appendMsg(c *coder, m Msg) { messages[m.kind()].write(c, m) }

// readMsg reads the fields of a message of kind k.
func readMsg(c *coder, k msgKind) Msg {
	if m := messages[k]; m != nil {
		return m.read(c)
	}
	if c.err == nil {
		c.err = fmt.Errorf("has message kind %d, which is unknown", k)
	}
	return nil
}

// fits checks the bounds that a layout cannot express.
func fits(m Msg) error {
	if bounded, ok := m.(interface{ fits() error }); ok {
		return bounded.fits()
	}
	return nil
}
