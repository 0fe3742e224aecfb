package chain

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
)

// MaxTxBytes bounds an encoded transaction.
const MaxTxBytes = 4*maxWeights + 256

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
)

// The messages. Their bytes are their fields in order.
type (
	// Register burns the current price from the signing coldkey and gives Hotkey a uid. A hotkey
	// that nobody owns yet becomes the signer's.
	Register struct {
		Hotkey   Key
		LimitRao uint64 // refused when the price is higher; 0: any price
	}
	// AddStake moves money of the signing coldkey onto a hotkey that it owns, with or without a
	// uid. A hotkey that nobody owns yet becomes the signer's.
	AddStake struct {
		Hotkey    Key
		AmountRao uint64
	}
	// RemoveStake moves stake of a hotkey back to the signing coldkey that owns it.
	RemoveStake struct {
		Hotkey    Key
		AmountRao uint64
	}
	// Transfer moves money from the signing coldkey to another.
	Transfer struct {
		To        Key
		AmountRao uint64
	}
	// SetWeights replaces the weights of the signing hotkey: Values[i] on UIDs[i], in any scale.
	SetWeights struct {
		Version uint64
		UIDs    []uint16
		Values  []uint16
	}
	// ServeAxon publishes the key that the signing hotkey's server is known by on the wire.
	ServeAxon struct {
		Axon Key
	}
)

func (Register) kind() msgKind    { return kindRegister }
func (AddStake) kind() msgKind    { return kindAddStake }
func (RemoveStake) kind() msgKind { return kindRemoveStake }
func (Transfer) kind() msgKind    { return kindTransfer }
func (SetWeights) kind() msgKind  { return kindSetWeights }
func (ServeAxon) kind() msgKind   { return kindServeAxon }

func (m Register) appendTo(c *coder)    { m.layout(c) }
func (m AddStake) appendTo(c *coder)    { m.layout(c) }
func (m RemoveStake) appendTo(c *coder) { m.layout(c) }
func (m Transfer) appendTo(c *coder)    { m.layout(c) }
func (m SetWeights) appendTo(c *coder)  { m.layout(c) }
func (m ServeAxon) appendTo(c *coder)   { m.layout(c) }

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
	list(c, &m.Values, 2, c.u16)
}

func (m *ServeAxon) layout(c *coder) { c.bytes(m.Axon[:]) }

// readMsg reads the fields of a message of kind k.
func readMsg(c *coder, k msgKind) (msg Msg) {
	switch k {
	case kindRegister:
		var m Register
		m.layout(c)
		return m
	case kindAddStake:
		var m AddStake
		m.layout(c)
		return m
	case kindRemoveStake:
		var m RemoveStake
		m.layout(c)
		return m
	case kindTransfer:
		var m Transfer
		m.layout(c)
		return m
	case kindSetWeights:
		var m SetWeights
		m.layout(c)
		return m
	case kindServeAxon:
		var m ServeAxon
		m.layout(c)
		return m
	}
	if c.err == nil {
		c.err = fmt.Errorf("has message kind %d, which is unknown", k)
	}
	return nil
}

// Tx is a signed transaction. Its bytes are: version 1 (one byte), kind of message (one byte),
// signer, nonce, expiry, the message's fields, signature.
type Tx struct {
	Signer    Key
	Nonce     uint64 // at least State.Nonce(Signer); gaps are allowed
	Expiry    uint64 // the last height of a block that may include it
	Msg       Msg
	Signature [64]byte
}

const txVersion = 1

// Sign makes a transaction that only the chain with this id accepts.
func Sign(chainID string, k ed25519.PrivateKey, nonce, expiry uint64, m Msg) Tx {
	tx := Tx{Nonce: nonce, Expiry: expiry, Msg: m}
	copy(tx.Signer[:], k.Public().(ed25519.PublicKey))
	copy(tx.Signature[:], ed25519.Sign(k, tx.signed(chainID)))
	return tx
}

// Verify says whether the signature is the signer's, for the chain with this id.
func (tx Tx) Verify(chainID string) bool {
	return tx.Msg != nil && tx.Signer != Key{} &&
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
	c.u8(&version)
	c.u8(&kind)
	c.bytes(tx.Signer[:])
	c.u64(&tx.Nonce)
	c.u64(&tx.Expiry)
	tx.Msg.appendTo(c)
}

// AppendBinary appends the canonical bytes of tx.
func (tx Tx) AppendBinary(b []byte) ([]byte, error) {
	if tx.Msg == nil {
		return b, fmt.Errorf("transaction without a message")
	}
	if m, ok := tx.Msg.(SetWeights); ok && max(len(m.UIDs), len(m.Values)) > maxWeights {
		return b, fmt.Errorf("transaction: %d weights, at most %d are possible",
			max(len(m.UIDs), len(m.Values)), maxWeights)
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
	if c.err == nil && version != txVersion {
		c.err = fmt.Errorf("has version %d, want %d", version, txVersion)
	}
	c.bytes(tx.Signer[:])
	c.u64(&tx.Nonce)
	c.u64(&tx.Expiry)
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
