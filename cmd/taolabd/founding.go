package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

// founding is what a network begins with: the settings of its ledger, and those who are there from the first
// block on.
type founding struct {
	BlockS    float64    `toml:"block_s" default:"12" unit:"s" min:"0.02" max:"3600" doc:"time between blocks"`
	UIDs      uint64     `toml:"uids" unit:"neurons" max:"16384" doc:"size for which the era's limits are scaled; 0: the era's own"`
	Chain     role.Chain `toml:"chain"`
	Founders  []founder  `toml:"founders"`
	Council   []string   `toml:"council" doc:"coldkeys that govern together; empty: nobody does"`
	Threshold uint64     `toml:"threshold" max:"15" doc:"members of the council who have to agree, more than half"`
}

// founder is somebody who is there from the first block on.
type founder struct {
	Coldkey      string  `toml:"coldkey" doc:"address of the coldkey"`
	Hotkey       string  `toml:"hotkey" doc:"address of the hotkey; one that a metagraph shows keeps its uid, stake and permit"`
	ConsensusKey string  `toml:"consensus_key" doc:"key with which its node votes about blocks, as taolabd keys prints it; empty: it has no seat"`
	StakeTAO     float64 `toml:"stake_tao" unit:"TAO" min:"0" max:"20999999" doc:"stake on the hotkey; a seat needs chain.hard.min_seat_rao"`
	FreeTAO      float64 `toml:"free_tao" default:"10" unit:"TAO" min:"0" max:"20999999" doc:"free money of the coldkey"`
	UID          bool    `toml:"uid" default:"true" doc:"the hotkey has a uid"`
	Permit       bool    `toml:"permit" doc:"it may set weights before the first epoch gives permits"`
}

// defaultFounding is the ledger of strangers, as the newest era has it.
func defaultFounding() founding {
	f := settings.Default[founding]()
	f.Chain.Era, f.Chain.TempoBlocks, f.Chain.WeightsRateLimitBlocks, f.Chain.Hard.Preset = "2026", 360, 100, "live"
	return f
}

// decodeFounding reads the text of a founding.
func decodeFounding(name, text string, sets []string) (founding, error) {
	f := defaultFounding()
	d, err := settings.Parse(name, text, sets)
	if err != nil {
		return f, err
	}
	d.Decode(&f)
	if faults := d.Faults(); len(faults) > 0 {
		return f, errors.Join(faults...)
	}
	if len(f.Chain.Council) > 0 || f.Chain.CouncilThreshold > 0 {
		return f, &settings.Error{Key: "chain.council", Fault: "it names nodes of a scenario, and a live network has none yet",
			Want: "council and threshold before the table [chain], with addresses of coldkeys"}
	}
	return f, nil
}

// params are the parameters of the ledger.
func (f *founding) params() (chain.Params, error) {
	p, err := chain.Era(f.Chain.Era)
	if err != nil {
		return p, &settings.Error{Key: "chain.era", Fault: err.Error(), Hint: settings.Meant(f.Chain.Era, chain.Eras())}
	}
	if uids := f.UIDs; uids != 0 {
		p = p.Scaled(int(uids))
	} else {
		p = p.Scaled(int(p.MaxUIDs))
	}
	return f.Chain.ParamsOn(p, int(p.MaxUIDs))
}

// genesis is the network's beginning.
func (f *founding) genesis(name string, at time.Time) (replica.Genesis, error) {
	p, err := f.params()
	if err != nil {
		return replica.Genesis{}, err
	}
	g := chain.Genesis{
		Params: p, IssuanceOffsetRao: role.Rao(f.Chain.InitialIssuanceTAO),
		Upgrade: chain.Upgrade{Rules: uint32(f.Chain.UpgradeRules), Height: f.Chain.UpgradeHeight},
	}
	return f.begin(name, g, at)
}

// goOn is a network that goes on from what a metagraph shows, with the founders added.
func (f *founding) goOn(name string, metagraph []byte, at time.Time) (replica.Genesis, []conformance.Filled, error) {
	g, filled, err := conformance.ReadMetagraph(metagraph)
	if err != nil {
		return replica.Genesis{}, nil, err
	}
	g.Params = g.Params.Live()
	if len(g.Neurons) >= int(g.Params.MaxUIDs) { // they have stake and a seat, and register for a uid
		for i := range f.Founders {
			f.Founders[i].UID = false
		}
	}
	made, err := f.begin(name, g, at)
	return made, filled, err
}

// begin adds the founders and the council to a genesis.
func (f *founding) begin(name string, g chain.Genesis, at time.Time) (replica.Genesis, error) {
	permits := len(g.Records) > 0 || slices.ContainsFunc(f.Founders, func(one founder) bool { return one.UID && one.Permit })
	for i, one := range f.Founders {
		if err := one.join(&g, permits); err != nil {
			return replica.Genesis{}, fmt.Errorf("founders[%d]: %w", i, err)
		}
	}
	for i, member := range f.Council {
		key, err := wallet.ParseKey(member)
		if err != nil {
			return replica.Genesis{}, fmt.Errorf("council[%d]: %w", i, err)
		}
		g.Council = append(g.Council, key)
	}
	g.Threshold = uint8(f.Threshold)
	return replica.NewGenesis(name, g, at, time.Duration(role.Seconds(f.BlockS)))
}

// take gives a founder the neuron of its hotkey, if a metagraph shows it. Its coldkey takes the place of one that nobody
// knows.
func (f *founder) take(g *chain.Genesis, hotkey, coldkey chain.Key) (bool, error) {
	at := slices.IndexFunc(g.Neurons, func(n chain.GenesisNeuron) bool { return n.Hotkey == hotkey })
	if at < 0 {
		return false, nil
	}
	n := &g.Neurons[at]
	if n.Coldkey != coldkey && n.Coldkey != conformance.Placeholder(hotkey) {
		return false, fmt.Errorf("hotkey %s has uid %d already, and there its coldkey is %s; expected that one, or another hotkey",
			f.Hotkey, at, wallet.Address(n.Coldkey))
	}
	n.Coldkey = coldkey
	return true, nil
}

// join puts a founder into a genesis.
func (f *founder) join(g *chain.Genesis, permits bool) error {
	coldkey, err := wallet.ParseKey(f.Coldkey)
	if err != nil {
		return fmt.Errorf("coldkey: %w", err)
	}
	hotkey, err := wallet.ParseKey(f.Hotkey)
	if err != nil {
		return fmt.Errorf("hotkey: %w", err)
	}
	stake := role.Rao(f.StakeTAO)
	taken, err := f.take(g, hotkey, coldkey)
	if err != nil {
		return err
	}
	if taken {
		// its stake and record are there
	} else if f.UID {
		g.Neurons = append(g.Neurons, chain.GenesisNeuron{Hotkey: hotkey, Coldkey: coldkey, StakeRao: stake})
		if permits {
			g.Records = append(g.Records, chain.GenesisRecord{
				RegisteredAt: g.Height, LastUpdate: g.Height, Permit: f.Permit, Active: true,
			})
		}
	} else {
		g.Stakes = append(g.Stakes, chain.GenesisStake{Hotkey: hotkey, Coldkey: coldkey, StakeRao: stake})
	}
	if f.FreeTAO > 0 {
		g.Balances = append(g.Balances, chain.Balance{Coldkey: coldkey, FreeRao: role.Rao(f.FreeTAO)})
	}
	if f.ConsensusKey == "" {
		return nil
	}
	key, err := wallet.ParseKey(f.ConsensusKey)
	if err != nil {
		return fmt.Errorf("consensus_key: %w", err)
	}
	g.Operators = append(g.Operators, chain.GenesisOperator{Hotkey: hotkey, ConsensusKey: key})
	return nil
}
