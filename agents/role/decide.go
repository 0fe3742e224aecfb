package role

import (
	"fmt"
	"math"
	"slices"

	"taolab/agents"
	"taolab/agents/decide"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/chain/bridge"
	"taolab/sim/chain/registration"
	"taolab/sim/host"
)

// MinerWants holds the settings of a miner's owner.
type MinerWants struct {
	EveryEpochs  uint64        `toml:"every_epochs" unit:"epochs" max:"1000000" doc:"epochs between two decisions, counted from an offset that each member draws; 0: nobody decides, and the keys below change nothing"`
	Smoothing    float64       `toml:"smoothing" default:"0.3" unit:"share" min:"0.001" max:"1" doc:"weight of the newest income in the moving average that decisions go by"`
	Price        string        `toml:"price" doc:"[[prices]] path of a unit of account in TAO; empty: always 1 TAO"`
	HardwarePerH settings.Span `toml:"hardware_per_h" default:"0.4" unit:"units/h" min:"0" max:"1e6" doc:"cost of the machine, in units of account; a pair is spread over the members"`
	Watts        settings.Span `toml:"watts" default:"350" unit:"W" min:"0" max:"1e9" doc:"power while it computes, or hashes; a pair is spread over the members"`
	PerKWh       float64       `toml:"per_kwh" default:"0.12" unit:"units/kWh" min:"0" max:"1e6" doc:"price of energy"`
	Entry        string        `toml:"entry" default:"stay" one:"stay,value,trial,wait,always" doc:"stay: a seat is neither taken nor left; value: it is taken where expected income less cost, discounted, is worth more than its price, and left where income stays below cost; trial: as value, but it expects to earn nothing while it is immune, and to outlast that with chance survival; wait: as value, where the worth exceeds the price by the worth of waiting; always: a seat is wanted whatever it is worth"`
	By           string        `toml:"by" default:"burn" one:"burn,work" doc:"how it registers: by burning the price, or by proof of work"`
	HashesPerS   float64       `toml:"hashes_per_s" default:"1e6" unit:"1/s" min:"1e-6" max:"1e15" doc:"hash rate of its work"`
	Discount     float64       `toml:"discount" default:"0.0001" unit:"1/epoch" min:"0" max:"1" doc:"discount of an epoch's money relative to the epoch before"`
	Patience     uint64        `toml:"patience" default:"3" unit:"decisions" min:"1" max:"1000000" doc:"decisions in a row with income below cost before it leaves; not counted while the seat is immune"`
	Hysteresis   float64       `toml:"hysteresis" default:"0.1" unit:"share" min:"0" max:"100" doc:"margin by which income must exceed cost before it enters"`
	Survival     float64       `toml:"survival" default:"0.5" unit:"share" min:"0.001" max:"1" doc:"entry = trial: chance to outlast immunity"`
	WaitSpread   float64       `toml:"wait_spread" default:"0.9" unit:"1/year" min:"0" max:"100" doc:"entry = wait: spread of the seat's worth, as of a geometric Brownian motion"`
	WaitDiscount float64       `toml:"wait_discount" default:"0.1" unit:"1/year" min:"0.0001" max:"100" doc:"entry = wait: discount of the seat's worth"`
	AdaptDuty    bool          `toml:"adapt_duty" doc:"duty follows what it brings, in quarters, and begins at the group's duty"`
	MixRate      float64       `toml:"mix_rate" unit:"share" min:"0" max:"2" doc:"how strongly the learning mix follows what pays: the change of a share's logarithm for a relative change of income; 0: the mix stays as it is"`
	MixBy        string        `toml:"mix_by" default:"income" one:"income,pay,gradient,bandit" doc:"income: the mix follows the miner's own incentive, which it tries by mix_try; pay: what validators that publish say they pay for each subset, over what the miner trains there; it then also learns subsets that nobody paid for before; gradient: the rows of each subset that it was asked, as it tells them apart, times how fast its own held-out loss there falls with training, whatever is paid; bandit: each decision boosts one subset, drawn by EXP3 from how the miner's incentive moved after those before (mix_rate only turns it on)"`
	MixTry       float64       `toml:"mix_try" default:"0.02" unit:"share" min:"0.0001" max:"0.5" doc:"by how much shares are moved along a random direction, there for one decision period and back for one, to see whether income follows"`
	MixBoost     float64       `toml:"mix_boost" default:"0.5" unit:"share" min:"0.01" max:"0.9" doc:"mix_by = bandit: what the boosted subset gets of the whole; the rest stays as the mix was at first"`
	MixPeriods   uint64        `toml:"mix_periods" default:"200" unit:"decisions" min:"1" max:"1000000000" doc:"mix_by = bandit: decisions for which its exploration is best: sqrt(K ln K / ((e - 1) mix_periods)) of its draws are even over K subsets"`
	MixFloor     float64       `toml:"mix_floor" default:"0.02" unit:"share" min:"0" max:"0.5" doc:"least share of a subset"`
	MostUIDs     int           `toml:"most_uids" unit:"uids" max:"64" doc:"uids that the miner holds at most, at least uids: it takes one more where that adds more to its income than uid_per_h and is worth its price, and no longer serves under the least paying one where that costs more than it adds; 0: uids"`
	UIDPerH      float64       `toml:"uid_per_h" unit:"units/h" min:"0" max:"1e6" doc:"cost of each uid besides the machine, in units of account"`
	Sell         float64       `toml:"sell" unit:"share" min:"0" max:"1" doc:"share of what its stake grew by that the owner sells to the exchange"`
}

// ValidatorWants holds the settings of a validator's owner.
type ValidatorWants struct {
	EveryEpochs   uint64   `toml:"every_epochs" unit:"epochs" max:"1000000" doc:"epochs between two decisions, counted from an offset that each member draws; 0: nobody decides, and the keys below change nothing"`
	Smoothing     float64  `toml:"smoothing" default:"0.3" unit:"share" min:"0.001" max:"1" doc:"weight of the newest revenue in the moving average that decisions go by"`
	Sell          float64  `toml:"sell" unit:"share" min:"0" max:"1" doc:"share of what its stake grew by that the owner sells to the exchange"`
	HalfLifeYears float64  `toml:"half_life_years" unit:"years" min:"0" max:"1000" doc:"time in which the owner sells half of its stake, as a foundation does; 0: it keeps it"`
	Take          *float64 `toml:"take" unit:"share" min:"0" max:"1" doc:"it opens to nominators and keeps this share of their dividends, at most the chain's limit; unset: it takes no nominations"`
	TakeStep      float64  `toml:"take_step" unit:"share" min:"0" max:"1" doc:"step by which the take is moved to see whether that earns more; 0: the take is fixed"`
	TakeDecisions uint64   `toml:"take_decisions" default:"10" unit:"decisions" min:"1" max:"1000000" doc:"decisions between two moves of the take"`
}

// HolderWants holds the settings of a nominator, who holds money and no seat.
type HolderWants struct {
	EveryEpochs uint64  `toml:"every_epochs" default:"5" unit:"epochs" min:"1" max:"1000000" doc:"epochs between two decisions, counted from an offset that each member draws"`
	Beta        float64 `toml:"beta" default:"20" min:"0" max:"100000" doc:"how strongly it follows yields: delegates get shares in proportion to the exponentials of beta times their yearly net yield"`
	Bridge      float64 `toml:"bridge" unit:"share" min:"0" max:"1" doc:"share of its free money that goes to the other chain in a decision; needs [bridge]"`
	Move        float64 `toml:"move" default:"0.05" unit:"share" min:"0" max:"1" doc:"part of the way to those shares that its stake moves in a decision"`
}

// Decides reports whether the miner's owner decides on anything.
func (w *MinerWants) Decides() bool { return w.EveryEpochs > 0 }

// Decides reports whether the validator's owner decides on anything.
func (w *ValidatorWants) Decides() bool { return w.EveryEpochs > 0 }

// Check reports faults that involve several keys, each key below the path of the table.
func (w *MinerWants) Check(path string, subsets int, report Report) {
	if !w.Decides() {
		if *w != settings.Default[MinerWants]() {
			report(path+".every_epochs", "0, and other keys of the table are set", "at least 1", "or leave the table out")
		}
		return
	}
	if float64(w.MixFloor*float64(subsets)) >= 1 && w.MixRate > 0 {
		report(path+".mix_floor", fmt.Sprintf("%g for each of %d subsets leaves nothing to choose", w.MixFloor, subsets), fmt.Sprintf("less than %g", 1/float64(subsets)), "")
	}
}

// Check reports keys that are set although the owner does not decide.
func (w *ValidatorWants) Check(path string, report Report) {
	if !w.Decides() && *w != settings.Default[ValidatorWants]() {
		report(path+".every_epochs", "0, and other keys of the table are set", "at least 1", "or leave the table out")
	}
	if w.TakeStep > 0 && w.Take == nil {
		report(path+".take_step", "set without a take", "take too", "")
	}
}

// exchange names the coldkey of the buyers, which belongs to no node.
const exchange = "exchange"

// owner holds the settings that all owners share.
func (m *Maker) owner(every uint64, smoothing float64) agents.OwnerConfig {
	return agents.OwnerConfig{
		Every: every, Smoothing: smoothing, BlockNs: Seconds(m.BlockS), Genesis: m.Height, Price: decide.Constant(1),
		Money: agents.Money{Exchange: m.Coldkey(exchange)},
	}
}

// ownedMiner makes a miner whose owner decides: member i of n of a group, which may take a seat after afterS
// seconds. Made makes the node's agent.
func (m *Maker) ownedMiner(g *Miner, i, n int, afterS float64, made working) (func() host.Agent, error) {
	w := &g.Wants
	c := m.owner(w.EveryEpochs, w.Smoothing)
	c.Make, c.Money.Sell, c.Duty = made, w.Sell, g.Duty.At(i, n)
	c.From = m.Height + uint64(afterS/m.BlockS)
	c.Identities, c.UIDPerH = g.Identities(), w.UIDPerH
	c.Costs = decide.Costs{HardwarePerH: w.HardwarePerH.At(i, n), Watts: w.Watts.At(i, n), PerKWh: w.PerKWh}
	if w.Price != "" {
		c.Price = m.Prices[w.Price]
	}
	if w.Entry != "stay" {
		c.Seat = &agents.Seating{
			Seat:   decide.Seat{Discount: w.Discount, Patience: uint32(w.Patience), Hysteresis: w.Hysteresis, Factor: 1},
			Always: w.Entry == "always", ByWork: w.By == "work", HashesPerS: w.HashesPerS,
		}
		if w.Entry == "trial" {
			c.Seat.Survival = w.Survival
		}
		if w.Entry == "wait" {
			c.Seat.Factor = decide.WaitFactor(0, w.WaitSpread, w.WaitDiscount)
		}
	}
	if w.AdaptDuty || w.MixRate > 0 {
		names, start, from := m.learnable(g)
		c.Learning = &agents.Learning{
			Subsets: names, Start: start, From: from, By: mixPolicies[w.MixBy], Adapts: w.AdaptDuty,
			Try: w.MixTry, Boost: w.MixBoost, Periods: w.MixPeriods,
			Rule: decide.MixRule{Rate: w.MixRate, Floor: w.MixFloor},
		}
	}
	return func() host.Agent { return agents.NewOwner(c) }, c.Validate()
}

// mixPolicies are the words of mix_by.
var mixPolicies = map[string]agents.MixPolicy{
	"income": agents.ByIncome, "pay": agents.ByPay, "gradient": agents.ByGradient, "bandit": agents.ByBandit,
}

// climbs reports whether the miner's mind has to watch itself.
func (w *MinerWants) climbs() bool { return w.Decides() && w.MixRate > 0 && w.MixBy == "gradient" }

// learnable are the run's subsets, with the share of each in a miner's training at first and the height from
// which it may learn it.
func (m *Maker) learnable(g *Miner) (names []string, start []float64, from []uint64) {
	if m.Stated != nil {
		names, start = m.Stated.Names, weightsOf(m.Stated.Names, m.Stated.Weights, g.Subsets, g.Mix)
	} else {
		names, start = m.Whole.Subsets(), m.weights(g.Subsets, g.Mix, m.Height)
		clear(start[m.readable(g):])
	}
	from = make([]uint64, len(names))
	total := sum(start)
	for s, name := range names {
		start[s] /= total
		if len(g.Subsets) > 0 && !slices.Contains(g.Subsets, name) {
			from[s] = math.MaxUint64
		}
	}
	if m.Stated != nil {
		return names, start, from
	}
	for _, a := range m.additions {
		for s := a.first; s < a.end(m); s++ {
			if from[s] = max(from[s], a.fromBlock); !a.shared && (g.Wants.MixBy == "income" || g.Wants.MixBy == "bandit") || s >= m.readable(g) {
				from[s] = math.MaxUint64
			}
		}
	}
	return names, start, from
}

// readable counts the run's subsets with text in a miner's tokens, which are the first ones.
func (m *Maker) readable(g *Miner) int {
	if own, err := m.ownOf(g.Checkpoint); err == nil && own.Translation != nil {
		return len(own.Text.Store.Subsets())
	}
	return len(m.Whole.Subsets())
}

// owned gives a validator an owner if its table says that one decides.
func (m *Maker) owned(g *Validator, fresh func() host.Agent) func() host.Agent {
	w := &g.Wants
	if !w.Decides() {
		return fresh
	}
	c := m.owner(w.EveryEpochs, w.Smoothing)
	c.Make = func() (host.Agent, agents.Worker) { return fresh(), nil }
	c.Money.Sell, c.Money.HalfLifeYears = w.Sell, w.HalfLifeYears
	if w.Take != nil {
		c.Money.Taking = &agents.Taking{First: share16(*w.Take), Step: share16(w.TakeStep), Every: uint32(w.TakeDecisions)}
	}
	return func() host.Agent { return agents.NewOwner(c) }
}

// investing makes a validator stake more while the network runs if its table says so.
func (m *Maker) investing(g *Validator, fresh func() host.Agent) func() host.Agent {
	if g.InvestTAO == 0 {
		return fresh
	}
	c := agents.InvestorConfig{
		AtBlock: block(g.InvestH, m.BlockS, m.Height), AmountRao: Rao(g.InvestTAO), RetryBlocks: 5, Tries: 100, Does: fresh,
	}
	return func() host.Agent { return agents.NewInvestor(c) }
}

// Bridge holds the settings of a network's one bridge.
type Bridge struct {
	EveryBlocks   uint64  `toml:"every_blocks" unit:"blocks" max:"1000000" doc:"blocks between two looks of the bridge at its vault; 0: no bridge"`
	Confirmations uint64  `toml:"confirmations" default:"12" unit:"blocks" max:"100000" doc:"blocks after which it trusts the other chain"`
	DelayBlocks   uint64  `toml:"delay_blocks" default:"300" unit:"blocks" max:"1000000" doc:"additional blocks that a transfer takes"`
	Back          float64 `toml:"back" default:"0.01" unit:"share" min:"0" max:"1" doc:"share of the money minted on the other chain that returns at each look, to holders who use the bridge"`
	ReorgBlocks   uint64  `toml:"reorg_blocks" unit:"blocks" max:"100000000" doc:"blocks between two reorganisations of the other chain; 0: none"`
	ReorgDepth    uint64  `toml:"reorg_depth" default:"6" unit:"blocks" max:"100000" doc:"depth of each: one deeper than confirmations and delay together undoes burns that were already paid"`
}

// VaultName names the node of the bridge, whose coldkey is the vault.
const VaultName = "bridge"

// Bridge makes the bridge of a network, which pays the coldkeys payees.
func (m *Maker) Bridge(g *Bridge, payees []chain.Key) (Agent, error) {
	c := agents.BridgeConfig{
		Rules:       bridge.Rules{Confirmations: g.Confirmations, DelayBlocks: g.DelayBlocks, Remembers: max(g.ReorgDepth, g.Confirmations+g.DelayBlocks)},
		EveryBlocks: g.EveryBlocks, Back: g.Back, Payees: payees, ReorgBlocks: g.ReorgBlocks, ReorgDepth: g.ReorgDepth,
	}
	return Agent{Fresh: func() host.Agent { return agents.NewBridge(c) }}, c.Validate()
}

// Holder makes a nominator, who holds money and no seat.
func (m *Maker) Holder(w *HolderWants) Agent {
	c := m.owner(w.EveryEpochs, 1)
	c.Make = func() (host.Agent, agents.Worker) { return agents.Idle{}, nil }
	c.Money.Vault, c.Money.Bridge = m.Coldkey(VaultName), w.Bridge
	c.Money.Nominating = &agents.Nominating{Beta: w.Beta, Share: w.Move}
	return Agent{Fresh: func() host.Agent { return agents.NewOwner(c) }}
}

// WorkBudget is the most hashes that miners of a run may compute: a core makes a million or more a second.
const WorkBudget = 1e9

// CheckWork reports work that is too much for the machine: hashes is the most that all miners together may
// compute in the run.
func CheckWork(p *chain.Params, hashes float64, report Report) {
	if hashes > WorkBudget && registration.Seal(p.Seal) != registration.Granted {
		report("chain.seal", fmt.Sprintf("%s, and miners would hash %.3g times", p.Seal, hashes), fmt.Sprintf("at most %.3g hashes", float64(WorkBudget)),
			`lower hashes_per_s and min_difficulty alike, or set seal = "granted": the ledger then believes that the work was done`)
	}
}
