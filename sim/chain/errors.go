package chain

import (
	"fmt"
	"strings"
)

// Code says why a transaction was refused. It is an error itself, so that
// errors.Is(err, chain.RateLimited) works.
type Code uint8

// The reasons; those of SetWeights, from LengthMismatch on, in the order in which they are checked.
// Have and Want of the Error are what stands in parentheses.
const (
	MissingMessage     Code = iota + 1 // without a message
	Expired                            // too late (height of the block, last height allowed)
	NonceTooLow                        // used before (nonce, smallest allowed)
	NonceTooHigh                       // would leave no further nonce (nonce, largest allowed)
	BadSignature                       // not the signer's signature for this chain
	InsufficientFree                   // free money (rao, rao needed)
	InsufficientStake                  // stake on the hotkey (rao, rao needed)
	ZeroAmount                         // moves nothing
	NotOwner                           // the hotkey belongs to another coldkey
	AlreadyRegistered                  // the hotkey has a uid (the uid)
	TooManyInBlock                     // registrations in this block (made, allowed)
	TooManyInInterval                  // registrations in this interval (made, allowed)
	PriceAboveLimit                    // of a registration (price, limit)
	NoSlot                             // nobody may be pruned (neurons not immune, more than these needed)
	LengthMismatch                     // of values and uids (values, uids)
	TooManyWeights                     // entries (given, neurons)
	NotRegistered                      // the hotkey has no uid
	StakeBelowMinimum                  // to set weights (rao, rao needed)
	VersionTooLow                      // key of the weights (given, needed)
	RateLimited                        // blocks since the last weights (passed, needed)
	NoPermit                           // to set weights on others
	DuplicateUID                       // in the weights (the uid)
	UnknownUID                         // in the weights (the uid, neurons)
	TooFewWeights                      // entries (given, needed)
	WeightAboveMaximum                 // largest share (1/65535 of the sum, allowed)
	ZeroKey                            // nobody can sign for it
)

var reasons = [...]string{
	MissingMessage:     "transaction carries no message",
	Expired:            "transaction expired: block %d, allowed up to %d",
	NonceTooLow:        "nonce %d was used: the next is at least %d",
	NonceTooHigh:       "nonce %d is too high: at most %d",
	BadSignature:       "signature is not the signer's for this chain",
	InsufficientFree:   "coldkey has %d rao free, needs %d",
	InsufficientStake:  "hotkey has %d rao of stake, needs %d",
	ZeroAmount:         "amount is 0 rao: want at least 1",
	NotOwner:           "hotkey belongs to another coldkey",
	AlreadyRegistered:  "hotkey has uid %d already",
	TooManyInBlock:     "%d registrations in this block, at most %d: try the next block",
	TooManyInInterval:  "%d registrations in this interval, at most %d: wait for the next",
	PriceAboveLimit:    "registration costs %d rao, above the given limit of %d",
	NoSlot:             "network is full: %d neurons are not immune, one of more than %d could be replaced",
	LengthMismatch:     "%d values for %d uids: want as many",
	TooManyWeights:     "%d weights for %d neurons",
	NotRegistered:      "hotkey has no uid: register it first",
	StakeBelowMinimum:  "hotkey has %d rao of stake, setting weights needs %d",
	VersionTooLow:      "version key %d of the weights: the network wants at least %d",
	RateLimited:        "%d blocks since the last weights or registration, want at least %d",
	NoPermit:           "hotkey has no validator permit: it may only set a weight on itself",
	DuplicateUID:       "uid %d stands twice in the weights",
	UnknownUID:         "uid %d in the weights: the network has %d neurons",
	TooFewWeights:      "%d weights, want at least %d",
	WeightAboveMaximum: "largest weight is %d/65535 of the sum, allowed are %d/65535",
	ZeroKey:            "the zero key cannot hold anything: nobody can sign for it",
}

// Error says the reason without its numbers.
func (c Code) Error() string { return strings.ReplaceAll(c.format(), "%d", "n") }

func (c Code) format() string {
	if int(c) < len(reasons) && reasons[c] != "" {
		return reasons[c]
	}
	return fmt.Sprintf("refusal %d", uint8(c))
}

// Error is a refusal with its numbers, zero where the code has none.
type Error struct {
	Code       Code
	Have, Want uint64
}

// Error says what was wrong and what was expected.
func (e *Error) Error() string {
	format := e.Code.format()
	numbers := []any{e.Have, e.Want}
	return fmt.Sprintf(format, numbers[:strings.Count(format, "%d")]...)
}

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

func refuse(c Code, have, want uint64) error { return &Error{c, have, want} }
