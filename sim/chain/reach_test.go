package chain

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/emission"
)

// The tests of this package must not only pass, they must get somewhere. An observer stands next to
// the ledgers of scripts and histories and counts how often they were in each of these states; the
// run of the whole package fails if one was never met. It looks at what goes in and what comes out,
// so that the ledger itself knows nothing of it.
var reachable = []struct{ name, doc string }{
	// Transactions.
	{"nonce gap", "a transaction skipped a nonce and was applied"},
	{"nonce ahead", "a transaction came before another of its signer, where nonces are strict"},
	{"nonce of a new account", "an account that was made after genesis signed with a strict nonce"},
	{"expiry too far", "a transaction would have stayed good for too long"},
	{"nonce used", "a transaction came a second time"},
	{"last nonce", "a signer used up its last nonce"},
	{"expiry at the height", "a transaction was applied in the last block that it allows"},
	{"expiry by one block", "a transaction came one block too late"},
	{"signature of another", "a transaction was signed by another than its signer, or for another chain"},
	{"coldkey emptied", "a coldkey spent its last rao"},
	{"stake emptied", "a hotkey lost its last rao"},
	{"transfer to oneself", "money moved from a coldkey to itself"},
	{"stake on nobody's", "stake was refused on a hotkey that never registered"},
	{"burned by choice", "free money was burned"},
	{"recycled by choice", "free money was recycled"},

	// Registration.
	{"slot appended", "a neuron got a slot of its own"},
	{"slot replaced", "a neuron lost its slot to a newcomer"},
	{"all immune", "a full network of immune neurons lost one of them"},
	{"few others", "an immune neuron gave way because too few others are not"},
	{"pruning tie by the last uid", "in a tie the last uid gave way, as until August 2024"},
	{"no slot", "nobody could give way"},
	{"pruning tie by age", "of neurons with equal scores the older gave way"},
	{"pruning tie by uid", "of neurons with equal score and age the lower uid gave way"},
	{"bonds on the replaced", "others held bonds in a neuron that was replaced"},
	{"weights on the replaced", "a weight of another became an explicit zero"},
	{"largest weight replaced", "a row lost the weight that all others are scaled by"},
	{"validator replaced", "a neuron with bonds of its own was replaced"},
	{"hotkey back", "a hotkey that lost its slot got another"},
	{"stake returned", "stake of a replaced neuron became free money"},
	{"registrations in one block", "a block had several registrations"},
	{"block full", "a registration was one too many for its block"},
	{"interval full", "a registration was one too many for its interval"},
	{"price at its floor", "the price fell to its lower bound"},
	{"price at its ceiling", "the price rose to its upper bound"},
	{"price limit exact", "a registration cost exactly what it allowed"},
	{"free at last", "a registration cost all that its coldkey had"},
	{"difficulty doubled", "an interval doubled the difficulty"},
	{"difficulty halved", "an interval halved the difficulty"},
	{"difficulty at its floor", "the difficulty fell to its lower bound"},
	{"difficulty at its ceiling", "the difficulty rose to its upper bound"},
	{"work on the oldest block", "a proof of work was as old as it may be"},
	{"work stale by one block", "a proof of work was one block too old"},
	{"work from the future", "a proof of work sealed a block that has not ended"},
	{"work used", "a proof of work came a second time"},
	{"work too easy", "a proof of work missed the difficulty"},
	{"work for another", "a proof of work was not the seal that it should be"},

	// Weights.
	{"weights at the maximum", "the largest weight had exactly the share that is allowed"},
	{"weights above the maximum", "the largest weight had a larger share than allowed"},
	{"weights at the smallest number", "a vector had exactly as many weights as needed"},
	{"weights too few", "a vector had one weight less than needed"},
	{"weights of zero", "all weights of a vector were zero"},
	{"weight of zero", "one weight of a vector was an explicit zero"},
	{"weight only on itself", "a neuron weighed only itself"},
	{"weights without a permit", "a neuron without a permit was refused"},
	{"rate limit exact", "weights came in the first block that the rate limit allows"},
	{"rate limit by one block", "weights came one block too early"},
	{"first weights of genesis", "a neuron of genesis did not have to wait"},
	{"ratio above the maximum", "the largest weight was too many times the smallest"},
	{"version too low", "weights came from old software"},

	// Hidden weights.
	{"reveal in time", "weights were revealed in their epoch"},
	{"reveal too early", "weights were revealed before their epoch"},
	{"reveal too late", "weights were revealed after their epoch"},
	{"reveal of another", "nothing was committed that reads as what was revealed"},
	{"reveal past earlier commits", "a reveal did away with earlier commits"},
	{"expired commit", "a commit waits for nothing any more"},
	{"commits full", "a commit was one too many"},
	{"commit masks a weight", "a commit older than a neuron hid the weight on it from an epoch"},

	// Delegation and servers.
	{"nomination made", "a coldkey put stake on another's hotkey"},
	{"nomination gone", "a nominator took back the last rao"},
	{"nominators full", "a nominator was one too many"},
	{"nomination refused", "a hotkey was not open to nominators"},
	{"nominator paid", "an epoch paid a nominator"},
	{"fresh stake unpaid", "a nominator earned less because stake was added since the last epoch"},
	{"nominator's dust to the owner", "what the floors of nominators' shares leave went to the owner"},
	{"nominator stays through pruning", "a neuron with nominators was replaced"},
	{"take raised", "a take rose"},
	{"take at the maximum", "a take was the largest allowed"},
	{"take above the maximum", "a take was refused"},
	{"take above a lowered maximum", "a delegate keeps a take that would be refused now"},
	{"consensus key taken", "a consensus key was another neuron's"},
	{"bonds reset", "a neuron had the bonds in it deleted"},
	{"bonds reset refused", "a neuron may not have the bonds in it deleted"},

	// Governance.
	{"parameter changed", "the governor set a parameter"},
	{"parameter refused", "a parameter would have been impossible"},
	{"not the governor", "somebody else set a parameter"},
	{"price moved by its bounds", "new bounds moved the price"},
	{"difficulty moved by its bounds", "new bounds moved the difficulty"},
	{"more permits than allowed", "governance lowered the number of validators below those there are"},
	{"tempo shortened past due", "a shorter tempo made an epoch due at once"},
	{"epochs switched off", "the tempo became zero"},
	{"weights hidden midway", "commit-reveal was switched on with weights in place"},

	// Emission and epochs.
	{"halving inside an epoch", "the reward fell between two epochs"},
	{"last reward cut to the cap", "a block minted less than its reward because the cap was near"},
	{"nothing left to mint", "the cap was reached"},
	{"recycling postponed a halving", "the reward is higher than without what was recycled"},
	{"dust", "the floors of an epoch's division left something"},
	{"unallocated", "an epoch paid nobody"},
	{"owner's cut", "an epoch paid the network's owner first"},
	{"owner's cut in free money", "the owner's cut went to its coldkey"},
	{"epoch in every block", "an epoch followed in the next block"},
	{"no neurons", "an epoch ran on an empty network"},
	{"no stake", "an epoch ran without any stake"},
	{"no permits", "nobody had a permit in an epoch"},
	{"nobody active", "all stake was inactive or not permitted, and paid all the same"},
	{"no weights", "validators took part without a weight that counts"},
	{"no majority", "weights counted, but no score had a majority"},
	{"active at the cutoff", "a validator's last weights were exactly as old as allowed"},
	{"inactive by one block", "a validator's last weights were one block too old"},
	{"outdated weight", "a weight was older than the neuron it is on"},
	{"outdated weight by equality", "a weight was set in the block in which its neuron registered"},
	{"self-weight ignored", "a weight on oneself did not count"},
	{"recent neuron's bonds masked", "bonds in a neuron younger than the last epoch did not count"},
	{"median tie", "exactly half of the stake stood on either side of a consensus"},
	{"clipped weight", "a weight was cut to the consensus"},
	{"clipped to nothing", "a weight above a consensus of zero vanished"},
	{"single winner", "an incentive of exactly one"},
	{"single winner by a step less", "an incentive of one but for the last bit"},
	{"permit tie", "of equal stakes the higher uid got the last permit"},
	{"permit lost with bonds", "a validator lost its permit and its bonds"},
	{"permit gained", "a validator got a permit"},
	{"stake at the threshold", "a stake counted that is exactly the least that does"},
	{"stake below the threshold", "a stake did not count"},
	{"owner below the threshold", "the owner's stake counted all the same"},
	{"owner without a permit", "the owner's weights counted without a permit from stake"},
	{"owner's own weight", "the owner's weight on itself counted"},
	{"partial penalty drops a zero", "an explicit zero went because the penalty was partial"},
	{"share below the resolution", "a stake was too small to be a share at all"},
	{"liquid alpha at its floor", "a consensus below the lower quartile"},
	{"liquid alpha at its ceiling", "a consensus above the upper quartile"},
	{"liquid alpha without spread", "the quartiles of the consensus were equal"},
	{"exponent saturated", "the steepness drove the exponential to the end of its range"},
	{"bond kept without a weight", "a bond outlived the weight that made it"},
	{"nakamoto step", "an epoch ran by the rule of 2022"},
	{"nakamoto column pruned", "the bonds in a replaced neuron went"},
	{"nakamoto without incentive", "a step minted for nobody"},
	{"nakamoto inactive holder", "an inactive holder of bonds was paid"},
}

var places = func() map[string]int {
	m := map[string]int{}
	for i, r := range reachable {
		m[r.name] = i
	}
	return m
}()

// observer counts the states that ledgers were in.
type observer struct {
	count  []int
	ledger *State // seen last
	lost   map[Key]bool
}

var observed = &observer{count: make([]int, len(reachable))}

func (o *observer) met(name string) {
	i, ok := places[name]
	if !ok {
		panic("no such state: " + name)
	}
	o.count[i]++
}

func (o *observer) metIf(is bool, name string) {
	if is {
		o.met(name)
	}
}

func (o *observer) turnTo(s *State) {
	if o.ledger != s {
		o.ledger, o.lost = s, map[Key]bool{}
	}
}

// apply applies a transaction and looks what it met.
func (o *observer) apply(s *State, tx Tx) error {
	o.turnTo(s)
	before := s.observe()
	err := s.Apply(tx)
	next := before.accounts.get(tx.Signer).nonce
	var refusal *Error
	if errors.As(err, &refusal) {
		o.refused(s, tx, refusal)
		return err
	}
	if err != nil {
		return err
	}
	o.metIf(tx.Nonce > next && next > 0, "nonce gap")
	o.metIf(s.params.Hard.StrictNonce && tx.Nonce >= 1<<nonceBits, "nonce of a new account")
	o.metIf(tx.Nonce == 1<<64-2, "last nonce")
	o.metIf(tx.Expiry == s.height+1, "expiry at the height")
	o.money(before, s, tx)
	o.registrations(before, s, tx)
	o.weights(before, s, tx)
	o.governance(before, s, tx)
	return nil
}

// plainRefusals are met whenever they are said.
var plainRefusals = map[Code]string{
	NonceTooLow:         "nonce used",
	NonceAhead:          "nonce ahead",
	ExpiryTooFar:        "expiry too far",
	BadSignature:        "signature of another",
	NoSlot:              "no slot",
	TooManyInBlock:      "block full",
	TooManyInInterval:   "interval full",
	WorkFromFuture:      "work from the future",
	WorkUsed:            "work used",
	WorkTooEasy:         "work too easy",
	WorkMismatch:        "work for another",
	WeightAboveMaximum:  "weights above the maximum",
	NoPermit:            "weights without a permit",
	RatioAboveMaximum:   "ratio above the maximum",
	VersionTooLow:       "version too low",
	RevealTooEarly:      "reveal too early",
	RevealTooLate:       "reveal too late",
	UnknownCommit:       "reveal of another",
	TooManyCommits:      "commits full",
	NotDelegate:         "nomination refused",
	TakeAboveMaximum:    "take above the maximum",
	KeyTaken:            "consensus key taken",
	ResetNotAllowed:     "bonds reset refused",
	NotGovernor:         "not the governor",
	ParameterImpossible: "parameter refused",
	ParameterTooLow:     "parameter refused",
	ParameterTooHigh:    "parameter refused",
}

// nearRefusals are met if they missed by one.
var nearRefusals = map[Code]string{
	Expired:       "expiry by one block",
	RateLimited:   "rate limit by one block",
	WorkStale:     "work stale by one block",
	TooFewWeights: "weights too few",
}

func (o *observer) refused(s *State, tx Tx, e *Error) {
	if name, ok := plainRefusals[e.Code]; ok {
		o.met(name)
	}
	if name, ok := nearRefusals[e.Code]; ok && (e.Have+1 == e.Want || e.Want+1 == e.Have) {
		o.met(name)
	}
	_, stakes := tx.Msg.(AddStake)
	o.metIf(stakes && e.Code == TooManyNominators, "nominators full")
	o.metIf(stakes && e.Code == NotOwner, "stake on nobody's")
}

func (o *observer) money(before observation, s *State, tx Tx) {
	free := s.accounts.get(tx.Signer).freeRao
	o.metIf(before.accounts.get(tx.Signer).freeRao > 0 && free == 0, "coldkey emptied")
	switch m := tx.Msg.(type) {
	case Transfer:
		o.metIf(m.To == tx.Signer, "transfer to oneself")
	case Burn:
		o.met("burned by choice")
	case Recycle:
		o.met("recycled by choice")
	case AddStake:
		old := before.accounts.get(m.Hotkey)
		o.metIf(old.owner != tx.Signer, "nomination made")
	case RemoveStake:
		old, now := before.accounts.get(m.Hotkey), s.accounts.get(m.Hotkey)
		o.metIf(now.stakeRao == 0, "stake emptied")
		o.metIf(len(now.nominations) < len(old.nominations), "nomination gone")
	case Delegate:
		old, now := before.accounts.get(m.Hotkey), s.accounts.get(m.Hotkey)
		o.metIf(old.delegate && now.take > old.take, "take raised")
		o.metIf(now.take > 0 && now.take == s.params.MaxTake, "take at the maximum")
	}
}

func (o *observer) registrations(before observation, s *State, tx Tx) {
	if s.inBlock <= before.inBlock {
		return
	}
	o.metIf(s.inBlock > 1, "registrations in one block")
	var hotkey Key
	switch m := tx.Msg.(type) {
	case Register:
		hotkey = m.Hotkey
		o.metIf(m.LimitRao > 0 && m.LimitRao == before.burnPriceRao, "price limit exact")
		o.metIf(before.burnPriceRao > 0 && s.accounts.get(tx.Signer).freeRao == 0, "free at last")
		rose := s.burnPriceRao > before.burnPriceRao
		o.metIf(rose && s.burnPriceRao == s.params.MaxBurnRao, "price at its ceiling")
	case RegisterWork:
		hotkey = tx.Signer
		o.metIf(m.Block == s.oldestWork() && m.Block < s.height, "work on the oldest block")
	}
	o.metIf(o.lost[hotkey], "hotkey back")
	delete(o.lost, hotkey)
	uid, _ := s.neurons.uidOf(hotkey)
	if int(uid) >= before.neurons.n {
		o.met("slot appended")
		return
	}
	o.replaced(before, s, uid)
}

func (o *observer) replaced(before observation, s *State, uid UID) {
	o.met("slot replaced")
	p, old := &before.params, before.neurons.get(uid)
	o.lost[old.hotkey] = true
	account := before.accounts.get(old.hotkey)
	o.metIf(len(account.nominations) > 0, "nominator stays through pruning")
	o.metIf(account.stakeRao > 0 && s.accounts.get(old.hotkey).stakeRao == 0, "stake returned")
	o.metIf(len(old.bonds) > 0, "validator replaced")
	score := func(n *neuron) uint64 {
		if p.PruneBy == PruneByScore || p.PruneBy == PruneByScoreLast {
			return uint64(n.pruningScore)
		}
		return n.emissionRao
	}
	immune := func(n *neuron) bool { return before.height+1-n.registeredAt < p.ImmunityBlocks }
	immuneOnes := 0
	_ = before.neurons.each(func(other UID, n *neuron) error {
		if immune(n) {
			immuneOnes++
		}
		for _, b := range n.bonds {
			o.metIf(b.UID == uid && other != uid, "bonds on the replaced")
		}
		for _, w := range n.weights {
			if w.UID == uid && other != uid && w.Weight > 0 && p.Rule != consensus.Nakamoto {
				o.met("weights on the replaced")
				alone := !slices.ContainsFunc(n.weights, func(v WeightEntry) bool {
					return v.UID != uid && v.Weight == 65535
				})
				o.metIf(w.Weight == 65535 && alone && len(n.weights) > 1, "largest weight replaced")
			}
		}
		scored := p.PruneBy != PruneByStakeOrIncentive
		if scored && other != uid && immune(n) == immune(old) && score(n) == score(old) {
			last := p.PruneBy == PruneByScoreLast
			o.metIf(!last && n.registeredAt > old.registeredAt, "pruning tie by age")
			o.metIf(!last && n.registeredAt == old.registeredAt && other > uid, "pruning tie by uid")
			o.metIf(last && !immune(old) && other < uid, "pruning tie by the last uid")
		}
		return nil
	})
	o.metIf(immuneOnes == before.neurons.n, "all immune")
	o.metIf(immune(old) && immuneOnes < before.neurons.n, "few others")
}

func (o *observer) weights(before observation, s *State, tx Tx) {
	uid, ok := before.neurons.uidOf(tx.Signer)
	if !ok {
		return
	}
	old, now, p := before.neurons.get(uid), s.neurons.get(uid), &s.params
	var uids []uint16
	var values []uint32
	switch m := tx.Msg.(type) {
	case SetWeights:
		uids, values = m.UIDs, m.Values
	case RevealWeights:
		uids, values = m.UIDs, m.Values
		o.met("reveal in time")
		o.metIf(len(old.commits)-len(now.commits) > 1, "reveal past earlier commits")
	case CommitWeights:
	case ResetBonds:
		o.metIf(before.held(uid), "bonds reset")
		return
	default:
		return
	}
	if _, reveals := tx.Msg.(RevealWeights); !reveals && p.WeightsRateLimitBlocks > 0 {
		passed := s.height + 1 - old.lastUpdate
		o.metIf(old.lastUpdate > 0 && passed == p.WeightsRateLimitBlocks, "rate limit exact")
		o.metIf(old.lastUpdate == 0 && passed < p.WeightsRateLimitBlocks, "first weights of genesis")
	}
	if len(uids) == 0 {
		return
	}
	alone := len(uids) == 1 && UID(uids[0]) == uid
	o.metIf(alone, "weight only on itself")
	zero, largest, sum := 0, uint64(0), uint64(0)
	for _, w := range now.weights {
		if w.Weight == 0 {
			zero++
		}
		largest, sum = max(largest, uint64(w.Weight)), sum+uint64(w.Weight)
	}
	o.metIf(zero == len(values), "weights of zero")
	o.metIf(zero > 0 && zero < len(values), "weight of zero")
	share := (largest*65535 + max(sum, 1) - 1) / max(sum, 1)
	o.metIf(!alone && p.MaxWeight < 65535 && share == uint64(p.MaxWeight), "weights at the maximum")
	least := min(s.neurons.n, int(p.MinAllowedWeights))
	o.metIf(!alone && least > 1 && len(uids) == least, "weights at the smallest number")
}

// held reports whether somebody holds a bond in uid.
func (m observation) held(uid UID) (is bool) {
	_ = m.neurons.each(func(_ UID, n *neuron) error {
		is = is || slices.ContainsFunc(n.bonds, func(b BondEntry) bool { return b.UID == uid })
		return nil
	})
	return is
}

func (o *observer) governance(before observation, s *State, tx Tx) {
	m, ok := tx.Msg.(SetParams)
	if !ok {
		return
	}
	o.met("parameter changed")
	bound := m.Name == "MinBurnRao" || m.Name == "MaxBurnRao"
	o.metIf(bound && s.burnPriceRao != before.burnPriceRao, "price moved by its bounds")
	bound = m.Name == "MinDifficulty" || m.Name == "MaxDifficulty"
	o.metIf(bound && s.difficulty != before.difficulty, "difficulty moved by its bounds")
	o.metIf(m.Name == "MaxValidators" && before.permits() > m.Value+1, "more permits than allowed")
	o.metIf(m.Name == "TempoBlocks" && m.Value > 0 && s.params.EpochDue == DueSinceLast &&
		s.lastEpoch+m.Value < s.height+1, "tempo shortened past due")
	o.metIf(m.Name == "TempoBlocks" && m.Value == 0 && before.params.TempoBlocks > 0, "epochs switched off")
	if m.Name == "CommitReveal" && m.Value == 1 {
		_ = s.neurons.each(func(_ UID, n *neuron) error {
			o.metIf(len(n.weights) > 0, "weights hidden midway")
			return nil
		})
	}
	if m.Name == "MaxTake" {
		_ = s.accounts.each(func(a *account) error {
			o.metIf(a.take > s.params.MaxTake, "take above a lowered maximum")
			return nil
		})
	}
}

// advance ends blocks and looks at each, or, where they are very many, only at those with epochs.
func (o *observer) advance(s *State, n uint64) (events []Event) {
	o.turnTo(s)
	for n > 0 {
		if quiet := s.NextEvent() - s.height - 1; quiet > 200 && n > 200 {
			quiet = min(quiet, n)
			events = append(events, s.Advance(quiet)...)
			n -= quiet
			continue
		}
		events = append(events, o.endBlock(s)...)
		n--
	}
	return events
}

func (o *observer) endBlock(s *State) []Event {
	before := s.observe()
	var look *epochSeen
	if s.NextEvent() == s.height+1 {
		ahead := *s // only to read
		ahead.height++
		ahead.input = consensus.Input{}
		look = &epochSeen{o: o, in: ahead.epochInput(), before: before}
	}
	events := s.EndBlock()
	p := &s.params
	o.metIf(before.burnPriceRao > s.burnPriceRao && s.burnPriceRao == p.MinBurnRao, "price at its floor")
	o.metIf(before.burnPriceRao < s.burnPriceRao && s.burnPriceRao == p.MaxBurnRao, "price at its ceiling")
	o.metIf(s.difficulty == 2*before.difficulty, "difficulty doubled")
	o.metIf(before.difficulty == 2*s.difficulty, "difficulty halved")
	o.metIf(before.difficulty > s.difficulty && s.difficulty == p.MinDifficulty, "difficulty at its floor")
	rose := s.difficulty > before.difficulty
	o.metIf(rose && s.difficulty == p.MaxDifficulty, "difficulty at its ceiling")
	o.emission(before, s)
	if look != nil {
		for _, e := range events {
			if ran, ok := e.(EpochRan); ok {
				look.s, look.ran = s, ran
				look.all()
			}
		}
	}
	return events
}

func (o *observer) emission(before observation, s *State) {
	minted := s.money.Minted - before.money.Minted
	issued := before.issuance()
	reward := func(issued, height uint64) uint64 {
		rao, _ := before.params.curve().Next(height, issued)
		return rao
	}
	o.metIf(minted == 0 && issued == s.params.CapRao, "nothing left to mint")
	o.metIf(minted > 0 && s.issuance() == s.params.CapRao, "last reward cut to the cap")
	if s.params.Emission == emission.ByIssuance || s.params.Emission == emission.ByHeight {
		next := reward(s.issuance(), s.height+1)
		waiting := before.epochs == s.epochs && s.money.Pending > minted
		o.metIf(waiting && next > 0 && next < minted, "halving inside an epoch")
	}
	o.metIf(s.params.Emission == emission.ByIssuance &&
		reward(issued+s.money.Recycled, s.height) < reward(issued, s.height), "recycling postponed a halving")
}

// wholeRun reports whether all tests run, so that whatever can be met should have been.
func wholeRun() bool {
	for _, name := range []string{"test.run", "test.skip", "test.fuzz", "test.list", "test.fuzzworker"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" && f.Value.String() != "false" {
			return false
		}
	}
	return !testing.Short() && *oneSeed == 0
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if whole := wholeRun(); whole || testing.Verbose() {
		table, missing := observed.table()
		if testing.Verbose() {
			fmt.Print(table)
		}
		if whole && missing > 0 && code == 0 {
			fmt.Printf("FAIL: %d of %d interesting states were never met:\n%s", missing, len(reachable),
				onlyMissing(table))
			code = 1
		}
	}
	os.Exit(code)
}

// table lists the states and how often each was met.
func (o *observer) table() (text string, missing int) {
	var b strings.Builder
	for i, r := range reachable {
		fmt.Fprintf(&b, "%9d  %-34s %s\n", o.count[i], r.name, r.doc)
		if o.count[i] == 0 {
			missing++
		}
	}
	return b.String(), missing
}

func onlyMissing(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "        0 ") {
			b.WriteString(line)
		}
	}
	return b.String()
}
