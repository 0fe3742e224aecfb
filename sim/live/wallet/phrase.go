package wallet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tyler-smith/go-bip39"

	"taolab/sim/chain"
)

// Phrase is the words from which all keys of a wallet come, as BIP-39 defines them. Anyone who has them has the
// money.
type Phrase struct{ words string }

const (
	entropyBytes  = 32 // 24 words
	longestPhrase = 24 * 9
)

// NewPhrase draws a phrase of 24 words.
func NewPhrase() (Phrase, error) {
	entropy := make([]byte, entropyBytes)
	if _, err := rand.Read(entropy); err != nil {
		return Phrase{}, fmt.Errorf("recovery phrase: the system gives no random bytes: %w; nothing was written", err)
	}
	words, err := bip39.NewMnemonic(entropy)
	return Phrase{words}, err
}

// ParsePhrase reads a phrase of 12 to 24 words, with any white space between them.
func ParsePhrase(text string) (Phrase, error) {
	words := strings.Fields(strings.ToLower(text))
	if n := len(words); n < 12 || n > 24 || n%3 != 0 || len(text) > 4*longestPhrase {
		return Phrase{}, fmt.Errorf("recovery phrase: %d words; expected 12, 15, 18, 21 or 24", n)
	}
	for i, word := range words {
		if _, known := bip39.GetWordIndex(word); !known { // the word itself is secret
			return Phrase{}, fmt.Errorf("recovery phrase: word %d is not one of the 2048 English words of BIP-39; is it mistyped?", i+1)
		}
	}
	phrase := strings.Join(words, " ")
	if _, err := bip39.EntropyFromMnemonic(phrase); err != nil {
		return Phrase{}, fmt.Errorf("recovery phrase: the words do not belong together; expected those that were printed, in their order")
	}
	return Phrase{phrase}, nil
}

// Words are the phrase as its owner writes it down.
func (p Phrase) Words() string { return p.words }

// String keeps the words out of logs.
func (Phrase) String() string { return "recovery phrase" }

// The path of every key: m/44'/1005' is TAO's place in SLIP-44, then 0' for the coldkey, or 1' and the hotkey's
// number.
const (
	purpose     = 44
	coinType    = 1005
	coldBranch  = 0
	hotBranch   = 1
	maxHotkeys  = 1 << 16
	hardened    = 1 << 31
	masterLabel = "ed25519 seed"
)

// Coldkey is the key that owns the wallet's money.
func (p Phrase) Coldkey() ed25519.PrivateKey { return p.key(coldBranch) }

// Hotkey is the wallet's hotkey of a number.
func (p Phrase) Hotkey(number uint32) ed25519.PrivateKey { return p.key(hotBranch, number) }

func (p Phrase) key(path ...uint32) ed25519.PrivateKey {
	return derive(bip39.NewSeed(p.words, ""), append([]uint32{purpose, coinType}, path...)...)
}

// derive is the ed25519 key at a hardened path below a seed, as SLIP-0010 defines it. No key tells anything
// about those above it or next to it.
func derive(seed []byte, path ...uint32) ed25519.PrivateKey {
	node := keyed([]byte(masterLabel), seed)
	for _, step := range path {
		data := append([]byte{0}, node[:32]...)
		node = keyed(node[32:], binary.BigEndian.AppendUint32(data, step|hardened))
	}
	return ed25519.NewKeyFromSeed(node[:32])
}

func keyed(key, data []byte) []byte {
	h := hmac.New(sha512.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// Public is the public half of a key.
func Public(k ed25519.PrivateKey) chain.Key { return chain.Key(k.Public().(ed25519.PublicKey)) }
