package retention

import (
	"fmt"

	"taolab/model/num"
	"taolab/sim/chain/consensus"
	"taolab/sim/chain/fixed"
)

// Money of a network, of which only shares matter.
const (
	stakeRao    = 1e15
	emissionRao = 1e12
)

// units are a draw's standard normal numbers: settings and stakes only scale them.
type units struct {
	stakes  []float64
	weights [][]float64 // by validator
}

// drawUnits draws the numbers of a network's shape.
func drawUnits(seed uint64, draw int, s Setting) *units {
	stream := num.NewStream(seed, fmt.Sprintf("retention/%d", draw))
	normals := func(n int) []float64 {
		z := make([]float64, n)
		for i := range z {
			z[i] = stream.Normal()
		}
		return z
	}
	u := &units{stakes: normals(s.Validators), weights: make([][]float64, s.Validators)}
	for i := range u.weights {
		u.weights[i] = normals(s.Neurons - s.Validators)
	}
	return u
}

// Network is a drawn network of a setting at an honest stake, which evaluates any point of the map. It
// caches the rows of all utilities so far, some 100 kB each for 512 neurons.
type Network struct {
	setting Setting
	rule    consensus.Rule
	in      consensus.Input
	work    *consensus.Workspace

	honestValidators, honestServers int
	toHonest, toCabal               [][]float64 // by validator: shares that sum to one on each side
	honest, cabal                   map[float64][][]consensus.WeightEntry
}

// Draw returns a drawn network of a setting that Check accepts.
func Draw(s Setting, stake float64, seed uint64, draw int) *Network {
	return newNetwork(s, stake, drawUnits(seed, draw, s), new(consensus.Workspace))
}

// newNetwork scales a draw's numbers.
func newNetwork(s Setting, stake float64, u *units, work *consensus.Workspace) *Network {
	rule, err := consensus.Lookup(s.Rule)
	if err != nil {
		panic(err) // Check has accepted the setting
	}
	n := &Network{
		setting: s, rule: rule, work: work,
		honestValidators: honestOf(stake, s.Validators), honestServers: honestOf(stake, s.Neurons-s.Validators),
		honest: map[float64][][]consensus.WeightEntry{}, cabal: map[float64][][]consensus.WeightEntry{},
	}
	stakes := scaled(u.stakes, s.StakeSD)
	normalise(stakes[:n.honestValidators], stake)
	normalise(stakes[n.honestValidators:], 1-stake)
	for _, row := range u.weights {
		weights := scaled(row, s.WeightSD)
		normalise(weights[:n.honestServers], 1)
		normalise(weights[n.honestServers:], 1)
		n.toHonest, n.toCabal = append(n.toHonest, weights[:n.honestServers]), append(n.toCabal, weights[n.honestServers:])
	}
	n.in = consensus.Input{
		Params: s.params(), Block: 200, LastEpochBlock: 100,
		StakesRao: make([]uint64, s.Neurons), LastUpdate: make([]uint64, s.Neurons), RegisteredAt: make([]uint64, s.Neurons),
		Permits: make([]bool, s.Neurons), Weights: make([][]consensus.WeightEntry, s.Neurons), Bonds: make([][]consensus.BondEntry, s.Neurons),
	}
	for i := range s.Neurons {
		n.in.RegisteredAt[i], n.in.LastUpdate[i] = 1, 150
	}
	for i, share := range stakes {
		n.in.Permits[i], n.in.StakesRao[i] = true, uint64(float64(share*stakeRao))
	}
	return n
}

// scaled turns normal numbers into ones of mean one with a spread, cut at 0.
func scaled(units []float64, sd float64) []float64 {
	x := make([]float64, len(units))
	for i, z := range units {
		x[i] = max(0, 1+float64(sd*z))
	}
	return x
}

// normalise scales numbers to sum to a total. If all are 0 they become equal.
func normalise(x []float64, total float64) {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	for i := range x {
		if sum == 0 {
			x[i] = total / float64(len(x))
		} else {
			x[i] = float64(total * (x[i] / sum))
		}
	}
}

// Retained is E_H: the honest share of the emission where honest validators give the share utility of their
// weights to honest servers, and those of the cabal the share self to the cabal's.
func (n *Network) Retained(utility, self float64) float64 {
	honest, cabal := n.rows(n.honest, utility, true), n.rows(n.cabal, self, false)
	copy(n.in.Weights, honest)
	copy(n.in.Weights[len(honest):], cabal)
	return n.share(n.rule.Epoch(n.work, &n.in, emissionRao))
}

// share is the honest share of an epoch's emission, paid in the setting's split.
func (n *Network) share(out *consensus.Output) float64 {
	servers, allServers := n.sides(out.ServerEmissionRao)
	validators, allValidators := n.sides(out.ValidatorEmissionRao)
	q := n.setting.ValidatorShare
	switch {
	case allServers == 0: // no consensus: the emission goes by stake
		return validators / allValidators
	case allValidators == 0:
		return servers / allServers
	}
	return float64((1-q)*(servers/allServers)) + float64(q*(validators/allValidators))
}

// sides sums amounts over the honest neurons and over all.
func (n *Network) sides(rao []uint64) (honest, all float64) {
	validators := n.setting.Validators
	for i, amount := range rao {
		all += float64(amount)
		if i < n.honestValidators || validators <= i && i < validators+n.honestServers {
			honest += float64(amount)
		}
	}
	return honest, all
}

// rows returns the weights of one side's validators that give a share to their own servers.
func (n *Network) rows(known map[float64][][]consensus.WeightEntry, share float64, honest bool) [][]consensus.WeightEntry {
	if rows, met := known[share]; met {
		return rows
	}
	from, to, toHonest := 0, n.honestValidators, share
	if !honest {
		from, to, toHonest = n.honestValidators, n.setting.Validators, 1-share
	}
	servers := n.setting.Neurons - n.setting.Validators
	arena := make([]consensus.WeightEntry, (to-from)*servers)
	rows := make([][]consensus.WeightEntry, 0, to-from)
	weights := make([]float64, servers)
	for v := from; v < to; v++ {
		for j, w := range n.toHonest[v] {
			weights[j] = float64(toHonest * w)
		}
		for j, w := range n.toCabal[v] {
			weights[n.honestServers+j] = float64((1 - toHonest) * w)
		}
		row := arena[:servers:servers]
		arena = arena[servers:]
		n.quantise(row, weights)
		rows = append(rows, row)
	}
	known[share] = rows
	return rows
}

// quantise rounds weights as the chain stores them. A weight of 0 is an entry too, as in the source.
func (n *Network) quantise(row []consensus.WeightEntry, weights []float64) {
	if n.setting.Rule == consensus.Nakamoto {
		for j, w := range weights {
			row[j] = consensus.WeightEntry{UID: consensus.UID(n.setting.Validators + j), Weight: uint32(float64(w * (1<<32 - 1)))}
		}
		return
	}
	stored := make([]uint16, len(weights))
	for j, w := range weights {
		stored[j] = uint16(float64(w * 65535)) // the source's first floor moves results by up to 0.0016
	}
	fixed.UpscaleU16(stored)
	for j, w := range stored {
		row[j] = consensus.WeightEntry{UID: consensus.UID(n.setting.Validators + j), Weight: uint32(w)}
	}
}
