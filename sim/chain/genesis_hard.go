package chain

import (
	"fmt"
	"slices"
)

// goOn takes over the parts of another ledger's state besides stake.
func (f *founding) goOn() error {
	g := f.g
	if n := len(g.Records); n > 0 && n != len(g.Neurons) {
		return fmt.Errorf("%d records of %d neurons", n, len(g.Neurons))
	}
	if g.Height > maxGenesisHeight {
		return fmt.Errorf("height %d: want at most %d", g.Height, uint64(maxGenesisHeight))
	}
	if err := f.mint(g.PendingRao); err != nil {
		return fmt.Errorf("pending: %w", err)
	}
	f.height, f.lastEpoch, f.epochs, f.money.Pending = g.Height, g.LastEpoch, g.Epochs, g.PendingRao
	if g.BurnPriceRao > 0 {
		if f.burnPriceRao = f.params.clampBurn(g.BurnPriceRao); f.burnPriceRao != g.BurnPriceRao {
			return fmt.Errorf("price of %d rao of a registration: want %d to %d", g.BurnPriceRao, f.params.MinBurnRao,
				f.params.MaxBurnRao)
		}
	}
	for i, r := range g.Records {
		uid := UID(i)
		n := f.neuron(uid)
		n.registeredAt, n.lastUpdate, n.permit, n.active = r.RegisteredAt, r.LastUpdate, r.Permit, r.Active
		n.ip, n.port = r.IP, r.Port
		if r.Axon != (Key{}) {
			n.axon = r.Axon
		}
		f.setWeights(uid, slices.Clone(r.Weights))
		f.setBonds(uid, slices.Clone(r.Bonds))
	}
	return nil
}

const maxGenesisHeight = 1 << 40

// seats gives the operators their power.
func (f *founding) seats() error {
	if len(f.g.Operators) > 0 && f.params.Hard.Seats == 0 {
		return fmt.Errorf("%d operators, and Hard.Seats is 0", len(f.g.Operators))
	}
	for i, g := range f.g.Operators {
		at, twice := f.findOperator(g.Hotkey)
		switch {
		case f.accounts.get(g.Hotkey).owner == Key{}:
			return fmt.Errorf("operator %d: %s is not a hotkey of the genesis", i, g.Hotkey)
		case twice:
			return fmt.Errorf("operator %d: hotkey %s stands twice", i, g.Hotkey)
		case g.ConsensusKey.weak() || f.keySpent(g.ConsensusKey):
			return fmt.Errorf("operator %d: consensus key %s is another's or anybody's", i, g.ConsensusKey)
		}
		f.operators = slices.Insert(f.operators, at, operator{
			hotkey: g.Hotkey, key: g.ConsensusKey, missed: make([]byte, f.windowBytes()),
		})
	}
	for i, power := range f.targets(f.operators) {
		f.operators[i].power = power
	}
	return nil
}

// government seats the council and notes the planned upgrade.
func (f *founding) government() error {
	if f.params.Hard.VoteDelayBlocks == 0 {
		if len(f.g.Council) > 0 || f.g.Threshold != 0 || f.g.Upgrade != (Upgrade{}) {
			return fmt.Errorf("a council or an upgrade, and Hard.VoteDelayBlocks is 0")
		}
		return nil
	}
	f.rules, f.stored = 1, 1
	if u := f.g.Upgrade; u != (Upgrade{}) {
		if err := f.mayUpgrade(u); err != nil {
			return fmt.Errorf("upgrade: %w", err)
		}
		f.plan = u
	}
	if len(f.g.Council) == 0 {
		return nil
	}
	if f.governor != (Key{}) {
		return fmt.Errorf("a council and a governor: want one of them")
	}
	if err := checkCouncil(f.g.Council, f.g.Threshold); err != nil {
		return fmt.Errorf("council: %w", err)
	}
	for _, a := range constitution {
		if !a.kept(&f.params, &f.params, f.money.Staked) {
			return fmt.Errorf("council: the parameters break the constitution: %s", a.doc)
		}
	}
	f.council, f.threshold = slices.Clone(f.g.Council), f.g.Threshold
	return nil
}
