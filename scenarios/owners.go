package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"taolab/agents/decide"
	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// HolderGroup is a group of nominators: nodes that hold money and only decide where to stake
// it.
type HolderGroup struct {
	Name  string `toml:"name" default:"holder" doc:"name of the group; members are numbered"`
	Count int    `toml:"count" default:"1" unit:"nodes" min:"1" max:"65535" doc:"members of the group"`
	role.HolderWants
	MoneyTAO settings.Span `toml:"money_tao" default:"100" unit:"TAO" min:"0" max:"20999999" doc:"free money at genesis; a pair is spread over the members"`
}

// Decides reports whether any node of the scenario decides on anything.
func (sc *Scenario) Decides() bool {
	return len(sc.Holders) > 0 ||
		slices.ContainsFunc(sc.Miners, func(g MinerGroup) bool { return g.Wants.Decides() }) ||
		slices.ContainsFunc(sc.Validators, func(g ValidatorGroup) bool { return g.Wants.Decides() })
}

// prices makes the price paths of the run.
func (b *builder) prices() error {
	b.make.Prices = map[string]*decide.Path{}
	for i := range b.File.Prices {
		p := &b.File.Prices[i]
		path, err := p.Path(b.Seed, b.Time.Hours, open)
		if err != nil {
			return b.located(fmt.Sprintf("prices[%d]", i), err)
		}
		b.make.Prices[p.Name] = path
	}
	return nil
}

func (b *builder) holders() error {
	for k := range b.Holders {
		g := &b.Holders[k]
		b.groups[g.Name] = len(b.nodes)
		for i := range g.Count {
			p := part{agent: b.make.Holder(&g.HolderWants), moneyed: true}
			p.node = report.Node{
				Group: g.Name, Kind: report.KindHolder, Behaviour: report.Honest, StakeRao: role.Rao(g.MoneyTAO.At(i, g.Count)),
			}
			p.machine = virtual.Node{Name: member(g.Name, i)}
			b.add(p, i, g.Count)
		}
	}
	return nil
}

// bridge makes the bridge if there is one.
func (b *builder) bridge() error {
	if b.Bridge.EveryBlocks == 0 {
		return nil
	}
	var payees []chain.Key
	for _, g := range b.Holders {
		for i := range g.Count {
			if g.Bridge > 0 {
				payees = append(payees, virtual.PublicKey(b.Seed, member(g.Name, i), host.Coldkey))
			}
		}
	}
	made, err := b.make.Bridge(&b.File.Bridge, payees)
	if err != nil {
		return b.located("bridge", err)
	}
	b.groups[role.VaultName] = len(b.nodes)
	p := part{agent: made, moneyed: true, machine: virtual.Node{Name: role.VaultName}}
	p.node = report.Node{Group: role.VaultName, Kind: report.KindHolder, Behaviour: report.Honest}
	b.add(p, 0, 1)
	return nil
}

// holders checks the groups of nominators.
func (c *checker) holders() {
	users := false
	for i := range c.Holders {
		key, g := fmt.Sprintf("holders[%d]", i), &c.Holders[i]
		c.name(key, g.Name)
		users = users || g.Bridge > 0
		if g.Bridge > 0 && c.Bridge.EveryBlocks == 0 {
			c.fault(key+".bridge", "there is no bridge", "0", "or set bridge.every_blocks")
		}
	}
	switch {
	case c.Bridge.EveryBlocks > 0 && !users:
		c.fault("bridge.every_blocks", "a bridge that no holder uses", "holders with bridge above 0", "or leave [bridge] out")
	case c.Bridge.EveryBlocks == 0 && c.Bridge != settings.Default[role.Bridge]():
		c.fault("bridge.every_blocks", "0, and other keys of the table are set", "at least 1", "or leave the table out")
	}
	if slices.Contains(c.groups(), role.VaultName) && c.Bridge.EveryBlocks > 0 {
		c.fault("bridge", "a group is named "+role.VaultName+" too", "another name for it", "")
	}
}

// prices checks that paths have different names, and that costs refer to one of them.
func (c *checker) prices() {
	var names []string
	for i := range c.Prices {
		p, key := &c.Prices[i], fmt.Sprintf("prices[%d]", i)
		if p.Name == "" || slices.Contains(names, p.Name) {
			c.fault(key+".name", fmt.Sprintf("%q is empty or names two paths", p.Name), "each path a name of its own", "")
		}
		if (p.Kind == "csv") != (p.File != "") {
			c.fault(key+".file", fmt.Sprintf("%q for a %s path", p.File, p.Kind), "the path of a file where kind is csv, and only there", "")
		}
		names = append(names, p.Name)
	}
	for i := range c.Miners {
		if name := c.Miners[i].Wants.Price; name != "" && !slices.Contains(names, name) {
			c.fault(fmt.Sprintf("miners[%d].decide.price", i), fmt.Sprintf("no path %q in [[prices]]", name),
				"one of "+strings.Join(names, ", "), settings.Meant(name, names))
		}
	}
}

// work checks that the machine can compute the proofs of work with which miners register.
func (c *checker) work(p *chain.Params) {
	nodes, hashing, rate := 0, 0, 0.0
	for _, g := range c.Miners {
		nodes += g.Count
		if w := &g.Wants; w.Decides() && w.Entry != "stay" && w.By == "work" {
			hashing += g.Count
			rate += float64(float64(g.Count) * w.HashesPerS)
		}
	}
	for _, g := range c.Validators {
		nodes += g.Count
	}
	unseated := min(max(nodes-int(p.MaxUIDs), 0), hashing)
	if hashing == 0 {
		return
	}
	if !p.AllowWork {
		c.fault("chain.era", "miners register by work, which era "+c.Chain.Era+" lacks", "an era before 2026", `or by = "burn"`)
	}
	perNode := rate / float64(hashing)
	role.CheckWork(p, float64(float64(float64(unseated)*perNode)*float64(c.Time.Hours*3600)), c.fault)
}
