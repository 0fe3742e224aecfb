package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/sim/virtual"
)

// FaultEntry is an injected fault. Its kind's row in virtual.FaultKinds lists the settings that the
// kind reads, and their defaults.
type FaultEntry struct {
	Kind      string  `toml:"kind" default:"crash" doc:"kind of fault, as in faults.md"`
	Node      string  `toml:"node" doc:"node that it hits, such as honest-1; without node, group and region it hits all nodes"`
	Group     string  `toml:"group" doc:"group that it hits; without members, a crash hits the group's first member"`
	Region    string  `toml:"region" doc:"region that it hits, including the block producer there"`
	Members   float64 `toml:"members" unit:"share" min:"0" max:"1" doc:"share of these nodes that it hits, drawn at random and rounded up; 0: all"`
	PeerNode  string  `toml:"peer_node" doc:"faults of messages: only those to and from this node"`
	PeerGroup string  `toml:"peer_group" doc:"faults of messages: only those to and from this group"`
	PeerArea  string  `toml:"peer_region" doc:"faults of messages: only those to and from this region"`
	Direction string  `toml:"direction" one:",in,out" doc:"faults of messages: those that its nodes send (out), receive (in), or both (empty)"`
	Mode      string  `toml:"mode" doc:"one of the modes of the kind; empty: the first"`
	AtS       float64 `toml:"at_s" unit:"s" min:"0" max:"3155760000" doc:"when it begins"`
	DurationS float64 `toml:"duration_s" default:"600" unit:"s" min:"0" max:"3155760000" doc:"how long it lasts"`
	Wave      bool    `toml:"wave" doc:"it begins whenever a wave of [waves] draws it, not at at_s"`
	Seed      uint64  `toml:"seed" doc:"changes the nodes, messages and times that are drawn"`

	Share    *float64 `toml:"share" unit:"share" doc:"share of messages, jobs, saves or transactions that it hits"`
	MeanMs   *float64 `toml:"mean_ms" unit:"ms" doc:"mean of a random time"`
	WindowMs *float64 `toml:"window_ms" unit:"ms" doc:"time within which the order is random"`
	DelayMs  *float64 `toml:"delay_ms" unit:"ms" doc:"time between copies or parts"`
	Copies   *float64 `toml:"copies" unit:"messages" doc:"copies of a message"`
	Parts    *float64 `toml:"parts" unit:"parts" doc:"parts of a reply beyond the last"`
	Bits     *float64 `toml:"bits" unit:"bits" doc:"bits that flip"`
	Bytes    *float64 `toml:"bytes" unit:"bytes" doc:"bytes that remain of a message, or size of a state that stays in memory"`
	Factor   *float64 `toml:"factor" unit:"1" doc:"factor on the speed of links, or on the time of jobs"`
	EveryS   *float64 `toml:"every_s" unit:"s" doc:"mean time between two crashes of a node, or time between two evictions"`
	DownS    *float64 `toml:"down_s" unit:"s" doc:"time until a node starts again"`
	OffsetMs *float64 `toml:"offset_ms" unit:"ms" doc:"time by which clocks are fast"`
	DriftPpm *float64 `toml:"drift_ppm" unit:"ppm" doc:"rate by which clocks gain time, in millionths"`
	HoldS    *float64 `toml:"hold_s" unit:"s" doc:"how long a job hangs"`
	DelayS   *float64 `toml:"delay_s" unit:"s" doc:"time that a slow read takes"`
	Blocks   *float64 `toml:"blocks" unit:"blocks" doc:"blocks that a view is behind, or a transaction waits"`
}

// WavesSection holds the settings of waves of faults and of a quiet tail at the run's end.
type WavesSection struct {
	QuietS   float64 `toml:"quiet_s" unit:"s" min:"0" max:"3155760000" doc:"mean time without faults before a wave; 0: no waves"`
	StormS   float64 `toml:"storm_s" default:"300" unit:"s" min:"0" max:"3155760000" doc:"time within which the faults of a wave begin"`
	Together int     `toml:"together" default:"3" unit:"faults" min:"1" max:"256" doc:"faults of a wave, drawn from those with wave = true"`
	TailS    float64 `toml:"tail_s" unit:"s" min:"0" max:"3155760000" doc:"time at the end of the run without faults, in which requests must be answered and transactions included as before, or the run fails; 0: none"`
}

// fault converts an entry to the world's type.
func (f *FaultEntry) fault() virtual.Fault {
	v := virtual.Fault{
		Kind: f.Kind, From: role.Seconds(f.AtS), Mode: f.Mode, Direction: f.Direction, Seed: f.Seed, Numbers: map[string]float64{},
		Target: virtual.Target{Node: f.Node, Group: f.Group, Region: f.Region, Some: f.Members},
		Peer:   virtual.Target{Node: f.PeerNode, Group: f.PeerGroup, Region: f.PeerArea},
	}
	v.To = v.From + role.Seconds(f.DurationS)
	if f.Kind == "crash" && f.Group != "" && f.Members == 0 {
		v.Target = virtual.Target{Node: member(f.Group, 0)}
	}
	for name, x := range f.settings() { // order-free: a map of them
		v.Numbers[name] = x
	}
	return v
}

// settings returns the numbers that are set, by key.
func (f *FaultEntry) settings() map[string]float64 {
	set := map[string]float64{}
	v := reflect.ValueOf(*f)
	for i := range v.NumField() {
		if x, is := v.Field(i).Interface().(*float64); is && x != nil {
			set[v.Type().Field(i).Tag.Get("toml")] = *x
		}
	}
	return set
}

// faults returns all faults of a run: those with a time, and those that the waves draw.
func (sc *Scenario) faults() []virtual.Fault {
	var list, templates []virtual.Fault
	for i := range sc.Faults {
		if f := sc.Faults[i].fault(); sc.Faults[i].Wave {
			templates = append(templates, f)
		} else {
			list = append(list, f)
		}
	}
	waves := virtual.Waves{
		Quiet: role.Seconds(sc.Waves.QuietS), Storm: role.Seconds(sc.Waves.StormS), Together: sc.Waves.Together,
		Until: role.Seconds(float64(sc.Time.Hours*3600) - sc.Waves.TailS), Seed: sc.Seed,
	}
	return append(list, waves.Schedule(templates)...)
}

// faultEntries checks the faults.
func (c *checker) faultEntries() {
	end := float64(c.Time.Hours * 3600)
	if c.Waves.TailS >= end && end > 0 {
		c.fault("waves.tail_s", fmt.Sprintf("%g s, the whole run", c.Waves.TailS), fmt.Sprintf("less than %g", end), "")
	}
	waving := false
	for i := range c.Faults {
		f := &c.Faults[i]
		waving = waving || f.Wave
		c.faultEntry(fmt.Sprintf("faults[%d]", i), f, end)
	}
	if c.Waves.QuietS > 0 && !waving {
		c.fault("waves.quiet_s", "set, but no fault comes in waves", "a [[faults]] with wave = true", "")
	}
}

func (c *checker) faultEntry(key string, f *FaultEntry, end float64) {
	kinds := virtual.FaultKinds()
	at := slices.IndexFunc(kinds, func(k virtual.FaultKind) bool { return k.Name == f.Kind })
	if at < 0 {
		names := make([]string, len(kinds))
		for i := range kinds {
			names[i] = kinds[i].Name
		}
		c.fault(key+".kind", fmt.Sprintf("%q is not known", f.Kind), "one of "+strings.Join(names, ", "), settings.Meant(f.Kind, names))
		return
	}
	kind := &kinds[at]
	c.faultTime(key, f, end)
	c.faultTarget(key, "", f.Node, f.Group, f.Region)
	c.faultTarget(key, "peer_", f.PeerNode, f.PeerGroup, f.PeerArea)
	if !kind.Messages && (f.PeerNode+f.PeerGroup+f.PeerArea+f.Direction != "") {
		c.fault(key, "peers and a direction, but a "+kind.Name+" is not about messages between nodes", "neither", "")
	}
	if f.Mode != "" && !slices.Contains(kind.Modes, f.Mode) {
		want := "no mode: a " + kind.Name + " has none"
		if len(kind.Modes) > 0 {
			want = "one of " + strings.Join(kind.Modes, ", ")
		}
		c.fault(key+".mode", fmt.Sprintf("%q is not known", f.Mode), want, "")
	}
	c.faultSettings(key, f, kind)
}

func (c *checker) faultTime(key string, f *FaultEntry, end float64) {
	switch last := end - c.Waves.TailS; {
	case f.Wave && c.Waves.QuietS == 0:
		c.fault(key+".wave", "true, but there are no waves", "false", "set waves.quiet_s")
	case f.Wave:
	case f.AtS > end:
		c.fault(key+".at_s", fmt.Sprintf("%g s, after the end of the run", f.AtS), fmt.Sprintf("at most %g", end), "")
	case c.Waves.TailS > 0 && f.AtS+f.DurationS > last:
		c.fault(key+".duration_s", fmt.Sprintf("it lasts to %g s, into the quiet tail", f.AtS+f.DurationS),
			fmt.Sprintf("an end at %g s at most", last), "")
	}
}

func (c *checker) faultTarget(key, prefix, node, group, region string) {
	set := 0
	for _, name := range []string{node, group, region} {
		if name != "" {
			set++
		}
	}
	if set > 1 {
		c.fault(key, fmt.Sprintf("%snode, %sgroup and %sregion: more than one is set", prefix, prefix, prefix), "one of them", "")
	}
	if group != "" && !slices.Contains(c.groups(), group) {
		c.fault(key+"."+prefix+"group", fmt.Sprintf("no group %q", group), "one of "+strings.Join(c.groups(), ", "),
			settings.Meant(group, c.groups()))
	}
	if region != "" && !slices.Contains(c.Network.Regions, region) {
		c.fault(key+"."+prefix+"region", fmt.Sprintf("no region %q", region),
			"one of "+strings.Join(c.Network.Regions, ", "), settings.Meant(region, c.Network.Regions))
	}
	if node != "" && !c.hasMember(node) {
		c.fault(key+"."+prefix+"node", fmt.Sprintf("no node %q", node), "a group's name and the member's number, as in "+member(c.groups()[0], 0), "")
	}
}

// hasMember reports whether a group has a member of that name.
func (c *checker) hasMember(name string) bool {
	has := func(group string, count int) bool {
		for i := range count {
			if member(group, i) == name {
				return true
			}
		}
		return false
	}
	for _, g := range c.groupSizes() {
		if has(g.name, g.count) {
			return true
		}
	}
	return c.Bridge.EveryBlocks > 0 && name == role.VaultName
}

// faultSettings checks the numbers of an entry against those that its kind reads.
func (c *checker) faultSettings(key string, f *FaultEntry, kind *virtual.FaultKind) {
	set := f.settings()
	var reads []string
	for _, s := range kind.Settings {
		reads = append(reads, s.Name)
		if x, is := set[s.Name]; is && !(x >= s.Min && x <= s.Max) {
			c.fault(key+"."+s.Name, fmt.Sprintf("%g is out of range", x), fmt.Sprintf("a number from %g to %g", s.Min, s.Max), "")
		}
		delete(set, s.Name)
	}
	want := "no setting: it reads none"
	if len(reads) > 0 {
		want = "one of " + strings.Join(reads, ", ")
	}
	names := make([]string, 0, len(set))
	for name := range set { // order-free: sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		c.fault(key+"."+name, "a "+kind.Name+" does not read it", want, "")
	}
}
