package chain

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
)

// MaxTxBytes bounds an encoded transaction.
const MaxTxBytes = 6*maxWeights + 256

// usualTxBytes is room for a transaction without weights.
const usualTxBytes = 256

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

// Sign makes a signed transaction that only the chain with this id accepts.
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

// Verify reports whether the signature is the signer's, for the chain with this id. It never is that of
// a key of small order, for which anybody could sign.
func (tx Tx) Verify(chainID string) bool {
	return tx.VerifyBy(chainID, func(k Key, message, signature []byte) bool { return ed25519.Verify(k[:], message, signature) })
}

// VerifyBy is Verify by another implementation, which has to accept what crypto/ed25519 accepts and nothing else.
func (tx Tx) VerifyBy(chainID string, verify func(signer Key, message, signature []byte) bool) bool {
	return tx.Msg != nil && !tx.Signer.weak() && verify(tx.Signer, tx.signed(chainID), tx.Signature[:])
}

// signed returns the bytes that are signed: a domain, the chain's id and the transaction without
// its signature.
func (tx Tx) signed(chainID string) []byte {
	c := coder{buf: append(make([]byte, 0, usualTxBytes), "taolab transaction\x00"...)}
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
	appendMsg(c, tx.Msg)
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
	c := coder{buf: make([]byte, 0, usualTxBytes)}
	tx.body(&c)
	return len(c.buf) + len(tx.Signature)
}

// AppendBinary appends the canonical bytes of tx.
func (tx Tx) AppendBinary(b []byte) ([]byte, error) {
	if tx.Msg == nil {
		return b, fmt.Errorf("transaction without a message")
	}
	if err := fits(tx.Msg); err != nil {
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
