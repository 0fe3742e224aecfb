package chain

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
)

// MaxTxBytes bounds an encoded transaction.
const MaxTxBytes = 6*maxWeights + 256

// maxWeights bounds the entries of a weight vector, and with it the size of a network.
const maxWeights = 16384

// Msg is what a transaction asks for: one of the types below.
type Msg interface {
	kind() msgKind
	appendTo(*coder)
}

type msgKind uint8

const (
	kindRegister msgKind = iota + 1
	kindAddStake
	kindRemoveStake
	kindTransfer
	kindSetWeights
	kindServeAxon
	kindRegisterWork
	kindDelegate
	kindServeConsensus
	kindCommitWeights
	kindRevealWeights
	kindSetParams
	kindBurn
	kindRecycle
	kindResetBonds
)

const (
	kindClaim msgKind = iota + 16
	kindProveConsensus
	kindSwapHotkey
)

const (
	kindPropose msgKind = iota + 20
	kindApprove
	kindUnjail
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
	// RemoveStake moves stake of a hotkey back to the signing coldkey that put it there.
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
	// Unjail lets a hotkey of the signing coldkey have a seat again that lost it by being away.
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

func (Register) kind() msgKind       { return kindRegister }
func (AddStake) kind() msgKind       { return kindAddStake }
func (RemoveStake) kind() msgKind    { return kindRemoveStake }
func (Transfer) kind() msgKind       { return kindTransfer }
func (SetWeights) kind() msgKind     { return kindSetWeights }
func (ServeAxon) kind() msgKind      { return kindServeAxon }
func (RegisterWork) kind() msgKind   { return kindRegisterWork }
func (Delegate) kind() msgKind       { return kindDelegate }
func (ServeConsensus) kind() msgKind { return kindServeConsensus }
func (CommitWeights) kind() msgKind  { return kindCommitWeights }
func (RevealWeights) kind() msgKind  { return kindRevealWeights }
func (SetParams) kind() msgKind      { return kindSetParams }
func (Burn) kind() msgKind           { return kindBurn }
func (Recycle) kind() msgKind        { return kindRecycle }
func (ResetBonds) kind() msgKind     { return kindResetBonds }
func (Unjail) kind() msgKind         { return kindUnjail }
func (Propose) kind() msgKind        { return kindPropose }
func (Approve) kind() msgKind        { return kindApprove }

func (m Register) appendTo(c *coder)       { m.layout(c) }
func (m AddStake) appendTo(c *coder)       { m.layout(c) }
func (m RemoveStake) appendTo(c *coder)    { m.layout(c) }
func (m Transfer) appendTo(c *coder)       { m.layout(c) }
func (m SetWeights) appendTo(c *coder)     { m.layout(c) }
func (m ServeAxon) appendTo(c *coder)      { m.layout(c) }
func (m RegisterWork) appendTo(c *coder)   { m.layout(c) }
func (m Delegate) appendTo(c *coder)       { m.layout(c) }
func (m ServeConsensus) appendTo(c *coder) { m.layout(c) }
func (m CommitWeights) appendTo(c *coder)  { m.layout(c) }
func (m RevealWeights) appendTo(c *coder)  { m.layout(c) }
func (m SetParams) appendTo(c *coder)      { m.layout(c) }
func (m Burn) appendTo(c *coder)           { m.layout(c) }
func (m Recycle) appendTo(c *coder)        { m.layout(c) }
func (m ResetBonds) appendTo(c *coder)     { m.layout(c) }
func (m Unjail) appendTo(c *coder)         { m.layout(c) }
func (m Propose) appendTo(c *coder)        { m.layout(c) }
func (m Approve) appendTo(c *coder)        { m.layout(c) }

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

// readMsg reads the fields of a message of kind k.
func readMsg(c *coder, k msgKind) (msg Msg) {
	switch k {
	case kindRegister:
		return read[Register](c)
	case kindAddStake:
		return read[AddStake](c)
	case kindRemoveStake:
		return read[RemoveStake](c)
	case kindTransfer:
		return read[Transfer](c)
	case kindSetWeights:
		return read[SetWeights](c)
	case kindServeAxon:
		return read[ServeAxon](c)
	case kindRegisterWork:
		return read[RegisterWork](c)
	case kindDelegate:
		return read[Delegate](c)
	case kindServeConsensus:
		return read[ServeConsensus](c)
	case kindCommitWeights:
		return read[CommitWeights](c)
	case kindRevealWeights:
		return read[RevealWeights](c)
	case kindSetParams:
		return read[SetParams](c)
	case kindBurn:
		return read[Burn](c)
	case kindRecycle:
		return read[Recycle](c)
	case kindResetBonds:
		return read[ResetBonds](c)
	case kindPropose:
		return read[Propose](c)
	case kindApprove:
		return read[Approve](c)
	case kindUnjail:
		return read[Unjail](c)
	case kindClaim:
		return read[Claim](c)
	case kindProveConsensus:
		return read[ProveConsensus](c)
	case kindSwapHotkey:
		return read[SwapHotkey](c)
	}
	if c.err == nil {
		c.err = fmt.Errorf("has message kind %d, which is unknown", k)
	}
	return nil
}

func read[M Msg, P interface {
	*M
	layout(*coder)
}](c *coder) Msg {
	var m M
	P(&m).layout(c)
	return m
}

// size checks what the layout cannot hold.
func size(msg Msg) error {
	entries := 0
	switch m := msg.(type) {
	case SetWeights:
		entries = max(len(m.UIDs), len(m.Values))
	case RevealWeights:
		entries = max(len(m.UIDs), len(m.Values))
	case Propose:
		if len(m.Changes) > maxChanges || len(m.Members) > maxCouncil || slices.ContainsFunc(m.Changes,
			func(c ParamChange) bool { return len(c.Name) > maxParameterName }) {
			return fmt.Errorf("transaction: %d changes and %d members, at most %d and %d are possible, names of at most %d "+
				"bytes", len(m.Changes), len(m.Members), maxChanges, maxCouncil, maxParameterName)
		}
	case SetParams:
		if len(m.Name) > maxParameterName {
			return fmt.Errorf("transaction: name of %d bytes, at most %d are possible", len(m.Name),
				maxParameterName)
		}
	}
	if entries > maxWeights {
		return fmt.Errorf("transaction: %d weights, at most %d are possible", entries, maxWeights)
	}
	return nil
}

const maxParameterName = 64

// Tx is a signed transaction. Its bytes are: version 1, or 2 if it is priced (one byte), kind of message
// (one byte), signer, nonce, expiry, if it is priced MaxFeeRao and TipRao, the message's fields, signature.
type Tx struct {
	Signer    Key
	Nonce     uint64 // at least State.Nonce(Signer); gaps are allowed
	Expiry    uint64 // the last height of a block that may include it
	Msg       Msg
	Priced    bool   // says what it may cost, as networks with fees want it
	MaxFeeRao uint64 // that it may cost in all
	TipRao    uint64 // on top of the price of its work
	Signature [64]byte
}

const (
	txVersion     = 1
	pricedVersion = 2
)

// SignatureBytes is what a signature takes at the end of a transaction.
const SignatureBytes = 64

// SignedBy returns the transaction with the signature of its signer for the chain with this id.
func (tx Tx) SignedBy(k ed25519.PrivateKey, chainID string) Tx {
	copy(tx.Signature[:], ed25519.Sign(k, tx.signed(chainID)))
	return tx
}

// Sign makes a transaction that only the chain with this id accepts.
func Sign(chainID string, k ed25519.PrivateKey, nonce, expiry uint64, m Msg) Tx {
	tx := Tx{Nonce: nonce, Expiry: expiry, Msg: m}
	copy(tx.Signer[:], k.Public().(ed25519.PublicKey))
	return tx.SignedBy(k, chainID)
}

// SignPriced makes a transaction that says what it may cost, for a chain with fees.
func SignPriced(chainID string, k ed25519.PrivateKey, nonce, expiry, maxFeeRao, tipRao uint64, m Msg) Tx {
	tx := Tx{Nonce: nonce, Expiry: expiry, Priced: true, MaxFeeRao: maxFeeRao, TipRao: tipRao, Msg: m}
	copy(tx.Signer[:], k.Public().(ed25519.PublicKey))
	return tx.SignedBy(k, chainID)
}

// Verify says whether the signature is the signer's, for the chain with this id. It never is that of
// a key of small order, for which anybody could sign.
func (tx Tx) Verify(chainID string) bool {
	return tx.Msg != nil && !tx.Signer.weak() &&
		ed25519.Verify(tx.Signer[:], tx.signed(chainID), tx.Signature[:])
}

// signed returns the bytes that are signed: a domain, the chain's id and the transaction without
// its signature.
func (tx Tx) signed(chainID string) []byte {
	c := coder{buf: []byte("taolab transaction\x00")}
	text(&c, &chainID)
	tx.body(&c)
	return c.buf
}

func (tx Tx) body(c *coder) {
	version, kind := uint8(txVersion), uint8(tx.Msg.kind())
	if tx.Priced {
		version = pricedVersion
	}
	c.u8(&version)
	c.u8(&kind)
	tx.head(c)
	tx.Msg.appendTo(c)
}

// head codes what stands before the message.
func (tx *Tx) head(c *coder) {
	c.bytes(tx.Signer[:])
	c.u64(&tx.Nonce)
	c.u64(&tx.Expiry)
	if tx.Priced {
		c.u64(&tx.MaxFeeRao)
		c.u64(&tx.TipRao)
	}
}

// size is the number of its bytes.
func (tx Tx) size() int {
	var c coder
	tx.body(&c)
	return len(c.buf) + len(tx.Signature)
}

// AppendBinary appends the canonical bytes of tx.
func (tx Tx) AppendBinary(b []byte) ([]byte, error) {
	if tx.Msg == nil {
		return b, fmt.Errorf("transaction without a message")
	}
	if err := size(tx.Msg); err != nil {
		return b, err
	}
	c := coder{buf: b}
	tx.body(&c)
	c.bytes(tx.Signature[:])
	return c.buf, nil
}

// DecodeTx reads what AppendBinary writes and nothing else. The signature is not verified.
func DecodeTx(b []byte) (Tx, error) {
	if len(b) > MaxTxBytes {
		return Tx{}, fmt.Errorf("transaction of %d bytes, at most %d are allowed", len(b), MaxTxBytes)
	}
	c := coder{buf: b, reading: true}
	var tx Tx
	var version, kind uint8
	c.u8(&version)
	c.u8(&kind)
	if c.err == nil && version != txVersion && version != pricedVersion {
		c.err = fmt.Errorf("has version %d, want %d or %d", version, txVersion, pricedVersion)
	}
	tx.Priced = version == pricedVersion
	tx.head(&c)
	tx.Msg = readMsg(&c, msgKind(kind))
	c.bytes(tx.Signature[:])
	if err := c.end(); err != nil {
		return Tx{}, fmt.Errorf("transaction of %d bytes %w", len(b), err)
	}
	again, err := tx.AppendBinary(make([]byte, 0, len(b)))
	if err != nil {
		return Tx{}, err
	}
	if !bytes.Equal(again, b) {
		return Tx{}, fmt.Errorf("transaction of %d bytes %w", len(b), errCanonical)
	}
	return tx, nil
}
