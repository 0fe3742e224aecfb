package scenarios

import (
	"cmp"

	"taolab/agents/role"
	"taolab/model/num"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// part is a node to be added to the network: its machine, its entry in the manifest, and data that
// neither of them holds.
type part struct {
	machine  virtual.Node
	node     report.Node
	agent    role.Agent
	group    Group
	up, down float64   // Mbit/s
	joins    host.Time // when it begins to register; 0: it is there from the beginning
	moneyed  bool      // it never has a seat, but free money
	uids     int       // that it has at genesis, where it has any; 0 means 1
}

// add gives member i of n its keys, region, links and seat in the ledger; one that joins later has only
// free money there. Random properties are drawn from streams of the node's own name, so that adding a
// member changes no other node's.
func (b *builder) add(p part, i, n int) {
	machine, node := p.machine, p.node
	machine.Fresh, machine.ColdkeyOf, machine.Loss = p.agent.Fresh, p.group.Coldkey, p.group.Loss
	machine.Skew = milliseconds(p.group.SkewMs.At(i, n))
	node.Index, node.Name = len(b.nodes), machine.Name
	machine.Region = num.NewStream(b.Seed, "region/"+machine.Name).IntN(len(b.Network.Regions))
	node.Region = b.Network.Regions[machine.Region]
	delay := num.NewStream(b.Seed, "block delay/"+machine.Name).Exponential()
	machine.BlockDelay = host.Time(float64(b.Network.BlockDelayMs * float64(float64(host.Millisecond)*delay)))
	machine.BlockDelay = min(machine.BlockDelay, role.Seconds(b.Time.BlockS)*maxDelayBlocks)
	machine.UpBps, machine.DownBps = int64(float64(p.up*1e6)), int64(float64(p.down*1e6))
	machine.Agent = machine.Fresh()
	node.HardwareFLOPS, node.Params = float64(machine.FLOPS), uint64(p.agent.Params)
	if shape := p.agent.Shape; shape != nil {
		node.Width, node.Layers = shape.Width, shape.Layers
	}
	hotkeys := make([]chain.Key, max(machine.Identities, 1))
	for id := range hotkeys {
		hotkeys[id] = virtual.PublicKey(b.Seed, virtual.Named(machine.Name, host.Identity(id)), host.Hotkey)
	}
	coldkey := virtual.PublicKey(b.Seed, cmp.Or(machine.ColdkeyOf, machine.Name), host.Coldkey)
	node.Hotkey = hotkeys[0].String()
	for _, other := range hotkeys[1:] {
		node.Hotkeys = append(node.Hotkeys, other.String())
	}
	if node.HasUID {
		b.seatAll(&node, hotkeys[:max(p.uids, 1)], coldkey)
	}
	b.rows = append(b.rows, p.row(node, coldkey))
	free := p.group.freeRao(&b.genesis.Params.Hard)
	if p.joins > 0 || p.moneyed {
		free += node.StakeRao
	}
	if free > 0 || p.joins > 0 {
		b.genesis.Balances = append(b.genesis.Balances, chain.Balance{Coldkey: coldkey, FreeRao: free})
	}
	switch {
	case p.joins > 0 || p.moneyed:
		node.StakeRao = 0
	case node.HasUID: // it has its seats
	default:
		b.genesis.Stakes = append(b.genesis.Stakes, chain.GenesisStake{Hotkey: hotkeys[0], Coldkey: coldkey, StakeRao: node.StakeRao})
	}
	machine.Group = node.Group
	b.machines = append(b.machines, machine)
	b.nodes = append(b.nodes, node)
}

// seatAll gives a node a seat for each of these hotkeys: of a metagraph those of neurons with their stakes, else
// new ones among which its stake is split.
func (b *builder) seatAll(node *report.Node, hotkeys []chain.Key, coldkey chain.Key) {
	left, sum := node.StakeRao, uint64(0)
	for id, hotkey := range hotkeys {
		uid, stake := uint16(len(b.genesis.Neurons)), left/uint64(len(hotkeys)-id)
		if b.metagraph != nil {
			uid, stake = b.seat(node.Kind == report.KindMiner, hotkey, coldkey)
		} else {
			b.genesis.Neurons = append(b.genesis.Neurons, chain.GenesisNeuron{Hotkey: hotkey, Coldkey: coldkey, StakeRao: stake})
		}
		left, sum = left-min(stake, left), sum+stake
		if id == 0 {
			node.UID = uid
		}
	}
	node.StakeRao = sum
}

// row is the node in the table of nodes.
func (p part) row(n report.Node, coldkey chain.Key) trace.Node {
	row := trace.Node{
		Node: uint32(n.Index), Name: n.Name, Group: n.Group, Role: n.Kind, Behaviour: n.Behaviour, Region: n.Region,
		Hotkey: n.Hotkey, Coldkey: coldkey.String(), StakeRao: n.StakeRao,
	}
	if p.joins > 0 {
		row.JoinsNs = trace.Some(int64(p.joins))
	}
	if c := p.agent.Shape; c != nil {
		row.Width, row.Layers = trace.Some(uint32(c.Width)), trace.Some(uint32(c.Layers))
		row.Heads, row.Context = trace.Some(uint32(c.Heads)), trace.Some(uint32(c.Context))
		row.Params = trace.Some(n.Params)
	}
	if p.machine.FLOPS > 0 {
		row.FLOPS = trace.Some(uint64(p.machine.FLOPS))
	}
	if n.Duty > 0 {
		row.Duty = trace.Some(n.Duty)
	}
	return row
}

// maxDelayBlocks bounds the delay, in blocks, with which a node sees a block.
const maxDelayBlocks = 100
