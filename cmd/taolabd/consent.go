package main

import (
	"crypto/ed25519"
	"reflect"

	"taolab/sim/chain"
)

// A consent is a second signature within a message, and the fields that it fills.
type consent struct {
	fills []string
	sign  func(c *consenting, m chain.Msg) (chain.Msg, error)
}

// consenting is what those who agree need to know.
type consenting struct {
	chainID   string
	signer    chain.Key
	expiry    uint64
	keys      *keyring
	consensus func() (ed25519.PrivateKey, error) // of the engine of this node
}

// consents has the messages to which another key than the signer agrees.
var consents = map[reflect.Type]consent{
	reflect.TypeFor[chain.Claim](): {[]string{"Expiry", "HotSignature"}, func(c *consenting, m chain.Msg) (chain.Msg, error) {
		hot, err := c.keys.private(m.(chain.Claim).Hotkey)
		if err != nil {
			return nil, err
		}
		return chain.SignClaim(c.chainID, hot, c.signer, c.expiry), nil
	}},
	reflect.TypeFor[chain.SwapHotkey](): {[]string{"Expiry", "NewSignature"}, func(c *consenting, m chain.Msg) (chain.Msg, error) {
		swap := m.(chain.SwapHotkey)
		fresh, err := c.keys.private(swap.New)
		if err != nil {
			return nil, err
		}
		return chain.SignSwap(c.chainID, fresh, c.signer, swap.Old, c.expiry), nil
	}},
	reflect.TypeFor[chain.ProveConsensus](): {[]string{"Key", "Expiry", "Proof"}, func(c *consenting, _ chain.Msg) (chain.Msg, error) {
		private, err := c.consensus()
		if err != nil {
			return nil, err
		}
		return chain.SignConsensus(c.chainID, private, c.signer, c.expiry), nil
	}},
}
