package main

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/live/wallet"
)

// A keyring knows keys by the names that people give them, and opens those that sign.
type keyring struct {
	store  wallet.Keystore
	wallet string // of who signs
	ask    *prompter
	opened map[string][]byte // passphrases, by wallet
}

// knownPrefix marks keys that everybody has, of networks on one machine.
const knownPrefix = "known:"

// hotkeyFields are the fields of messages in which a bare name is that of a hotkey of who signs; in others it
// is that of a wallet.
var hotkeyFields = []string{"Hotkey", "Old", "New"}

// key finds a public key: an address, hexadecimal digits, WALLET, WALLET/HOTKEY, or a bare name of either.
func (k *keyring) key(field, text string) (chain.Key, error) {
	if name, is := strings.CutPrefix(text, knownPrefix); is {
		return wallet.Public(wallet.Known(name)), nil
	}
	of, hotkey, both := strings.Cut(text, "/")
	switch {
	case both:
	case wallet.CheckName(text) != nil: // no name, so it must be a key
		return wallet.ParseKey(text)
	case slices.Contains(hotkeyFields, field):
		of, hotkey = k.wallet, text
	}
	w, err := k.store.Wallet(of)
	if err != nil || hotkey == "" {
		return w.Coldkey, err
	}
	h, err := w.Hotkey(hotkey)
	return h.Key, err
}

// signer is the public key that signs: of a hotkey of the wallet, or its coldkey where none is named.
func (k *keyring) signer(hotkey string) (chain.Key, error) {
	if hotkey == "" || strings.HasPrefix(k.wallet, knownPrefix) {
		return k.key("", k.wallet)
	}
	return k.key("Hotkey", hotkey)
}

// private opens the key with a public half, wherever in the keystore it is.
func (k *keyring) private(public chain.Key) (ed25519.PrivateKey, error) {
	if name, is := strings.CutPrefix(k.wallet, knownPrefix); is {
		if private := wallet.Known(name); wallet.Public(private) == public {
			return private, nil
		}
	}
	list, err := k.store.List()
	if err != nil {
		return nil, command.Code(command.Failure, err)
	}
	for _, w := range list {
		place := slices.IndexFunc(w.Hotkeys, func(h wallet.Hotkey) bool { return h.Key == public })
		if place < 0 && w.Coldkey != public {
			continue
		}
		passphrase, err := k.passphrase(w.Name)
		if err != nil {
			return nil, err
		}
		var private ed25519.PrivateKey
		if place < 0 {
			private, err = k.store.Coldkey(w.Name, passphrase)
		} else {
			private, err = k.store.Hotkey(w.Name, w.Hotkeys[place].Name, passphrase)
		}
		return private, command.Code(command.Failure, err)
	}
	return nil, command.Code(command.Failure, fmt.Errorf("no wallet in %s has the key %s; taolabd wallet list shows those that are there",
		k.store.Dir, wallet.Address(public)))
}

// passphrase asks for a wallet's passphrase once.
func (k *keyring) passphrase(of string) ([]byte, error) {
	if known, asked := k.opened[of]; asked {
		return known, nil
	}
	passphrase, err := k.ask.passphrase("wallet " + of)
	if err == nil {
		if k.opened == nil {
			k.opened = map[string][]byte{}
		}
		k.opened[of] = passphrase
	}
	return passphrase, err
}
