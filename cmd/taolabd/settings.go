package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/cmd/internal/command"
	"taolab/model/lm"
	"taolab/model/pile"
	"taolab/sim/live/wallet"
)

// nodeSettings are node.toml: what a node is and which agents live in it. The tables of agents are those of
// scenarios, with the keys that only a live agent has.
type nodeSettings struct {
	Seed         uint64             `toml:"seed" default:"1" doc:"seed of what all nodes of a network have alike: synthetic text and base models"`
	Node         nodeTable          `toml:"node"`
	StateSync    stateSyncTable     `toml:"state_sync"`
	Corpus       role.Corpus        `toml:"corpus"`
	Base         role.Training      `toml:"base"`
	Evaluation   role.Evaluation    `toml:"evaluation"`
	Trace        traceTable         `toml:"trace"`
	Miners       []minerTable       `toml:"miners"`
	Validators   []validatorTable   `toml:"validators"`
	Applications []applicationTable `toml:"applications"`
}

// nodeTable says how a node reaches others and what it keeps.
type nodeTable struct {
	Listen         string   `toml:"listen" default:"0.0.0.0:26656" doc:"address for other nodes; port 0: any that is free"`
	API            string   `toml:"api" default:"127.0.0.1:26680" doc:"address of the interface for the other verbs of this program; it shows what is public and takes what is signed"`
	RPC            string   `toml:"rpc" doc:"address of the engine's own interface, from which others begin by state sync; empty: none"`
	Metrics        string   `toml:"metrics" doc:"address of the figures for Prometheus; empty: none"`
	Peers          []string `toml:"peers" doc:"nodes to keep connected, as in ID@203.0.113.7:26656"`
	Discover       bool     `toml:"discover" default:"true" doc:"learn of more nodes from those that are known; not for nodes on one machine"`
	Archive        bool     `toml:"archive" doc:"keep all blocks, for replay; else those that may still matter"`
	SnapshotBlocks uint64   `toml:"snapshot_blocks" default:"1000" unit:"blocks" min:"10" max:"1000000" doc:"blocks between two snapshots for others to begin from"`
	Witnesses      []string `toml:"witnesses" doc:"URLs of the api of other nodes, which are asked before the node runs whether its consensus key signs somewhere else"`
	HaltHeight     uint64   `toml:"halt_height" unit:"blocks" doc:"stop after this block; 0: never"`
	SaveS          float64  `toml:"save_s" default:"60" unit:"s" min:"0.1" max:"86400" doc:"time between two saves of what each agent has learned; a stop saves too, and after a kill an agent goes on from the last"`
	Journal        bool     `toml:"journal" doc:"keep what each agent was given and what it did, for taolabd replay; it grows as long as the node runs"`
	JournalVolumes uint64   `toml:"journal_volumes" max:"1000000" doc:"files of each agent's journal that stay, of about 256 MiB or one start of the node each: the oldest go as one begins; 0: all stay"`
}

// traceTable says what is written for taolab report.
type traceTable struct {
	On           bool    `toml:"on" doc:"write what the agents do and what the node sees of the chain, in folders of runs that taolab report reads: below traces, numbered, a new one for each start. It takes up to 100 MB of memory; a row that the disk is too slow for is left out and counted in run.json, and a full disk ends the trace and not the node"`
	Rows         string  `toml:"rows" default:"off" one:"off,all" doc:"a row per row of text in each question, in the table scores: much"`
	SyncS        float64 `toml:"sync_s" default:"30" unit:"s" min:"0.1" max:"3600" doc:"how long a row waits at most before it is whole on disk, where a kill leaves it"`
	FolderBlocks uint64  `toml:"folder_blocks" default:"50000" unit:"blocks" min:"10" max:"10000000" doc:"after so many a folder is finished and the next begins"`
	Folders      uint64  `toml:"folders" unit:"folders" max:"1000000" doc:"how many stay, the newest; older ones are removed. 0: all, as long as the disk lasts"`
}

// agentTable is what every agent of a node has.
type agentTable struct {
	Name     string `toml:"name" doc:"name of the agent, by which its saved state is found; empty: of its kind and number"`
	Wallet   string `toml:"wallet" default:"default" doc:"wallet of its hotkey"`
	Hotkey   string `toml:"hotkey" default:"default" doc:"name of its hotkey there"`
	Listen   string `toml:"listen" doc:"address where it serves; empty: it serves nobody from outside"`
	Announce string `toml:"announce" doc:"address and port that the ledger shows to callers; empty: that of listen, where it is one of this machine only"`
	Group    string `toml:"group" doc:"name under which reports of the trace show it, together with others of that group; empty: of its kind"`
}

type minerTable struct {
	agentTable
	role.Miner
	Also []identityTable `toml:"also"`
}

type validatorTable struct {
	agentTable
	role.Validator
}

type applicationTable struct {
	agentTable
	Page string `toml:"page" default:"127.0.0.1:26690" doc:"address of the Playground, on this machine only; empty: none"`
	role.Application
}

// readSettings reads node.toml of a folder.
func (h home) readSettings() (*nodeSettings, error) {
	return h.readChanged(unchanged)
}

func unchanged(*nodeSettings) error { return nil }

// readChanged reads node.toml of a folder with what flags change, and checks it then: a flag may give what is missing.
func (h home) readChanged(change func(*nodeSettings) error) (*nodeSettings, error) {
	data, err := os.ReadFile(h.settings())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, command.Code(command.Usage, fmt.Errorf("%s: no such file; taolabd init begins a network, taolabd join joins one", h.settings()))
	}
	if err != nil {
		return nil, command.Code(command.Failure, err)
	}
	var refused error
	s, err := decodeSettings(h.settings(), string(data), func(s *nodeSettings) error {
		refused = change(s)
		return refused
	})
	if refused != nil {
		return nil, refused
	}
	return s, command.Code(command.Invalid, err)
}

// decodeSettings reads the text of a node.toml and changes what it says; all faults are told.
func decodeSettings(name, text string, change func(*nodeSettings) error) (*nodeSettings, error) {
	d, err := settings.Parse(name, text, nil)
	if err != nil {
		return nil, err
	}
	s := settings.Default[nodeSettings]()
	if d.Decode(&s); len(d.Faults()) == 0 {
		s.locate(filepath.Dir(name))
		if err := change(&s); err != nil {
			return nil, err
		}
		s.check(d.Fault)
	}
	if faults := d.Faults(); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &s, nil
}

// locate makes paths of the file absolute: they are relative to it.
func (s *nodeSettings) locate(dir string) {
	paths := []*string{&s.Corpus.Path, &s.Corpus.Tokenizer}
	for i := range s.Miners {
		paths = append(paths, &s.Miners[i].Checkpoint)
	}
	for _, path := range paths {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
}

// check reports what no single key shows.
func (s *nodeSettings) check(report role.Report) {
	s.Corpus.Check(report)
	s.Node.check(report)
	if len(s.Corpus.Append) > 0 {
		report("corpus.append[0]", "the text of a live network stays as it is", "no such table", "")
	}
	var names []string
	agent := func(kind string, i int, a *agentTable, serves bool) string {
		path := fmt.Sprintf("%s[%d]", kind, i)
		if a.Name == "" {
			a.Name = fmt.Sprintf("%s-%d", strings.TrimSuffix(kind, "s"), i+1)
		}
		if err := wallet.CheckName(a.Name); err != nil {
			report(path+".name", err.Error(), "a short name", "")
		}
		if slices.Contains(names, a.Name) {
			report(path+".name", a.Name+" stands twice", "a name for each agent", "")
		}
		names = append(names, a.Name)
		if a.Group == "" {
			a.Group = kind
		}
		if _, err := a.announced(); err != nil {
			report(path+".announce", err.Error(), "an address and port that callers reach, as in 203.0.113.7:8091", "")
		}
		if a.Listen != "" {
			reportAddress(report, path+".listen", a.Listen)
		}
		if serves && a.Listen == "" {
			report(path+".listen", "missing", "an address where the miner serves, as in 0.0.0.0:8091", "")
		}
		return path
	}
	for i := range s.Miners {
		m := &s.Miners[i]
		path := agent("miners", i, &m.agentTable, true)
		if err := m.Adopt(); err != nil {
			report(path+".checkpoint", err.Error(), "", "")
			continue
		}
		m.Check(path, len(s.Corpus.Subsets), report)
		unowned(report, path+".decide", m.Wants.Decides())
		m.checkIdentities(path, report)
		s.Corpus.CheckSubsets(path+".subsets", m.Subsets, report)
	}
	for i := range s.Validators {
		v := &s.Validators[i]
		path := agent("validators", i, &v.agentTable, false)
		v.Check(path, s.Corpus.Vocab, nil, report)
		unowned(report, path+".decide", v.Wants.Decides())
		unowned(report, path+".invest_tao", v.InvestTAO > 0)
		s.Corpus.CheckSubsets(path+".subsets", v.Subsets, report)
	}
	for i := range s.Applications {
		a := &s.Applications[i]
		path := agent("applications", i, &a.agentTable, false)
		a.Check(path, s.Corpus.Vocab, report)
		if a.Page != "" {
			reportAddress(report, path+".page", a.Page)
		}
	}
}

// unowned refuses what an owner does with a coldkey: a node has none.
func unowned(report role.Report, key string, set bool) {
	if set {
		report(key, "it moves money with a coldkey, and a node holds none", "no such setting", "taolabd tx stakes, registers and sells")
	}
}

// check reports addresses that are none.
func (t *nodeTable) check(report role.Report) {
	reportAddress(report, "node.listen", t.Listen)
	reportAddress(report, "node.api", t.API)
	if t.RPC != "" {
		reportAddress(report, "node.rpc", t.RPC)
	}
	if t.Metrics != "" {
		reportAddress(report, "node.metrics", t.Metrics)
	}
}

func reportAddress(report role.Report, key, address string) {
	if !isAddress(address) {
		report(key, fmt.Sprintf("%q", address), wantAddress, "")
	}
}

const wantAddress = "a host and a port up to 65535, as in 127.0.0.1:26680"

// isAddress reports whether a program can listen at an address, as far as its form shows.
func isAddress(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	return err == nil
}

// checkFlag refuses an address on the command line.
func checkFlag(flag, address string) error {
	if isAddress(address) {
		return nil
	}
	return command.Code(command.Usage, fmt.Errorf("--%s %q: expected %s", flag, address, wantAddress))
}

// announced is the address that the ledger shows, with port 0 where that is going to be the one on which the agent
// serves; not valid where it shows none.
func (a *agentTable) announced() (netip.AddrPort, error) {
	if a.Announce != "" {
		at, err := netip.ParseAddrPort(a.Announce)
		if err != nil || at.Port() == 0 || at.Addr().IsUnspecified() || at.Addr().Zone() != "" {
			return netip.AddrPort{}, fmt.Errorf("%q", a.Announce)
		}
		return at, nil
	}
	at, err := netip.ParseAddrPort(a.Listen)
	if err != nil || at.Addr().IsUnspecified() {
		return netip.AddrPort{}, nil
	}
	return at, nil
}

// agents reports whether anybody lives in the node.
func (s *nodeSettings) agents() int { return len(s.Miners) + len(s.Validators) + len(s.Applications) }

// plan says what the agents need to be prepared.
func (s *nodeSettings) plan() *role.Plan {
	p := &role.Plan{
		Seed: s.Seed, Vocab: s.Corpus.Vocab, Training: s.Base, Rows: s.Evaluation.Rows, Cols: s.shortest(),
		Tokenizer: s.Corpus.Tokenizer, Subsets: s.checkSubsets,
	}
	p.Open = func() (pile.Source, error) { return s.Corpus.Source(s.Seed, s.Corpus.Path) }
	shape := func(c lm.Config) {
		if !slices.Contains(p.Shapes, c) {
			p.Shapes = append(p.Shapes, c)
		}
	}
	for i := range s.Miners {
		switch m := &s.Miners[i]; {
		case m.Checkpoint != "" && !slices.Contains(p.Checkpoints, m.Checkpoint):
			p.Checkpoints = append(p.Checkpoints, m.Checkpoint)
		case m.Checkpoint == "" && m.Acts().Model:
			shape(m.Shape(s.Corpus.Vocab))
		}
	}
	for i := range s.Validators {
		if v := &s.Validators[i]; v.Acts().Asks && v.Routing == "gated" && v.RouterBase {
			shape(v.RouterShape(s.Corpus.Vocab))
		}
	}
	return p
}

// shortest is the length of held-out windows: that of the miner who reads least, or what a validator sends.
func (s *nodeSettings) shortest() int {
	cols := 0
	least := func(n int) {
		if cols == 0 || n < cols {
			cols = n
		}
	}
	for _, m := range s.Miners {
		least(m.Context)
	}
	for _, v := range s.Validators {
		least(v.Tokens)
	}
	if cols == 0 {
		cols = settings.Default[role.Miner]().Context
	}
	return cols
}

// checkSubsets finds subsets that an agent wants and the corpus has not.
func (s *nodeSettings) checkSubsets(names []string) error {
	check := func(key string, wanted []string) error {
		for _, name := range wanted {
			if !slices.Contains(names, name) {
				return &settings.Error{Key: key, Fault: fmt.Sprintf("the corpus has no subset %q", name),
					Want: fmt.Sprintf("one of %q", names), Hint: settings.Meant(name, names)}
			}
		}
		return nil
	}
	var faults []error
	for i, m := range s.Miners {
		faults = append(faults, check(fmt.Sprintf("miners[%d].subsets", i), m.Subsets))
	}
	for i, v := range s.Validators {
		faults = append(faults, check(fmt.Sprintf("validators[%d].subsets", i), v.Subsets))
	}
	return errors.Join(faults...)
}
