package chain

import (
	"bytes"
	"fmt"
	"slices"
)

// Snapshot is a state as plain data: every field that its bytes and its digest cover, in the order
// of the bytes. It shares nothing with the state it came from. Money is in rao, shares are in
// 1/65535 unless the name says otherwise, and all zero means none.
type Snapshot struct {
	ChainID              string
	Params               Params
	Height               uint64 // ended blocks
	LastEpoch            uint64 // block of the last epoch, 0: none yet
	Epochs               uint64 // run so far
	IssuanceOffsetRao    uint64
	Money                Totals
	BurnPriceRao         uint64 // of a registration in the next block
	RegistrationsInBlock uint16 // in the block that has not ended yet
	Difficulty           uint64
	BurnsInInterval      uint32 // registrations by burn
	WorksInInterval      uint32 // and by proof of work
	Governor             Key
	Owner                Key            // hotkey
	Mix                  Digest         // of the transactions in the block that has not ended yet
	Marks                []SnapshotMark // the entropy at the ends of the newest blocks that changed it
	Works                []SnapshotWork // used ones, which are refused a second time
	Events               []Event        // of the block that has not ended yet
	PriceRao             uint64         // of a unit of work; as what follows 0 where work costs nothing
	WorkUsed             uint64         // in the block that has not ended yet
	BytesUsed            uint32         // in it
	Resets               []UID          // of which all bonds go before the next epoch
	Touched              []Key          // accounts to be looked at when the block ends, where they take a deposit
	Begun                bool           // the open block; as what follows false where there are no seats
	Proposer             Key            // hotkey of who proposed it
	Tombs                []Key          // consensus keys that signed twice
	Rules                uint32         // version in the next block; as what follows 0 where no council governs
	StoredRules          uint32         // by which the state is stored
	Plan                 Upgrade        // to come
	Council              []Key
	Threshold            uint8
	NextProposal         uint64
	Proposals            []SnapshotProposal // ascending by number
	Steps                []SnapshotStep     // newest last
	Accounts             []SnapshotAccount
	Neurons              []SnapshotNeuron   // by uid
	Operators            []SnapshotOperator // ascending by hotkey; none where there are no seats
}

// SnapshotMark is the entropy in force from the end of a block on.
type SnapshotMark struct {
	Height  uint64
	Entropy Digest
}

// SnapshotWork is a proof of work on the hash of a block.
type SnapshotWork struct {
	Block uint64
	Work  Digest
}

// SnapshotAccount is all that the ledger knows about a key besides its neuron; accounts ascend by
// key.
type SnapshotAccount struct {
	Key         Key
	Owner       Key // the coldkey of this hotkey
	FreeRao     uint64
	StakeRao    uint64 // on the hotkey, its nominators' included
	Nonce       uint64 // smallest that its next transaction may have
	Delegate    bool   // open to nominators
	Take        uint16
	ChangedIn   uint64               // epoch, from 1, in which stake was last added or removed, if stake settles
	SettledRao  uint64               // the owner's stake when that epoch began
	References  uint32               // hotkeys that it owns and nominations of its own, where accounts take a deposit
	Served      uint64               // block of the last endpoint, where these are limited; 0: none, as what follows
	Reset       uint64               // block of the last reset of bonds
	TookMore    uint64               // block of the last raise of the take
	Swapped     uint64               // block in which it took the place of another hotkey
	SpentIn     uint64               // epoch, from 1, in which its owner last paid for what it signed; 0: never
	Spent       uint64               // units of work in that epoch
	Nominations []SnapshotNomination // ascending by coldkey
	Unbonding   []Unbonding          // oldest first
}

// SnapshotProposal is something that the council may agree on.
type SnapshotProposal struct {
	ID       uint64
	By       uint8  // place of its proposer in the council
	Opened   uint64 // block
	Votes    uint16 // a bit for each member
	AgreedAt uint64 // block in which the votes were enough; 0: they are not
	Content  Propose
}

// SnapshotStep is the epoch in which the council last changed a parameter.
type SnapshotStep struct {
	Name  string
	Epoch uint64
}

// SnapshotOperator is a hotkey that serves, or wants to serve, as a validator of the network itself.
type SnapshotOperator struct {
	Hotkey       Key
	ConsensusKey Key
	Next         Key  // consensus key from the next epoch's end on, if pending; zero: it withdraws
	Pending      bool // Next counts
	Past         []SnapshotPastKey
	Power        uint64 // in milli-TAO
	Since        uint64 // height from which its votes are counted; without power: up to which it answers for them
	Missed       []byte // a bit for each block of the window
	Jailed       bool
	JailedUntil  uint64 // epochs
	BarredUntil  uint64 // epochs
	Outgrown     bool   // power is above stake
	OverFrom     uint64 // since this height
	Over         uint64 // and last at this one
}

// SnapshotPastKey is a consensus key that answers for what it signed up to a height.
type SnapshotPastKey struct {
	Key   Key
	Until uint64
}

// SnapshotNomination is the stake that somebody else than the owner has on a delegate hotkey.
type SnapshotNomination struct {
	Coldkey    Key
	StakeRao   uint64
	SettledRao uint64 // when the epoch began in which stake on the hotkey was last changed
}

// SnapshotNeuron is a slot of the network.
type SnapshotNeuron struct {
	Hotkey         Key
	Axon           Key
	IP             [16]byte
	Port           uint16
	ConsensusKey   Key
	RegisteredAt   uint64 // block
	LastUpdate     uint64 // block
	EmissionRao    uint64 // of the last epoch
	Consensus      uint16
	Incentive      uint16
	Dividends      uint16
	ValidatorTrust uint16
	StakeWeight    uint16
	Rank           uint16
	Trust          uint16
	PruningScore   uint16
	Active         bool
	Permit         bool
	Pruned         bool // replaced since the last epoch; nakamoto only
	Wide           SnapshotScores
	Commits        []SnapshotCommit // oldest first
	Weights        []WeightEntry    // in the order given by its owner
	Bonds          []BondEntry      // ascending by uid, but for yuma3 with liquid alpha
}

// SnapshotScores are the scores of nakamoto, in 1/(2^64-1).
type SnapshotScores struct{ Rank, Trust, Consensus, Incentive, Dividends uint64 }

// SnapshotCommit is a hidden vector of weights.
type SnapshotCommit struct {
	Commit Digest
	Block  uint64
	Epoch  uint64
}

// Export returns the state as plain data.
func (s *State) Export() Snapshot {
	x := Snapshot{
		ChainID: s.chainID, Params: s.params, Height: s.height, LastEpoch: s.lastEpoch,
		Epochs: s.epochs, IssuanceOffsetRao: s.issuanceOffset, Money: s.Totals(),
		BurnPriceRao: s.burnPriceRao, RegistrationsInBlock: s.inBlock, Difficulty: s.difficulty,
		BurnsInInterval: s.burnsInterval, WorksInInterval: s.worksInterval,
		Governor: s.governor, Owner: s.owner, Mix: s.mix,
		Marks:  converted(s.marks, func(m mark) SnapshotMark { return SnapshotMark{m.height, m.entropy} }),
		Works:  converted(s.works, func(w usedWork) SnapshotWork { return SnapshotWork{w.block, w.work} }),
		Events: slices.Clone(s.events), PriceRao: s.priceRao, WorkUsed: s.workUsed,
		BytesUsed: s.bytesUsed, Resets: slices.Clone(s.resets),
		Touched: slices.Clone(s.touched), Begun: s.begun, Proposer: s.proposer, Tombs: slices.Clone(s.tombs),
		Operators: converted(s.operators, exportOperator),
		Rules:     s.rules, StoredRules: s.stored, Plan: s.plan, Council: slices.Clone(s.council),
		Threshold: s.threshold, NextProposal: s.nextProposal, Proposals: converted(s.proposals, exportProposal),
		Steps: converted(s.steps, func(p paramStep) SnapshotStep { return SnapshotStep{p.name, p.epoch} }),
	}
	_ = s.accounts.each(func(a *account) error {
		x.Accounts = append(x.Accounts, exportAccount(a))
		return nil
	})
	slices.SortFunc(x.Accounts, func(a, b SnapshotAccount) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	for uid := range s.neurons.n {
		x.Neurons = append(x.Neurons, exportNeuron(s.neurons.get(UID(uid))))
	}
	return x
}

func converted[T, U any](v []T, convert func(T) U) []U {
	var out []U
	for _, x := range v {
		out = append(out, convert(x))
	}
	return out
}

func exportAccount(a *account) SnapshotAccount {
	return SnapshotAccount{
		Key: a.key, Owner: a.owner, FreeRao: a.freeRao, StakeRao: a.stakeRao, Nonce: a.nonce,
		Delegate: a.delegate, Take: a.take, ChangedIn: a.changedIn, SettledRao: a.settledRao,
		SpentIn: a.spentIn, Spent: a.spent, References: a.refs,
		Served: a.last.serve, Reset: a.last.reset, TookMore: a.last.take, Swapped: a.last.swap,
		Unbonding: converted(a.unbonding, func(u unbonding) Unbonding { return Unbonding{u.hotkey, u.rao, u.begun} }),
		Nominations: converted(a.nominations, func(n nomination) SnapshotNomination {
			return SnapshotNomination{n.coldkey, n.stakeRao, n.settledRao}
		}),
	}
}

func exportProposal(p proposal) SnapshotProposal {
	return SnapshotProposal{p.id, p.by, p.opened, p.votes, p.agreedAt, p.content.clone()}
}

// clone is a copy that shares nothing.
func (m Propose) clone() Propose {
	m.Changes, m.Members = slices.Clone(m.Changes), slices.Clone(m.Members)
	return m
}

func exportOperator(o operator) SnapshotOperator {
	return SnapshotOperator{
		Hotkey: o.hotkey, ConsensusKey: o.key, Next: o.next, Pending: o.pending,
		Past:  converted(o.past, func(p pastKey) SnapshotPastKey { return SnapshotPastKey{p.key, p.until} }),
		Power: o.power, Since: o.since, Missed: slices.Clone(o.missed), Jailed: o.jailed,
		JailedUntil: o.jailedUntil, BarredUntil: o.barredUntil, Outgrown: o.outgrown,
		OverFrom: o.overFrom, Over: o.over,
	}
}

func importOperator(o SnapshotOperator) operator {
	return operator{
		hotkey: o.Hotkey, key: o.ConsensusKey, next: o.Next, pending: o.Pending,
		past:  converted(o.Past, func(p SnapshotPastKey) pastKey { return pastKey{p.Key, p.Until} }),
		power: o.Power, since: o.Since, missed: slices.Clone(o.Missed), jailed: o.Jailed,
		jailedUntil: o.JailedUntil, barredUntil: o.BarredUntil, outgrown: o.Outgrown,
		overFrom: o.OverFrom, over: o.Over,
	}
}

func exportNeuron(n *neuron) SnapshotNeuron {
	return SnapshotNeuron{
		Hotkey: n.hotkey, Axon: n.axon, IP: n.ip, Port: n.port, ConsensusKey: n.consensusKey,
		RegisteredAt: n.registeredAt, LastUpdate: n.lastUpdate, EmissionRao: n.emissionRao,
		Consensus: n.consensus, Incentive: n.incentive, Dividends: n.dividends,
		ValidatorTrust: n.trust, StakeWeight: n.stakeWeight, Rank: n.rank, Trust: n.minerTrust,
		PruningScore: n.pruningScore, Active: n.active, Permit: n.permit, Pruned: n.pruned,
		Wide: SnapshotScores{n.wide.rank, n.wide.trust, n.wide.consensus, n.wide.incentive, n.wide.dividends},
		Commits: converted(n.commits, func(c commit) SnapshotCommit {
			return SnapshotCommit{c.digest, c.block, c.epoch}
		}),
		Weights: slices.Clone(n.weights), Bonds: slices.Clone(n.bonds),
	}
}

// Import makes a state of what Export returned. Data that no chain can have exported is refused,
// as by UnmarshalBinary.
func Import(x Snapshot) (*State, error) {
	h := header{
		chainID: x.ChainID, params: x.Params, height: x.Height, lastEpoch: x.LastEpoch,
		epochs: x.Epochs, issuanceOffset: x.IssuanceOffsetRao, money: x.Money,
		burnPriceRao: x.BurnPriceRao, difficulty: x.Difficulty, inBlock: x.RegistrationsInBlock,
		burnsInterval: x.BurnsInInterval, worksInterval: x.WorksInInterval,
		governor: x.Governor, owner: x.Owner, mix: x.Mix,
		marks:  converted(x.Marks, func(m SnapshotMark) mark { return mark{m.Height, m.Entropy} }),
		works:  converted(x.Works, func(w SnapshotWork) usedWork { return usedWork{w.Block, w.Work} }),
		events: slices.Clone(x.Events), priceRao: x.PriceRao, workUsed: x.WorkUsed,
		bytesUsed: x.BytesUsed, resets: slices.Clone(x.Resets),
		seating:   seating{x.Begun, x.Proposer, slices.Clone(x.Tombs)},
		operators: converted(x.Operators, importOperator),
		governing: governing{
			x.Rules, x.StoredRules, x.Plan, slices.Clone(x.Council), x.Threshold, x.NextProposal,
			converted(x.Proposals, func(p SnapshotProposal) proposal {
				return proposal{p.ID, p.By, p.Opened, p.Votes, p.AgreedAt, p.Content.clone()}
			}),
			converted(x.Steps, func(p SnapshotStep) paramStep { return paramStep{p.Name, p.Epoch} }),
		},
	}
	h.money.Issuance = 0 // is not kept
	if err := x.onlyWhatItsSettingsKeep(); err != nil {
		return nil, err
	}
	if x.Money.Issuance != h.issuance() {
		return nil, fmt.Errorf("snapshot: issuance of %d rao, want %d", x.Money.Issuance, h.issuance())
	}
	s, err := newState(h)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	if len(x.ChainID) > maxChainID || len(x.Neurons) > int(x.Params.MaxUIDs) {
		return nil, fmt.Errorf("snapshot: chain id of %d bytes and %d neurons, want at most %d and %d",
			len(x.ChainID), len(x.Neurons), maxChainID, x.Params.MaxUIDs)
	}
	for i, a := range x.Accounts {
		if i > 0 && bytes.Compare(x.Accounts[i-1].Key[:], a.Key[:]) >= 0 {
			return nil, fmt.Errorf("snapshot: account %d out of order", i)
		}
		s.importAccount(a)
	}
	s.touched = slices.Clone(x.Touched)
	for uid, n := range x.Neurons {
		if _, taken := s.neurons.uidOf(n.Hotkey); taken {
			return nil, fmt.Errorf("snapshot: neuron %d: hotkey stands twice", uid)
		}
		s.appendNeuron(importNeuron(n))
	}
	// One place decides what a state may hold: the decoder of its bytes.
	b, err := s.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	var fresh State
	if err := fresh.UnmarshalBinary(b); err != nil {
		return nil, err
	}
	return &fresh, nil
}

// onlyWhatItsSettingsKeep objects to what a ledger with these settings does not keep.
func (x *Snapshot) onlyWhatItsSettingsKeep() error {
	if x.Params.Hard.FeeRao == 0 && (x.PriceRao|x.WorkUsed|uint64(x.BytesUsed) != 0 || len(x.Resets) > 0) {
		return fmt.Errorf("snapshot: price %d, work %d, %d bytes, %d resets, and work costs nothing",
			x.PriceRao, x.WorkUsed, x.BytesUsed, len(x.Resets))
	}
	if x.Params.Hard.Seats == 0 && (x.Begun || x.Proposer != Key{} || len(x.Tombs)+len(x.Operators) > 0) ||
		x.Params.Hard.UnbondEpochs == 0 && x.Money.Unbonding != 0 {
		return fmt.Errorf("snapshot: %d operators, %d rao unbonding, and the network has neither",
			len(x.Operators), x.Money.Unbonding)
	}
	if x.Params.Hard.ExistentialRao == 0 && len(x.Touched) > 0 {
		return fmt.Errorf("snapshot: %d touched accounts, and accounts take no deposit", len(x.Touched))
	}
	if x.Params.Hard.VoteDelayBlocks == 0 && (x.Rules|x.StoredRules|uint32(x.Threshold) != 0 || x.NextProposal != 0 ||
		x.Plan != Upgrade{} || len(x.Council)+len(x.Proposals)+len(x.Steps) > 0) {
		return fmt.Errorf("snapshot: version %d of the rules and a council of %d, and none governs",
			x.Rules, len(x.Council))
	}
	return nil
}

func (s *State) importAccount(a SnapshotAccount) {
	to := s.account(a.Key)
	to.freeRao, to.nonce, to.refs = a.FreeRao, a.Nonce, a.References
	to.unbonding = converted(a.Unbonding, func(u Unbonding) unbonding { return unbonding{u.Hotkey, u.Rao, u.Begun} })
	h := hotkey{
		age: s.age, owner: a.Owner, stakeRao: a.StakeRao, delegate: a.Delegate, take: a.Take,
		changedIn: a.ChangedIn, settledRao: a.SettledRao, spentIn: a.SpentIn, spent: a.Spent,
		last: limits{a.Served, a.Reset, a.TookMore, a.Swapped},
		nominations: converted(a.Nominations, func(n SnapshotNomination) nomination {
			return nomination{n.Coldkey, n.StakeRao, n.SettledRao}
		}),
	}
	if !h.blank() {
		to.hotkey = &h
	}
}

func importNeuron(n SnapshotNeuron) neuron {
	return neuron{
		hotkey: n.Hotkey, axon: n.Axon, ip: n.IP, port: n.Port, consensusKey: n.ConsensusKey,
		registeredAt: n.RegisteredAt, lastUpdate: n.LastUpdate, emissionRao: n.EmissionRao,
		consensus: n.Consensus, incentive: n.Incentive, dividends: n.Dividends,
		trust: n.ValidatorTrust, stakeWeight: n.StakeWeight, rank: n.Rank, minerTrust: n.Trust,
		pruningScore: n.PruningScore, active: n.Active, permit: n.Permit, pruned: n.Pruned,
		wide: wideScores{n.Wide.Rank, n.Wide.Trust, n.Wide.Consensus, n.Wide.Incentive, n.Wide.Dividends},
		commits: converted(n.Commits, func(c SnapshotCommit) commit {
			return commit{c.Commit, c.Block, c.Epoch}
		}),
		weights: slices.Clone(n.Weights), bonds: slices.Clone(n.Bonds),
	}
}
