package chain

import (
	"fmt"
	"slices"
)

const (
	// maxWeights bounds the entries of a weight vector, and with it the size of a network.
	maxWeights       = 16384
	maxParameterName = 64
)

// The messages. Their bytes are their fields in order.
type (
	// Register burns the current price from the signing coldkey and gives Hotkey a uid. A hotkey
	// that nobody owns yet becomes the signer's.
	Register struct {
		Hotkey   Key
		LimitRao uint64 // refused when the price is higher; 0: any price
	}
	// RegisterWork gives the signing hotkey a uid for a proof of work on the hash of Block. A
	// hotkey that nobody owns yet becomes Coldkey's.
	RegisterWork struct {
		Coldkey Key
		Block   uint64
		Nonce   uint64
		Work    Digest // the seal of Nonce, see Params.Seal
	}
	// AddStake moves money of the signing coldkey onto a hotkey that it owns, with or without a
	// uid, or nominates a delegate. A hotkey becomes somebody's by a registration.
	AddStake struct {
		Hotkey    Key
		AmountRao uint64
	}
	// RemoveStake moves the signing coldkey's stake on a hotkey back to it.
	RemoveStake struct {
		Hotkey    Key
		AmountRao uint64
	}
	// Delegate opens a hotkey of the signing coldkey to nominators, or changes its take.
	Delegate struct {
		Hotkey Key
		Take   uint16 // 1/65535 of the nominators' part of its dividends
	}
	// Transfer moves money from the signing coldkey to another.
	Transfer struct {
		To        Key
		AmountRao uint64
	}
	// Burn destroys free money of the signing coldkey. The issuance stays.
	Burn struct{ AmountRao uint64 }
	// Recycle takes free money of the signing coldkey out of the issuance, to be minted again.
	Recycle struct{ AmountRao uint64 }
	// SetWeights replaces the weights of the signing hotkey: Values[i] on UIDs[i], in any scale.
	SetWeights struct {
		Version uint64
		UIDs    []uint16
		Values  []uint32 // at most 65535 but for nakamoto
	}
	// CommitWeights announces weights of the signing hotkey without showing them.
	CommitWeights struct {
		Commit Digest // see CommitmentOf
	}
	// RevealWeights shows committed weights.
	RevealWeights struct {
		Version uint64
		UIDs    []uint16
		Values  []uint32
		Salt    [32]byte
	}
	// ServeAxon publishes the key and the address of the signing hotkey's server.
	ServeAxon struct {
		Axon Key
		IP   [16]byte // IPv4 mapped into IPv6; all zero: none
		Port uint16
	}
	// ServeConsensus publishes the ed25519 key of the signing hotkey's consensus engine.
	ServeConsensus struct {
		Key Key
	}
	// ResetBonds deletes all bonds in the signing hotkey's neuron.
	ResetBonds struct{}
	// Unjail lets a hotkey of the signing coldkey compete for a seat again after it lost one by downtime.
	Unjail struct{ Hotkey Key }
	// Propose opens a proposal of a member of the council: one of changes, an upgrade or a council.
	Propose struct {
		Changes   []ParamChange // at most 8, all or none
		Upgrade   Upgrade
		Members   []Key // at most 15
		Threshold uint8 // of the members, more than half
	}
	// Approve votes for a proposal as a member of the council, or takes the vote back.
	Approve struct {
		ID       uint64
		Withdraw bool
	}
	// ParamChange is a parameter and its new value, see Governable.
	ParamChange struct {
		Name  string
		Value uint64
	}
	// SetParams sets a parameter, see Governable. The governor signs.
	SetParams struct {
		Name  string // at most 64 bytes
		Value uint64
	}
)

func (Register) kind() msgKind       { return 1 }
func (AddStake) kind() msgKind       { return 2 }
func (RemoveStake) kind() msgKind    { return 3 }
func (Transfer) kind() msgKind       { return 4 }
func (SetWeights) kind() msgKind     { return 5 }
func (ServeAxon) kind() msgKind      { return 6 }
func (RegisterWork) kind() msgKind   { return 7 }
func (Delegate) kind() msgKind       { return 8 }
func (ServeConsensus) kind() msgKind { return 9 }
func (CommitWeights) kind() msgKind  { return 10 }
func (RevealWeights) kind() msgKind  { return 11 }
func (SetParams) kind() msgKind      { return 12 }
func (Burn) kind() msgKind           { return 13 }
func (Recycle) kind() msgKind        { return 14 }
func (ResetBonds) kind() msgKind     { return 15 }
func (Propose) kind() msgKind        { return 20 }
func (Approve) kind() msgKind        { return 21 }
func (Unjail) kind() msgKind         { return 22 }

func (m *Register) layout(c *coder) {
	c.bytes(m.Hotkey[:])
	c.u64(&m.LimitRao)
}

func (m *AddStake) layout(c *coder) {
	c.bytes(m.Hotkey[:])
	c.u64(&m.AmountRao)
}

func (m *RemoveStake) layout(c *coder) {
	c.bytes(m.Hotkey[:])
	c.u64(&m.AmountRao)
}

func (m *Transfer) layout(c *coder) {
	c.bytes(m.To[:])
	c.u64(&m.AmountRao)
}

func (m *SetWeights) layout(c *coder) {
	c.u64(&m.Version)
	list(c, &m.UIDs, 2, c.u16)
	list(c, &m.Values, 4, c.u32)
}

func (m *RevealWeights) layout(c *coder) {
	c.u64(&m.Version)
	list(c, &m.UIDs, 2, c.u16)
	list(c, &m.Values, 4, c.u32)
	c.bytes(m.Salt[:])
}

func (m *ServeAxon) layout(c *coder) {
	c.bytes(m.Axon[:])
	c.bytes(m.IP[:])
	c.u16(&m.Port)
}

func (m *RegisterWork) layout(c *coder) {
	c.bytes(m.Coldkey[:])
	c.u64(&m.Block)
	c.u64(&m.Nonce)
	c.bytes(m.Work[:])
}

func (m *Delegate) layout(c *coder) {
	c.bytes(m.Hotkey[:])
	c.u16(&m.Take)
}

func (m *SetParams) layout(c *coder) {
	text(c, &m.Name)
	c.u64(&m.Value)
}

func (m *Propose) layout(c *coder) {
	list(c, &m.Changes, 1+8, func(p *ParamChange) {
		text(c, &p.Name)
		c.u64(&p.Value)
	})
	c.u32(&m.Upgrade.Rules)
	c.u64(&m.Upgrade.Height)
	list(c, &m.Members, len(Key{}), func(k *Key) { c.bytes(k[:]) })
	c.u8(&m.Threshold)
}

func (m *Approve) layout(c *coder) {
	c.u64(&m.ID)
	c.flag(&m.Withdraw)
}

func (m *ServeConsensus) layout(c *coder) { c.bytes(m.Key[:]) }
func (m *CommitWeights) layout(c *coder)  { c.bytes(m.Commit[:]) }
func (m *Burn) layout(c *coder)           { c.u64(&m.AmountRao) }
func (m *Recycle) layout(c *coder)        { c.u64(&m.AmountRao) }
func (m *ResetBonds) layout(*coder)       {}
func (m *Unjail) layout(c *coder)         { c.bytes(m.Hotkey[:]) }

func (m SetWeights) fits() error    { return fitsWeights(m.UIDs, m.Values) }
func (m RevealWeights) fits() error { return fitsWeights(m.UIDs, m.Values) }

func fitsWeights(uids []uint16, values []uint32) error {
	if n := max(len(uids), len(values)); n > maxWeights {
		return fmt.Errorf("transaction: %d weights, at most %d are possible", n, maxWeights)
	}
	return nil
}

func (m Propose) fits() error {
	if len(m.Changes) > maxChanges || len(m.Members) > maxCouncil || slices.ContainsFunc(m.Changes,
		func(c ParamChange) bool { return len(c.Name) > maxParameterName }) {
		return fmt.Errorf("transaction: %d changes and %d members, at most %d and %d are possible, names of at most %d "+
			"bytes", len(m.Changes), len(m.Members), maxChanges, maxCouncil, maxParameterName)
	}
	return nil
}

func (m SetParams) fits() error {
	if len(m.Name) > maxParameterName {
		return fmt.Errorf("transaction: name of %d bytes, at most %d are possible", len(m.Name),
			maxParameterName)
	}
	return nil
}
