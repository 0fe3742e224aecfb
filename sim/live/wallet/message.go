package wallet

import (
	"crypto/ed25519"
	"crypto/sha256"

	"taolab/sim/chain"
)

// messagePurpose stands before every message that people sign, so that none passes for a transaction.
const messagePurpose = "taolab message\x00"

// SignMessage signs a text apart from any transaction, to show who holds a key.
func SignMessage(private ed25519.PrivateKey, message []byte) [64]byte {
	return [64]byte(ed25519.Sign(private, append([]byte(messagePurpose), message...)))
}

// VerifyMessage reports whether the holder of a key signed a message.
func VerifyMessage(key chain.Key, message []byte, signature [64]byte) bool {
	return ed25519.Verify(key[:], append([]byte(messagePurpose), message...), signature[:])
}

// Known is a key that everybody has, by name: for networks on one machine, on which nothing has a value.
func Known(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("taolab known key\x00" + name))
	return ed25519.NewKeyFromSeed(seed[:])
}
