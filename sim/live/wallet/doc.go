// Package wallet keeps the keys of who takes part in a live network: one recovery phrase, the coldkey that owns
// the money, and the hotkeys that servers need.
//
// It promises that a secret stands on disk only encrypted by a passphrase, in a file that its owner alone can
// read and that age opens without this program; that a wallet is written whole or not at all and never
// overwritten; and that one text stands for one key. It touches neither the network nor the ledger's state.
package wallet
