package chain

import (
	"fmt"
	"slices"
)

// Genesis is the beginning of a chain.
type Genesis struct {
	ChainID  string // 1 to 64 bytes
	Params   Params
	Balances []Balance
	Neurons  []GenesisNeuron // uids in this order
	Stakes   []GenesisStake
	// Delegates are open to nominators: a stake of another coldkey than the owner is a nomination.
	Delegates []GenesisDelegate
	Governor  Key // may set parameters; zero: nobody
	Owner     Key // hotkey of the network's owner, one of those above; zero: none
	// Operators have seats from the first block on, where the network has any.
	Operators []GenesisOperator
	// Council governs in the governor's place where Hard.VoteDelayBlocks is set: so many members as the
	// threshold says have to agree.
	Council   []Key
	Threshold uint8
	Upgrade   Upgrade // that is planned; zero: none
	// Height is that of the state; the first block is the next. What follows is for a ledger that goes on
	// from another's: the block of its last epoch, 0: none; the number of epochs; what they have not paid
	// yet; the price of a registration, 0: Params.BurnRao; and what its neurons have, by uid, if not nothing.
	Height       uint64
	LastEpoch    uint64
	Epochs       uint64
	PendingRao   uint64
	BurnPriceRao uint64
	Records      []GenesisRecord
	// IssuanceOffsetRao counts as issued on top of the money below: what was minted before
	// genesis and lies outside this ledger.
	IssuanceOffsetRao uint64
}

// Balance is free money of a coldkey.
type Balance struct {
	Coldkey Key
	FreeRao uint64
}

// GenesisNeuron is a neuron that is registered at genesis.
type GenesisNeuron struct {
	Hotkey, Coldkey Key
	StakeRao        uint64
}

// GenesisRecord is the part of a neuron's state that a ledger takes over from another's.
type GenesisRecord struct {
	RegisteredAt uint64 // block
	LastUpdate   uint64 // block
	Permit       bool
	Active       bool // at the last epoch
	Weights      []WeightEntry
	Bonds        []BondEntry
	Axon         Key // zero: the hotkey
	IP           [16]byte
	Port         uint16
}

// GenesisDelegate is a hotkey that takes a share of its nominators' dividends.
type GenesisDelegate struct {
	Hotkey Key
	Take   uint16 // in 1/65535
}

// GenesisOperator is a hotkey of the genesis that serves in the network's own consensus.
type GenesisOperator struct {
	Hotkey, ConsensusKey Key
}

// GenesisStake is a staked hotkey without a uid, or, of another coldkey than the owner, a nomination
// of a delegate that stands before it.
type GenesisStake struct {
	Hotkey, Coldkey Key
	StakeRao        uint64
}

// New makes the state at height 0.
func New(g Genesis) (*State, error) {
	if n := len(g.ChainID); n < 1 || n > maxChainID {
		return nil, fmt.Errorf("genesis: chain id of %d bytes, want 1 to %d", n, maxChainID)
	}
	if len(g.Neurons) > int(g.Params.MaxUIDs) {
		return nil, fmt.Errorf("genesis: %d neurons, MaxUIDs is %d", len(g.Neurons), g.Params.MaxUIDs)
	}
	s, err := newState(header{chainID: g.ChainID, params: g.Params})
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	s.burnPriceRao = g.Params.BurnRao
	s.difficulty = g.Params.Difficulty
	s.governor = g.Governor
	s.priceRao = g.Params.Hard.FeeRao
	f := founding{State: s, g: &g, total: g.IssuanceOffsetRao}
	for _, step := range []func() error{f.offset, f.balances, f.delegates, f.stakes, f.owns, f.goOn, f.seats, f.government} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("genesis: %w", err)
		}
	}
	// Those of genesis begin at 0, whatever the rule.
	_ = s.accounts.each(func(a *account) error {
		a.nonce = 0
		return nil
	})
	s.touched = slices.DeleteFunc(s.touched, func(k Key) bool {
		a := s.accounts.get(k)
		return !s.idle(&a)
	})
	slices.SortFunc(s.touched, compareKeys)
	s.touched = slices.Compact(s.touched)
	s.mustConserve()
	if g.Height > 0 || len(g.Records) > 0 {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("genesis: %w", err)
		}
	}
	return s, nil
}

// MoneyRao is all money that accounts hold at genesis, free and staked, as far as 64 bits hold it.
func (g *Genesis) MoneyRao() uint64 {
	rao := uint64(0)
	add := func(more uint64) { rao += min(more, maxU64-rao) }
	for _, b := range g.Balances {
		add(b.FreeRao)
	}
	for _, n := range g.Neurons {
		add(n.StakeRao)
	}
	for _, s := range g.Stakes {
		add(s.StakeRao)
	}
	return rao
}

// founding makes the first state from a genesis.
type founding struct {
	*State
	g     *Genesis
	total uint64         // issued so far
	takes map[Key]uint16 // of the delegates
}

// mint counts money as issued.
func (f *founding) mint(rao uint64) error {
	if limit := f.params.CapRao; rao > limit || f.total > limit-rao {
		return fmt.Errorf("more than the supply of %d rao", limit)
	}
	f.total += rao
	f.money.Minted += rao
	return nil
}

func (f *founding) offset() error {
	if f.total > f.params.CapRao {
		return fmt.Errorf("more than the supply of %d rao", f.params.CapRao)
	}
	f.issuanceOffset = f.total
	return nil
}

func (f *founding) balances() error {
	for i, b := range f.g.Balances {
		if b.Coldkey == (Key{}) {
			return fmt.Errorf("balance %d: %w", i, ZeroKey)
		}
		if err := f.mint(b.FreeRao); err != nil {
			return err
		}
		f.account(b.Coldkey).freeRao += b.FreeRao
		f.money.Free += b.FreeRao
	}
	return nil
}

func (f *founding) delegates() error {
	f.takes = make(map[Key]uint16)
	for i, d := range f.g.Delegates {
		_, twice := f.takes[d.Hotkey]
		switch {
		case twice:
			return fmt.Errorf("delegate %d: hotkey %s stands twice", i, d.Hotkey)
		case f.params.MaxNominators == 0:
			return fmt.Errorf("delegate %d: MaxNominators is 0", i)
		case d.Take > f.params.MaxTake:
			return fmt.Errorf("delegate %d: %w", i,
				refuse(TakeAboveMaximum, uint64(d.Take), uint64(f.params.MaxTake)))
		}
		f.takes[d.Hotkey] = d.Take
	}
	return nil
}

func (f *founding) stakes() error {
	for i, n := range f.g.Neurons {
		if err := f.found(GenesisStake(n)); err != nil {
			return fmt.Errorf("neuron %d: %w", i, err)
		}
		f.appendNeuron(f.newcomer(UID(i), n.Hotkey, 0))
	}
	for i, n := range f.g.Stakes {
		place := f.found
		if owner := f.accounts.get(n.Hotkey).owner; owner != (Key{}) && owner != n.Coldkey {
			place = f.nominate
		}
		if err := place(n); err != nil {
			return fmt.Errorf("stake %d: %w", i, err)
		}
	}
	return nil
}

// found makes a coldkey the owner of a hotkey.
func (f *founding) found(n GenesisStake) error {
	switch {
	case n.Hotkey == Key{} || n.Coldkey == Key{}:
		return ZeroKey
	case f.accounts.get(n.Hotkey).owner != Key{}:
		return fmt.Errorf("hotkey %s stands twice", n.Hotkey)
	}
	if err := f.mint(n.StakeRao); err != nil {
		return err
	}
	f.own(n.Coldkey, n.Hotkey)
	a := f.hotkey(n.Hotkey)
	a.stakeRao = n.StakeRao
	a.take, a.delegate = f.takes[n.Hotkey]
	f.money.Staked += n.StakeRao
	return nil
}

// nominate puts the stake of a coldkey other than the owner on a hotkey.
func (f *founding) nominate(n GenesisStake) error {
	switch a := f.accounts.get(n.Hotkey); {
	case n.Coldkey == Key{}:
		return ZeroKey
	case n.StakeRao == 0:
		return ZeroAmount
	default:
		if err := a.admits(n.Coldkey, n.StakeRao, &f.params); err != nil {
			return err
		}
	}
	if err := f.mint(n.StakeRao); err != nil {
		return err
	}
	f.hotkey(n.Hotkey).stakeRao += n.StakeRao
	f.State.nominate(n.Coldkey, n.Hotkey, n.StakeRao)
	f.money.Staked += n.StakeRao
	return nil
}

// owns sets the owner of the network and checks that owner and delegates are owned hotkeys.
func (f *founding) owns() error {
	if owner := f.g.Owner; owner != (Key{}) && f.accounts.get(owner).owner == (Key{}) {
		return fmt.Errorf("owner %s is not a hotkey of the genesis", owner)
	}
	f.owner = f.g.Owner
	for i, d := range f.g.Delegates {
		if f.accounts.get(d.Hotkey).owner == (Key{}) {
			return fmt.Errorf("delegate %d: %s is not a hotkey of the genesis", i, d.Hotkey)
		}
	}
	return nil
}
