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
	joins    host.Time // when it begins to register; 0: it has a seat at genesis
	moneyed  bool      // it has free money and never a seat
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
	hotkey := virtual.PublicKey(b.Seed, machine.Name, host.Hotkey)
	coldkey := virtual.PublicKey(b.Seed, cmp.Or(machine.ColdkeyOf, machine.Name), host.Coldkey)
	node.Hotkey = hotkey.String()
	if node.HasUID && b.metagraph != nil {
		node.UID, node.StakeRao = b.seat(node.Kind == report.KindMiner, hotkey, coldkey)
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
	case node.HasUID && b.metagraph != nil: // it has a seat
	case node.HasUID:
		node.UID = uint16(len(b.genesis.Neurons))
		b.genesis.Neurons = append(b.genesis.Neurons, chain.GenesisNeuron{Hotkey: hotkey, Coldkey: coldkey, StakeRao: node.StakeRao})
	default:
		b.genesis.Stakes = append(b.genesis.Stakes, chain.GenesisStake{Hotkey: hotkey, Coldkey: coldkey, StakeRao: node.StakeRao})
	}
	machine.Group = node.Group
	b.machines = append(b.machines, machine)
	b.nodes = append(b.nodes, node)
}

// row is the node's row in the nodes table.
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
