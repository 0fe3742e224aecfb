package chain

import "crypto/ed25519"

// Msg is what a transaction asks for: one of the types below.
type Msg interface {
	kind() msgKind
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

// The messages.
type (
	// Register burns the current price from the signing coldkey and gives Hotkey a uid.
	Register struct {
		Hotkey   Key
		LimitRao uint64 // refused when the price is higher; 0: any price
	}
	// AddStake moves money of the signing coldkey onto a hotkey. A hotkey that nobody owns yet
	// becomes the signer's, with or without a uid.
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

// Tx is a signed transaction.
type Tx struct {
	Signer    Key
	Nonce     uint64 // at least State.Nonce(Signer); gaps are allowed
	Expiry    uint64 // the last height of a block that may include it
	Msg       Msg
	Signature [64]byte
}

// Sign makes a transaction that only the chain with this id accepts.
func Sign(chainID string, k ed25519.PrivateKey, nonce, expiry uint64, m Msg) Tx { return Tx{} }

// AppendBinary appends the canonical bytes of tx.
func (tx Tx) AppendBinary(b []byte) ([]byte, error) { return b, nil }

// DecodeTx reads what AppendBinary writes and nothing else.
func DecodeTx(b []byte) (Tx, error) { return Tx{}, nil }
