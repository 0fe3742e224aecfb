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
	MissingMessage         Code = iota + 1 // without a message
	Expired                                // too late (height of the block, last height allowed)
	NonceTooLow                            // used before (nonce, smallest allowed)
	NonceTooHigh                           // would leave no further nonce (nonce, largest allowed)
	BadSignature                           // not the signer's signature for this chain
	InsufficientFree                       // free money (rao, rao needed)
	InsufficientStake                      // stake on the hotkey (rao, rao needed)
	ZeroAmount                             // moves nothing
	NotOwner                               // the hotkey belongs to another coldkey or to nobody
	AlreadyRegistered                      // the hotkey has a uid (the uid)
	TooManyInBlock                         // registrations in this block (made, allowed)
	TooManyInInterval                      // registrations in this interval (made, allowed)
	PriceAboveLimit                        // of a registration (price, limit)
	NoSlot                                 // nobody may be pruned (neurons not immune, more than these needed)
	LengthMismatch                         // of values and uids (values, uids)
	TooManyWeights                         // entries (given, neurons)
	NotRegistered                          // the hotkey has no uid
	StakeBelowMinimum                      // to set weights (rao, rao needed)
	VersionTooLow                          // key of the weights (given, needed)
	RateLimited                            // blocks since the last weights (passed, needed)
	NoPermit                               // to set weights on others
	DuplicateUID                           // in the weights (the uid)
	UnknownUID                             // in the weights (the uid, neurons)
	TooFewWeights                          // entries (given, needed)
	WeightAboveMaximum                     // largest share (1/65535 of the sum, allowed)
	ZeroKey                                // nobody can sign for it
	WorkNotAllowed                         // registration by proof of work is closed
	BurnNotAllowed                         // registration by burn is closed
	WorkFromFuture                         // block of the work (block, newest ended)
	WorkStale                              // block of the work (block, oldest allowed)
	WorkMismatch                           // the work is not the seal of nonce, block and hotkey
	WorkTooEasy                            // for the difficulty (leading zero bits, difficulty)
	WorkUsed                               // before, by this or another hotkey
	NotDelegate                            // the hotkey is not open to nominators
	TakeAboveMaximum                       // of a delegate (take, allowed)
	TooManyNominators                      // on one hotkey (there, allowed)
	WeightTooLarge                         // one value (given, allowed)
	WeightZero                             // in a vector that has a largest ratio (uid)
	RatioAboveMaximum                      // of the largest to the smallest weight (ratio, allowed)
	CommitRevealOn                         // weights must be committed first
	CommitRevealOff                        // nothing to commit to
	TooManyCommits                         // of one hotkey (unexpired, allowed)
	UnknownCommit                          // nothing unexpired was committed that reads so
	RevealTooEarly                         // of a commit (epoch, epoch of the reveal)
	RevealTooLate                          // of a commit (epoch, epoch of the reveal)
	KeyTaken                               // another neuron has this consensus key (its uid)
	ResetNotAllowed                        // bonds cannot be reset
	NotGovernor                            // the signer may not set parameters
	UnknownParameter                       // or one that cannot change
	ParameterTooLow                        // (given, least allowed)
	ParameterTooHigh                       // (given, most allowed)
	ParameterImpossible                    // together with the others (given)
	LiquidAlphaOff                         // its bounds cannot be set
	NonceAhead                             // others of the signer come first (nonce, the next)
	ExpiryTooFar                           // of a transaction (last height allowed, most allowed)
	FeesOn                                 // it does not say what it may cost
	FeesOff                                // it says what it may cost
	FeeAboveMaximum                        // price of its work and tip (rao, rao allowed by it)
	BlockFull                              // work or bytes (with this one, allowed)
	NoPayer                                // nobody owns the signing hotkey
	TipByHotkey                            // whose owner would pay it (rao)
	BudgetSpent                            // of a hotkey in this epoch (units with this one, allowed)
	NoOperator                             // the hotkey serves no consensus key
	KeySpent                               // the consensus key is, will be or was somebody's
	StakeBelowSeat                         // that counts (rao, rao needed)
	SeatsFull                              // too many wait for a seat (rao, rao needed to take a place)
	Barred                                 // for signing twice (epochs that ran, needed)
	TooManyKeys                            // of one operator whose evidence lives (there, allowed)
	NotJailed                              // for being away
	JailedStill                            // (epochs that ran, needed)
	TooManyUnbonding                       // amounts of one coldkey (there, allowed)
	NotCouncillor                          // the signer has no seat in the council
	ProposalOpen                           // of the same member (its number)
	UnknownProposal                        // that is not open (number, number of the next)
	VotedAlready                           // so (number)
	ProposalMixed                          // or empty (kinds of content, wanted)
	CouncilImpossible                      // (threshold, members)
	Unconstitutional                       // (article, articles)
	RulesInForce                           // already (version, present version)
	UpgradePast                            // (height, first possible)
	UpgradeImpossible                      // for this chain (version)
	BelowDeposit                           // for a new account (rao, least deposit)
	NominationBelowMinimum                 // (rao with this one, or left, least allowed)
	TooSoon                                // after the last of its kind (blocks passed, needed)
	KeyUnsound                             // no canonical point, or one that everybody can sign for
	HotkeyOwned                            // somebody owns the hotkey
	NoConsent                              // the signature within the message is not the other key's
	ConsentExpired                         // of it (height of the block, last height allowed)
	ConsentOff                             // the network has no such messages
	ProofMissing                           // a consensus key without its agreement
	KeyOfAccount                           // a consensus key that holds money or is a hotkey
	SwapsOff                               // hotkeys never change
	HotkeyUsed                             // the new hotkey has an account that is in use
	HotkeyServes                           // in the consensus, or answers for it
)

const lastCode = HotkeyServes

var reasons = [...]string{
	MissingMessage:    "transaction carries no message",
	Expired:           "transaction expired: block %d, allowed up to %d",
	NonceTooLow:       "nonce %d was used: the next is at least %d",
	NonceTooHigh:      "nonce %d is too high: at most %d",
	BadSignature:      "signature is not the signer's for this chain",
	InsufficientFree:  "coldkey has %d rao free, needs %d",
	InsufficientStake: "hotkey has %d rao of stake, needs %d",
	ZeroAmount:        "amount is 0 rao: want at least 1",
	NotOwner:          "hotkey does not belong to the coldkey: it is another's, or was never registered",
	AlreadyRegistered: "hotkey has uid %d already",
	TooManyInBlock:    "%d registrations in this block, at most %d: try the next block",
	TooManyInInterval: "%d registrations in this interval, at most %d: wait for the next",
	PriceAboveLimit:   "registration costs %d rao, above the given limit of %d",
	NoSlot: "network is full: %d neurons are not immune, " +
		"one of more than %d could be replaced",
	LengthMismatch:         "%d values for %d uids: want as many",
	TooManyWeights:         "%d weights for %d neurons",
	NotRegistered:          "hotkey has no uid: register it first",
	StakeBelowMinimum:      "hotkey has %d rao of stake, setting weights needs %d",
	VersionTooLow:          "version key %d of the weights: the network wants at least %d",
	RateLimited:            "%d blocks since the last weights or registration, want at least %d",
	NoPermit:               "hotkey has no validator permit: it may only set a weight on itself",
	DuplicateUID:           "uid %d stands twice in the weights",
	UnknownUID:             "uid %d in the weights: the network has %d neurons",
	TooFewWeights:          "%d weights, want at least %d",
	WeightAboveMaximum:     "largest weight is %d/65535 of the sum, allowed are %d/65535",
	ZeroKey:                "the zero key cannot hold anything: nobody can sign for it",
	WorkNotAllowed:         "registration by proof of work is closed: burn the price instead",
	BurnNotAllowed:         "registration by burning is closed: bring a proof of work",
	WorkFromFuture:         "proof of work on block %d, the newest that ended is %d",
	WorkStale:              "proof of work on block %d, the oldest allowed is %d",
	WorkMismatch:           "work is not the seal of its nonce, block and hotkey",
	WorkTooEasy:            "seal of %d leading zero bits does not meet the difficulty of %d",
	WorkUsed:               "this work has been used before",
	NotDelegate:            "hotkey belongs to another coldkey and is not a delegate",
	TakeAboveMaximum:       "take of %d/65535, allowed are up to %d/65535",
	TooManyNominators:      "hotkey has %d nominators, at most %d",
	WeightTooLarge:         "weight of %d, at most %d fits",
	WeightZero:             "weight on uid %d is zero: leave it out",
	RatioAboveMaximum:      "largest weight is %d times the smallest, allowed are %d times",
	CommitRevealOn:         "weights are hidden first on this network: commit, then reveal",
	CommitRevealOff:        "weights are set openly on this network: there is nothing to commit",
	TooManyCommits:         "hotkey has %d commits that wait for their reveal, at most %d",
	UnknownCommit:          "no commit that waits fits what is revealed",
	RevealTooEarly:         "reveal in epoch %d, it is due in epoch %d",
	RevealTooLate:          "reveal in epoch %d, it was due in epoch %d",
	KeyTaken:               "neuron %d has this consensus key",
	ResetNotAllowed:        "bonds cannot be reset on this network",
	NotGovernor:            "signer is not the governor: only the governor sets parameters",
	UnknownParameter:       "no parameter of this name can be changed",
	ParameterTooLow:        "value %d, at least %d is allowed",
	ParameterTooHigh:       "value %d, at most %d is allowed",
	ParameterImpossible:    "value %d is impossible together with the other parameters",
	LiquidAlphaOff:         "liquid alpha is off: switch it on first",
	NonceAhead:             "nonce %d comes too early: the next is %d",
	ExpiryTooFar:           "transaction expires after block %d, at most block %d is allowed",
	FeesOn:                 "transaction does not say what it may cost: this network takes fees",
	FeesOff:                "transaction says what it may cost: this network takes no fees",
	FeeAboveMaximum:        "transaction costs %d rao, it allows %d",
	BlockFull:              "block would have %d units of work or bytes, at most %d: try the next block",
	NoPayer:                "nobody owns the hotkey and pays for it: register it first",
	TipByHotkey:            "tip of %d rao: what a hotkey signs has none, since its owner pays",
	BudgetSpent:            "hotkey would have spent %d units of its owner's in this epoch, at most %d",
	NoOperator:             "hotkey serves no consensus key: there is nothing to withdraw",
	KeySpent:               "consensus key is or was an operator's: make a new one",
	StakeBelowSeat:         "hotkey has %d rao of stake that counts, a seat needs %d: stake counts from the next epoch on",
	SeatsFull:              "hotkey has %d rao of stake that counts, a place among those who wait for a seat takes %d",
	Barred:                 "hotkey is barred for signing twice: %d epochs have run, it may serve after %d",
	TooManyKeys:            "hotkey changed its consensus key %d times, at most %d while evidence lives",
	NotJailed:              "hotkey is not jailed",
	JailedStill:            "hotkey is jailed: %d epochs have run, it may come back after %d",
	TooManyUnbonding:       "coldkey has %d amounts on their way out of hotkeys, at most %d: wait for the oldest",
	NotCouncillor:          "signer is not a member of the council",
	ProposalOpen:           "member has proposal %d open already: it must be decided first",
	UnknownProposal:        "proposal %d is not open, the next will be %d",
	VotedAlready:           "vote on proposal %d stands so already",
	ProposalMixed:          "proposal has %d kinds of content, want %d: changes, an upgrade or a council",
	CouncilImpossible:      "threshold of %d among %d members: want more than half of 1 to 15 keys that differ and that one can own",
	Unconstitutional:       "change breaks article %d of the constitution, which has %d",
	RulesInForce:           "version %d of the rules: version %d is in force",
	UpgradePast:            "upgrade at block %d, at the earliest it is possible at block %d",
	UpgradeImpossible:      "version %d of the rules does not fit this chain",
	BelowDeposit:           "transfer of %d rao founds an account, which takes a deposit of at least %d",
	NominationBelowMinimum: "nomination would be %d rao, at least %d is allowed",
	TooSoon:                "%d blocks since the last of this kind, want at least %d",
	KeyUnsound:             "key is not a point of the curve in its canonical form, or anybody could sign for it",
	HotkeyOwned:            "hotkey belongs to a coldkey already",
	NoConsent:              "signature within the message is not that of the key that has to agree, for this chain",
	ConsentExpired:         "signature within the message expired: block %d, allowed up to %d",
	ConsentOff:             "keys do not agree by signatures on this network",
	ProofMissing:           "consensus key has to agree by a signature: send it with its proof",
	KeyOfAccount:           "consensus key has an account of the ledger: make a new key",
	SwapsOff:               "hotkeys cannot be changed on this network",
	HotkeyUsed:             "new hotkey has an account that is in use: make a new key",
	HotkeyServes:           "hotkey serves in the consensus or answers for it: withdraw its consensus key first",
}

// Codes lists all codes.
func Codes() []Code {
	list := make([]Code, lastCode)
	for i := range list {
		list[i] = Code(i + 1)
	}
	return list
}

// Name is the name of the code's constant, such as "InsufficientFree".
func (c Code) Name() string {
	if int(c) < len(names) && names[c] != "" {
		return names[c]
	}
	return fmt.Sprint("Code", uint8(c))
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

var names = [...]string{
	MissingMessage:         "MissingMessage",
	Expired:                "Expired",
	NonceTooLow:            "NonceTooLow",
	NonceTooHigh:           "NonceTooHigh",
	BadSignature:           "BadSignature",
	InsufficientFree:       "InsufficientFree",
	InsufficientStake:      "InsufficientStake",
	ZeroAmount:             "ZeroAmount",
	NotOwner:               "NotOwner",
	AlreadyRegistered:      "AlreadyRegistered",
	TooManyInBlock:         "TooManyInBlock",
	TooManyInInterval:      "TooManyInInterval",
	PriceAboveLimit:        "PriceAboveLimit",
	NoSlot:                 "NoSlot",
	LengthMismatch:         "LengthMismatch",
	TooManyWeights:         "TooManyWeights",
	NotRegistered:          "NotRegistered",
	StakeBelowMinimum:      "StakeBelowMinimum",
	VersionTooLow:          "VersionTooLow",
	RateLimited:            "RateLimited",
	NoPermit:               "NoPermit",
	DuplicateUID:           "DuplicateUID",
	UnknownUID:             "UnknownUID",
	TooFewWeights:          "TooFewWeights",
	WeightAboveMaximum:     "WeightAboveMaximum",
	ZeroKey:                "ZeroKey",
	WorkNotAllowed:         "WorkNotAllowed",
	BurnNotAllowed:         "BurnNotAllowed",
	WorkFromFuture:         "WorkFromFuture",
	WorkStale:              "WorkStale",
	WorkMismatch:           "WorkMismatch",
	WorkTooEasy:            "WorkTooEasy",
	WorkUsed:               "WorkUsed",
	NotDelegate:            "NotDelegate",
	TakeAboveMaximum:       "TakeAboveMaximum",
	TooManyNominators:      "TooManyNominators",
	WeightTooLarge:         "WeightTooLarge",
	WeightZero:             "WeightZero",
	RatioAboveMaximum:      "RatioAboveMaximum",
	CommitRevealOn:         "CommitRevealOn",
	CommitRevealOff:        "CommitRevealOff",
	TooManyCommits:         "TooManyCommits",
	UnknownCommit:          "UnknownCommit",
	RevealTooEarly:         "RevealTooEarly",
	RevealTooLate:          "RevealTooLate",
	KeyTaken:               "KeyTaken",
	ResetNotAllowed:        "ResetNotAllowed",
	NotGovernor:            "NotGovernor",
	UnknownParameter:       "UnknownParameter",
	ParameterTooLow:        "ParameterTooLow",
	ParameterTooHigh:       "ParameterTooHigh",
	ParameterImpossible:    "ParameterImpossible",
	LiquidAlphaOff:         "LiquidAlphaOff",
	NonceAhead:             "NonceAhead",
	ExpiryTooFar:           "ExpiryTooFar",
	FeesOn:                 "FeesOn",
	FeesOff:                "FeesOff",
	FeeAboveMaximum:        "FeeAboveMaximum",
	BlockFull:              "BlockFull",
	NoPayer:                "NoPayer",
	TipByHotkey:            "TipByHotkey",
	BudgetSpent:            "BudgetSpent",
	NoOperator:             "NoOperator",
	KeySpent:               "KeySpent",
	StakeBelowSeat:         "StakeBelowSeat",
	SeatsFull:              "SeatsFull",
	Barred:                 "Barred",
	TooManyKeys:            "TooManyKeys",
	NotJailed:              "NotJailed",
	JailedStill:            "JailedStill",
	TooManyUnbonding:       "TooManyUnbonding",
	NotCouncillor:          "NotCouncillor",
	ProposalOpen:           "ProposalOpen",
	UnknownProposal:        "UnknownProposal",
	VotedAlready:           "VotedAlready",
	ProposalMixed:          "ProposalMixed",
	CouncilImpossible:      "CouncilImpossible",
	Unconstitutional:       "Unconstitutional",
	RulesInForce:           "RulesInForce",
	UpgradePast:            "UpgradePast",
	UpgradeImpossible:      "UpgradeImpossible",
	BelowDeposit:           "BelowDeposit",
	NominationBelowMinimum: "NominationBelowMinimum",
	TooSoon:                "TooSoon",
	KeyUnsound:             "KeyUnsound",
	HotkeyOwned:            "HotkeyOwned",
	NoConsent:              "NoConsent",
	ConsentExpired:         "ConsentExpired",
	ConsentOff:             "ConsentOff",
	ProofMissing:           "ProofMissing",
	KeyOfAccount:           "KeyOfAccount",
	SwapsOff:               "SwapsOff",
	HotkeyUsed:             "HotkeyUsed",
	HotkeyServes:           "HotkeyServes",
}
