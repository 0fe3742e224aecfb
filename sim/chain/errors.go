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
	AxonTaken                              // the key of an axon stands for another hotkey
)

const lastCode = AxonTaken

// refusals holds the name and the words of each code.
var refusals = [...]struct{ name, reason string }{
	MissingMessage:         {"MissingMessage", "transaction carries no message"},
	Expired:                {"Expired", "transaction expired: block %d, allowed up to %d"},
	NonceTooLow:            {"NonceTooLow", "nonce %d was used: the next is at least %d"},
	NonceTooHigh:           {"NonceTooHigh", "nonce %d is too high: at most %d"},
	BadSignature:           {"BadSignature", "signature is not the signer's for this chain"},
	InsufficientFree:       {"InsufficientFree", "coldkey has %d rao free, needs %d"},
	InsufficientStake:      {"InsufficientStake", "hotkey has %d rao of stake, needs %d"},
	ZeroAmount:             {"ZeroAmount", "amount is 0 rao: want at least 1"},
	NotOwner:               {"NotOwner", "hotkey does not belong to the coldkey: it is another's, or was never registered"},
	AlreadyRegistered:      {"AlreadyRegistered", "hotkey has uid %d already"},
	TooManyInBlock:         {"TooManyInBlock", "%d registrations in this block, at most %d: try the next block"},
	TooManyInInterval:      {"TooManyInInterval", "%d registrations in this interval, at most %d: wait for the next"},
	PriceAboveLimit:        {"PriceAboveLimit", "registration costs %d rao, above the given limit of %d"},
	NoSlot:                 {"NoSlot", "network is full: %d neurons are not immune, one of more than %d could be replaced"},
	LengthMismatch:         {"LengthMismatch", "%d values for %d uids: want as many"},
	TooManyWeights:         {"TooManyWeights", "%d weights for %d neurons"},
	NotRegistered:          {"NotRegistered", "hotkey has no uid: register it first"},
	StakeBelowMinimum:      {"StakeBelowMinimum", "hotkey has %d rao of stake, setting weights needs %d"},
	VersionTooLow:          {"VersionTooLow", "version key %d of the weights: the network wants at least %d"},
	RateLimited:            {"RateLimited", "%d blocks since the last weights or registration, want at least %d"},
	NoPermit:               {"NoPermit", "hotkey has no validator permit: it may only set a weight on itself"},
	DuplicateUID:           {"DuplicateUID", "uid %d stands twice in the weights"},
	UnknownUID:             {"UnknownUID", "uid %d in the weights: the network has %d neurons"},
	TooFewWeights:          {"TooFewWeights", "%d weights, want at least %d"},
	WeightAboveMaximum:     {"WeightAboveMaximum", "largest weight is %d/65535 of the sum, allowed are %d/65535"},
	ZeroKey:                {"ZeroKey", "the zero key cannot hold anything: nobody can sign for it"},
	WorkNotAllowed:         {"WorkNotAllowed", "registration by proof of work is closed: burn the price instead"},
	BurnNotAllowed:         {"BurnNotAllowed", "registration by burning is closed: bring a proof of work"},
	WorkFromFuture:         {"WorkFromFuture", "proof of work on block %d, the newest that ended is %d"},
	WorkStale:              {"WorkStale", "proof of work on block %d, the oldest allowed is %d"},
	WorkMismatch:           {"WorkMismatch", "work is not the seal of its nonce, block and hotkey"},
	WorkTooEasy:            {"WorkTooEasy", "seal of %d leading zero bits does not meet the difficulty of %d"},
	WorkUsed:               {"WorkUsed", "this work has been used before"},
	NotDelegate:            {"NotDelegate", "hotkey belongs to another coldkey and is not a delegate"},
	TakeAboveMaximum:       {"TakeAboveMaximum", "take of %d/65535, allowed are up to %d/65535"},
	TooManyNominators:      {"TooManyNominators", "hotkey has %d nominators, at most %d"},
	WeightTooLarge:         {"WeightTooLarge", "weight of %d, at most %d fits"},
	WeightZero:             {"WeightZero", "weight on uid %d is zero: leave it out"},
	RatioAboveMaximum:      {"RatioAboveMaximum", "largest weight is %d times the smallest, allowed are %d times"},
	CommitRevealOn:         {"CommitRevealOn", "weights are hidden first on this network: commit, then reveal"},
	CommitRevealOff:        {"CommitRevealOff", "weights are set openly on this network: there is nothing to commit"},
	TooManyCommits:         {"TooManyCommits", "hotkey has %d commits that wait for their reveal, at most %d"},
	UnknownCommit:          {"UnknownCommit", "no commit that waits fits what is revealed"},
	RevealTooEarly:         {"RevealTooEarly", "reveal in epoch %d, it is due in epoch %d"},
	RevealTooLate:          {"RevealTooLate", "reveal in epoch %d, it was due in epoch %d"},
	KeyTaken:               {"KeyTaken", "neuron %d has this consensus key"},
	ResetNotAllowed:        {"ResetNotAllowed", "bonds cannot be reset on this network"},
	NotGovernor:            {"NotGovernor", "signer is not the governor: only the governor sets parameters"},
	UnknownParameter:       {"UnknownParameter", "no parameter of this name can be changed"},
	ParameterTooLow:        {"ParameterTooLow", "value %d, at least %d is allowed"},
	ParameterTooHigh:       {"ParameterTooHigh", "value %d, at most %d is allowed"},
	ParameterImpossible:    {"ParameterImpossible", "value %d is impossible together with the other parameters"},
	LiquidAlphaOff:         {"LiquidAlphaOff", "liquid alpha is off: switch it on first"},
	NonceAhead:             {"NonceAhead", "nonce %d comes too early: the next is %d"},
	ExpiryTooFar:           {"ExpiryTooFar", "transaction expires after block %d, at most block %d is allowed"},
	FeesOn:                 {"FeesOn", "transaction does not say what it may cost: this network takes fees"},
	FeesOff:                {"FeesOff", "transaction says what it may cost: this network takes no fees"},
	FeeAboveMaximum:        {"FeeAboveMaximum", "transaction costs %d rao, it allows %d"},
	BlockFull:              {"BlockFull", "block would have %d units of work or bytes, at most %d: try the next block"},
	NoPayer:                {"NoPayer", "nobody owns the hotkey and pays for it: register it first"},
	TipByHotkey:            {"TipByHotkey", "tip of %d rao: what a hotkey signs has none, since its owner pays"},
	BudgetSpent:            {"BudgetSpent", "hotkey would have spent %d units of its owner's in this epoch, at most %d"},
	NoOperator:             {"NoOperator", "hotkey serves no consensus key: there is nothing to withdraw"},
	KeySpent:               {"KeySpent", "consensus key is or was an operator's: make a new one"},
	StakeBelowSeat:         {"StakeBelowSeat", "hotkey has %d rao of stake that counts, a seat needs %d: stake counts from the next epoch on"},
	SeatsFull:              {"SeatsFull", "hotkey has %d rao of stake that counts, a place among those who wait for a seat takes %d"},
	Barred:                 {"Barred", "hotkey is barred for signing twice: %d epochs have run, it may serve after %d"},
	TooManyKeys:            {"TooManyKeys", "hotkey changed its consensus key %d times, at most %d while evidence lives"},
	NotJailed:              {"NotJailed", "hotkey is not jailed"},
	JailedStill:            {"JailedStill", "hotkey is jailed: %d epochs have run, it may come back after %d"},
	TooManyUnbonding:       {"TooManyUnbonding", "coldkey has %d amounts on their way out of hotkeys, at most %d: wait for the oldest"},
	NotCouncillor:          {"NotCouncillor", "signer is not a member of the council"},
	ProposalOpen:           {"ProposalOpen", "member has proposal %d open already: it must be decided first"},
	UnknownProposal:        {"UnknownProposal", "proposal %d is not open, the next will be %d"},
	VotedAlready:           {"VotedAlready", "vote on proposal %d stands so already"},
	ProposalMixed:          {"ProposalMixed", "proposal has %d kinds of content, want %d: changes, an upgrade or a council"},
	CouncilImpossible:      {"CouncilImpossible", "threshold of %d among %d members: want more than half of 1 to 15 keys that differ and that one can own"},
	Unconstitutional:       {"Unconstitutional", "change breaks article %d of the constitution, which has %d"},
	RulesInForce:           {"RulesInForce", "version %d of the rules: version %d is in force"},
	UpgradePast:            {"UpgradePast", "upgrade at block %d, at the earliest it is possible at block %d"},
	UpgradeImpossible:      {"UpgradeImpossible", "version %d of the rules does not fit this chain"},
	BelowDeposit:           {"BelowDeposit", "transfer of %d rao founds an account, which takes a deposit of at least %d"},
	NominationBelowMinimum: {"NominationBelowMinimum", "nomination would be %d rao, at least %d is allowed"},
	TooSoon:                {"TooSoon", "%d blocks since the last of this kind, want at least %d"},
	KeyUnsound:             {"KeyUnsound", "key is not a point of the curve in its canonical form, or anybody could sign for it"},
	HotkeyOwned:            {"HotkeyOwned", "hotkey belongs to a coldkey already"},
	NoConsent:              {"NoConsent", "signature within the message is not that of the key that has to agree, for this chain"},
	ConsentExpired:         {"ConsentExpired", "signature within the message expired: block %d, allowed up to %d"},
	ConsentOff:             {"ConsentOff", "keys do not agree by signatures on this network"},
	ProofMissing:           {"ProofMissing", "consensus key has to agree by a signature: send it with its proof"},
	KeyOfAccount:           {"KeyOfAccount", "consensus key has an account of the ledger: make a new key"},
	SwapsOff:               {"SwapsOff", "hotkeys cannot be changed on this network"},
	HotkeyUsed:             {"HotkeyUsed", "new hotkey has an account that is in use: make a new key"},
	HotkeyServes:           {"HotkeyServes", "hotkey serves in the consensus or answers for it: withdraw its consensus key first"},
	AxonTaken:              {"AxonTaken", "key of the axon stands for another hotkey: serve with the hotkey's own, or make a new one"},
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
	if int(c) < len(refusals) && c > 0 {
		return refusals[c].name
	}
	return fmt.Sprint("Code", uint8(c))
}

// Error says the reason without its numbers.
func (c Code) Error() string { return strings.ReplaceAll(c.format(), "%d", "n") }

func (c Code) format() string {
	if int(c) < len(refusals) && c > 0 {
		return refusals[c].reason
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
