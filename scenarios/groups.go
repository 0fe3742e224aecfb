package scenarios

import (
	"fmt"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/sim/chain"
	"taolab/sim/chain/emission"
)

// Group holds the settings that all kinds of nodes share. Its members differ only in their names and in
// the values of spans.
type Group struct {
	Coldkey string        `toml:"coldkey" doc:"name of a coldkey that the members share with all groups that name it; a node's name means that node's coldkey; empty: each member has its own"`
	SkewMs  settings.Span `toml:"skew_ms" unit:"ms" min:"-3600000" max:"3600000" doc:"time by which the members' clocks are fast; a pair is spread over the members" inert:"agents act on differences of their own clock; the times in their rows show it"`
	FreeTAO *float64      `toml:"free_tao" unit:"TAO" min:"0" max:"20999999" doc:"free money of each member's coldkey at genesis, from which it pays fees; unset: 10 where transactions have a price, else none"`
	Loss    float64       `toml:"loss" unit:"share" min:"0" max:"1" doc:"share of the members' messages that never arrive, in addition to the network's"`
}

// feeMoneyRao is a member's default money for fees, enough for setting weights all its life.
const feeMoneyRao = 10 * chain.RaoPerTAO

// freeRao is the free money of each member on a ledger with settings hard.
func (g *Group) freeRao(hard *chain.Hard) uint64 {
	switch {
	case g.FreeTAO != nil:
		return role.Rao(*g.FreeTAO)
	case hard.FeeRao != 0:
		return feeMoneyRao
	}
	return 0
}

// MinerGroup is a number of miners.
type MinerGroup struct {
	Name  string `toml:"name" default:"miner" doc:"name of the group; members are numbered"`
	Count int    `toml:"count" default:"1" unit:"neurons" min:"1" max:"65535" doc:"members of the group"`
	role.Miner
	HardwareMFLOPS settings.Span `toml:"hardware_mflops" default:"16" unit:"MFLOP/s" min:"0.001" max:"1e9" doc:"speed of the compute unit; a pair is spread over the members"`
	StakeTAO       settings.Span `toml:"stake_tao" default:"1" unit:"TAO" min:"0" max:"20999999" doc:"stake at genesis"`
	UpMbps         float64       `toml:"up_mbps" default:"50" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"uplink"`
	DownMbps       float64       `toml:"down_mbps" default:"100" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"downlink"`
	Group
	JoinsH float64 `toml:"joins_h" unit:"h" min:"0" max:"876600" doc:"time at which the members register, by burning, with stake_tao as free money in addition to free_tao; 0: they have seats at genesis"`
}

// ValidatorGroup is a number of validators.
type ValidatorGroup struct {
	Name  string `toml:"name" default:"validator" doc:"name of the group; members are numbered"`
	Count int    `toml:"count" default:"1" unit:"neurons" min:"1" max:"65535" doc:"members of the group"`
	role.Validator
	StakeTAO       settings.Span `toml:"stake_tao" default:"1000" unit:"TAO" min:"0" max:"20999999" doc:"stake at genesis; a pair is spread over the members"`
	HardwareMFLOPS settings.Span `toml:"hardware_mflops" default:"200" unit:"MFLOP/s" min:"0.001" max:"1e9" doc:"speed of the compute unit"`
	UpMbps         float64       `toml:"up_mbps" default:"200" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"uplink"`
	DownMbps       float64       `toml:"down_mbps" default:"200" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"downlink"`
	Group
}

// ApplicationGroup is a number of applications that hold stake and ask for continuations.
type ApplicationGroup struct {
	Name  string `toml:"name" default:"application" doc:"name of the group; members are numbered"`
	Count int    `toml:"count" default:"1" unit:"nodes" min:"1" max:"65535" doc:"members of the group"`
	role.Application
	StakeTAO settings.Span `toml:"stake_tao" default:"10" unit:"TAO" min:"0" max:"20999999" doc:"stake at genesis; a pair is spread over the members"`
	UpMbps   float64       `toml:"up_mbps" default:"20" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"uplink"`
	DownMbps float64       `toml:"down_mbps" default:"50" unit:"Mbit/s" min:"0.001" max:"1e6" doc:"downlink"`
	Group
}

// sumRao adds the stakes, a span in TAO, and the free money of n members.
func (g *Group) sumRao(stake settings.Span, n int, hard *chain.Hard) uint64 {
	sum, free := uint64(0), g.freeRao(hard)
	for i := range n {
		if sum += role.Rao(stake.At(i, n)) + free; sum > emission.SupplyRao {
			return emission.SupplyRao + 1 // more than can exist; the sum must not wrap
		}
	}
	return sum
}

// member names a group's i-th node. Keys and streams are derived from the name, so it must not depend on
// the group's size.
func member(group string, i int) string { return fmt.Sprintf("%s-%d", group, i+1) }
