package conformance

import (
	"slices"
	"strconv"

	"taolab/sim/chain/consensus"
	"taolab/sim/chain/fixed"
)

const (
	maxNeurons = 4096
	maxEntries = 1 << 22 // of all rows of weights, and of all rows of bonds
	maxAmount  = 1<<63 - 1
)

// network is the state that the operations of a case change.
type network struct {
	*comparison
	in       consensus.Input // without its parameters
	params   caseParams
	issuance uint64
	commits  []uint64 // as consensus.Input.Commits, kept although commit-reveal may be off
	pruned   []bool
	met      []uint32 // by uid: the last list that named it
	lists    uint32
	weights  uint64 // largest of a stored weight
	bonds    uint64 // largest of a stored bond
	// stored is what the chain keeps of submitted weights.
	stored func(values []uint64) []uint64
}

// caseParams are the parameters of a case.
type caseParams struct {
	consensus.Params
	yuma3        bool
	commitReveal bool
	lastEpoch    uint64
}

// read takes over the parameters that an object has; those it has not stay.
func (p *caseParams) read(o *object) {
	d := o.d
	for i, name := range o.names {
		at := o.values[i]
		switch name {
		case "kappa_u16":
			p.Kappa = uint16(d.unsigned(at, 65535))
		case "bonds_penalty_u16":
			p.BondsPenalty = uint16(d.unsigned(at, 65535))
		case "bonds_moving_average_ppm":
			p.BondsMovingAveragePPM = uint32(d.unsigned(at, 1_000_000))
		case "yuma3":
			p.yuma3 = d.flag(at)
		case "liquid_alpha":
			p.LiquidAlpha = d.flag(at)
		case "alpha_low_u16":
			p.AlphaLow = uint16(d.unsigned(at, 65535))
		case "alpha_high_u16":
			p.AlphaHigh = uint16(d.unsigned(at, 65535))
		case "alpha_sigmoid_steepness_x100":
			p.AlphaSteepness = int16(d.signed(at, -32768, 32767))
		case "activity_cutoff_blocks":
			p.ActivityCutoffBlocks = d.unsigned(at, maxAmount)
		case "tempo":
			p.TempoBlocks = d.unsigned(at, maxAmount)
		case "last_mechanism_step_block":
			p.lastEpoch = d.unsigned(at, maxAmount)
		case "stake_threshold":
			p.StakeThresholdRao = d.unsigned(at, 1<<64-1)
		case "owner_uid":
			p.HasOwner = !d.null(at)
			p.Owner = 0
			if p.HasOwner {
				p.Owner = consensus.UID(d.unsigned(at, maxNeurons-1))
			}
		case "max_allowed_validators":
			p.MaxValidators = int(d.unsigned(at, 65535))
		case "commit_reveal":
			p.commitReveal = d.flag(at)
		case "rho":
			p.Rho = uint16(d.unsigned(at, 65535))
		case "kappa_inverse":
			p.KappaInverse = uint16(d.unsigned(at, 65535))
		case "self_ownership_inverse":
			p.SelfOwnershipInverse = uint16(d.unsigned(at, 65535))
		default:
			d.fail(at-1, "unknown field")
		}
	}
}

func (n *network) size() int { return n.in.N() }

// load reads the initial state but for the rows.
func (n *network) load(o *object, blockAt int) {
	n.in.Block = n.block(blockAt)
	at := o.need("stakes")
	n.in.StakesRao = list(n.document, at, maxNeurons, n.amount)
	size := n.size()
	n.in.RegisteredAt = make([]uint64, size)
	n.in.Permits = make([]bool, size)
	n.in.Weights = make([][]consensus.WeightEntry, size)
	n.in.Bonds = make([][]consensus.BondEntry, size)
	n.commits = slices.Repeat([]uint64{consensus.NoCommit}, size)
	n.pruned = make([]bool, size)
	n.met = make([]uint32, maxNeurons)
	n.in.LastUpdate = n.perUID(o.need("last_update"), n.block)
	n.checkStakes(at)
}

func (n *network) amount(at int) uint64 { return n.unsigned(at, maxAmount) }
func (n *network) block(at int) uint64  { return n.unsigned(at, maxAmount) }

// perUID reads a list with one number per uid.
func (n *network) perUID(at int, read func(at int) uint64) []uint64 {
	v := list(n.document, at, maxNeurons, read)
	if len(v) != n.size() {
		n.fail(at, "%d values for %d neurons", len(v), n.size())
		v = make([]uint64, n.size())
	}
	return v
}

// checkStakes refuses stakes whose sum a rule cannot add up.
func (n *network) checkStakes(at int) {
	sum := uint64(0)
	for _, s := range n.in.StakesRao {
		if s > maxAmount-sum {
			n.fail(at, "the stakes add up to more than %d rao", uint64(maxAmount))
			return
		}
		sum += s
	}
}

// row reads a row: pairs of a uid and a value, no uid twice.
func (n *network) row(at int, most uint64) (uids []consensus.UID, values []uint64) {
	for _, pair := range n.elements(at, n.size()) {
		e := n.elements(pair, 2)
		if n.err == nil && len(e) != 2 {
			n.fail(pair, "want a pair of a uid and a value")
		}
		if n.err != nil {
			return nil, nil
		}
		uids = append(uids, n.uid(e[0]))
		values = append(values, n.unsigned(e[1], most))
	}
	n.distinct(at, uids)
	return uids, values
}

func (n *network) distinct(at int, uids []consensus.UID) {
	n.lists++
	for _, u := range uids {
		if n.err != nil {
			return
		}
		if n.met[u] == n.lists {
			n.fail(at, "uid %d stands twice", u)
		}
		n.met[u] = n.lists
	}
}

// uid reads the number of a neuron that is there.
func (n *network) uid(at int) consensus.UID {
	if n.size() == 0 {
		n.fail(at, "there are no neurons")
		return 0
	}
	return consensus.UID(n.unsigned(at, uint64(n.size()-1)))
}

// rows reads an object of rows by uid.
func (n *network) rows(at int, take func(uid, row int)) {
	o := n.object(at)
	for i, name := range o.names {
		uid, err := strconv.ParseUint(name, 10, 16)
		if err != nil || int(uid) >= n.size() || strconv.FormatUint(uid, 10) != name {
			n.fail(o.values[i]-1, "want the uid of one of %d neurons as key", n.size())
			return
		}
		take(int(uid), o.values[i])
	}
}

func (n *network) weightRow(at int) []consensus.WeightEntry {
	uids, values := n.row(at, n.weights)
	return weightEntries(uids, values)
}

func weightEntries(uids []consensus.UID, values []uint64) []consensus.WeightEntry {
	row := make([]consensus.WeightEntry, len(uids))
	for i, j := range uids {
		row[i] = consensus.WeightEntry{UID: j, Weight: uint32(values[i])}
	}
	return row
}

func (n *network) bondRow(at int) []consensus.BondEntry {
	uids, values := n.row(at, n.bonds)
	row := make([]consensus.BondEntry, len(uids))
	for i, j := range uids {
		row[i] = consensus.BondEntry{UID: j, Bond: values[i]}
	}
	return row
}

// setWeights is what the chain does with accepted weights.
func (n *network) setWeights(uid consensus.UID, row []consensus.WeightEntry) {
	n.in.Weights[uid] = row
	n.in.LastUpdate[uid] = n.in.Block
}

// addNeuron makes one more uid.
func (n *network) addNeuron(at int, stake uint64) {
	if n.size() == maxNeurons {
		n.fail(at, "more than %d neurons", maxNeurons)
		return
	}
	in := &n.in
	in.StakesRao = append(in.StakesRao, stake)
	in.RegisteredAt = append(in.RegisteredAt, in.Block)
	in.LastUpdate = append(in.LastUpdate, in.Block)
	in.Permits = append(in.Permits, false)
	in.Weights = append(in.Weights, nil)
	in.Bonds = append(in.Bonds, nil)
	n.commits = append(n.commits, consensus.NoCommit)
	n.pruned = append(n.pruned, false)
	n.checkStakes(at)
}

// replaceNeuron gives a uid to a newcomer; weights of others on it become explicit zeros.
func (n *network) replaceNeuron(at int, uid consensus.UID, stake uint64) {
	in := &n.in
	in.StakesRao[uid] = stake
	in.RegisteredAt[uid], in.LastUpdate[uid] = in.Block, in.Block
	in.Permits[uid] = false
	in.Weights[uid], in.Bonds[uid] = nil, nil
	n.spend(at, n.visits())
	for i, row := range in.Weights {
		for k, e := range row {
			if e.UID == uid && e.Weight != 0 {
				in.Weights[i] = slices.Clone(row) // rows may be shared
				in.Weights[i][k].Weight = 0
			}
		}
	}
	n.checkStakes(at)
}

// visits is the work of one pass over the network.
func (n *network) visits() uint64 {
	sum := n.size()
	for i := range n.in.Weights {
		sum += len(n.in.Weights[i]) + len(n.in.Bonds[i])
	}
	return uint64(sum)
}

// checkSize refuses rows that together hold more than the limit.
func (n *network) checkSize(at int) {
	weights, bonds := 0, 0
	for i := range n.in.Weights {
		weights += len(n.in.Weights[i])
		bonds += len(n.in.Bonds[i])
	}
	if max(weights, bonds) > maxEntries {
		n.fail(at, "the rows hold more than %d entries", maxEntries)
	}
}

// run runs an epoch of a rule on the state.
func (n *network) run(at int, rule consensus.Name, ws *consensus.Workspace, emission uint64,
) *consensus.Output {
	r, err := consensus.Lookup(rule)
	if err != nil {
		n.fail(at, "%v", err)
		return nil
	}
	p := n.params
	if p.HasOwner && int(p.Owner) >= n.size() {
		n.fail(at, "owner_uid is %d, but there are %d neurons", p.Owner, n.size())
	}
	n.checkSize(at)
	n.spend(at, n.visits())
	if n.err != nil {
		return nil
	}
	n.in.Params = p.Params
	n.in.LastEpochBlock = p.lastEpoch
	n.in.Commits, n.in.Pruned = nil, nil
	if p.commitReveal {
		n.in.Commits = n.commits
	}
	if slices.Contains(n.pruned, true) {
		n.in.Pruned = n.pruned
	}
	return r.Epoch(ws, &n.in, emission)
}

// storedUpscaled is what the Yuma chains keep of submitted weights: the largest becomes 65535.
func storedUpscaled(values []uint64) []uint64 {
	v := make([]uint16, len(values))
	for i, x := range values {
		v[i] = uint16(x)
	}
	fixed.UpscaleU16(v)
	out := make([]uint64, len(v))
	for i, x := range v {
		out[i] = uint64(x)
	}
	return out
}

// storedNormalized is what the Nakamoto chain keeps: the sum becomes at most 2^32-1.
func storedNormalized(values []uint64) []uint64 {
	sum := uint64(0)
	for _, x := range values {
		sum += x
	}
	out := make([]uint64, len(values))
	for i, x := range values {
		out[i] = x * (1<<32 - 1) / max(sum, 1)
	}
	return out
}
