package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"taolab/agents/role"
	"taolab/cmd/internal/command"
	"taolab/cmd/taolabd/playground"
	"taolab/model/base"
	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

// A process is a node and the agents that live in it, from its start to its end.
type process struct {
	home     home
	settings *nodeSettings
	genesis  replica.Genesis
	sync     *replica.StateSync
	open     func(a *agentTable) (ed25519.PrivateKey, error) // the hotkey of an agent
	log      *slog.Logger

	node    *replica.Node
	figures *prometheus.Registry
	running running
	ready   func(running) // called when the node answers; nil: nobody waits
}

// run runs the process until ctx ends or something in it must stop.
func (p *process) run(ctx context.Context) error {
	release, err := lockHome(p.home)
	if err != nil {
		return err
	}
	defer release()
	for _, address := range p.settings.ports() { // before somebody types, and before models are prepared
		if err := portFree(address); err != nil {
			return command.Code(command.Failure, fmt.Errorf("%w; end the program that has it, or set another address in node.toml or by a flag", err))
		}
	}
	hotkeys, err := p.hotkeys()
	if err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return command.Code(command.Failure, err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-p.node.Failed():
			stop(p.node.Err())
		case <-ctx.Done():
		}
	}()
	err = p.answer(ctx)
	if err == nil {
		err = p.live(ctx, hotkeys)
	}
	p.log.Info("the node stops", "height", p.node.View().Height())
	err = errors.Join(ending(ctx, err), p.home.retract(), p.node.Stop())
	return command.Code(command.Failure, err)
}

// ending is why the node stopped, and after that what could not be saved; nil: somebody stopped it.
func ending(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(cause, context.Canceled) || errors.Is(err, cause) {
		return err
	}
	return errors.Join(cause, err)
}

// lockHome makes sure that one node at a time runs in a folder: two would sign the same votes.
func lockHome(at home) (func(), error) {
	release, err := command.LockFolder(string(at))
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w; taolabd init begins a network, taolabd join joins one", err)
	}
	return release, command.Code(command.Failure, err)
}

// hotkeys opens the hotkeys of all agents, before anything starts: somebody may have to type.
func (p *process) hotkeys() (map[string]ed25519.PrivateKey, error) {
	keys := map[string]ed25519.PrivateKey{}
	all := p.settings.tables()
	for i := range p.settings.Miners {
		all = append(all, p.settings.Miners[i].others()...)
	}
	for _, a := range all {
		private, err := p.open(a)
		if err != nil {
			return nil, fmt.Errorf("agent %s: %w", a.Name, err)
		}
		keys[a.Name] = private
	}
	return keys, nil
}

// tables are what all agents have, in the order in which they live.
func (s *nodeSettings) tables() (all []*agentTable) {
	for i := range s.Miners {
		all = append(all, &s.Miners[i].agentTable)
	}
	for i := range s.Validators {
		all = append(all, &s.Validators[i].agentTable)
	}
	for i := range s.Applications {
		all = append(all, &s.Applications[i].agentTable)
	}
	return all
}

// openLedger opens the node's ledger.
func (p *process) openLedger() error {
	consensus, err := p.home.key(consensusKey)
	if err != nil {
		return err
	}
	peer, err := p.home.key(peerKey)
	if err != nil {
		return err
	}
	t := &p.settings.Node
	var metrics prometheus.Registerer
	if t.Metrics != "" {
		p.figures = prometheus.NewRegistry()
		metrics = p.figures
	}
	p.node, err = replica.Open(replica.Config{
		Genesis: p.genesis, Dir: p.home.ledger(), ConsensusKey: consensus, NodeKey: peer, Listen: t.Listen, RPC: t.RPC,
		Peers: t.Peers, Discover: t.Discover, StateSync: p.sync, Archive: t.Archive, SnapshotBlocks: t.SnapshotBlocks,
		HaltHeight: t.HaltHeight, Log: p.log, Metrics: metrics,
	})
	return err
}

// start opens the ledger and lets it talk to others.
func (p *process) start() error {
	if err := p.openLedger(); err != nil {
		return err
	}
	if err := p.node.Start(); err != nil {
		return errors.Join(err, p.node.Stop())
	}
	p.log.Info("the node runs", "chain", p.genesis.ChainID, "height", p.node.View().Height(), "listen", p.node.Status().Address)
	return nil
}

// answer answers the other verbs, and tells where.
func (p *process) answer(ctx context.Context) error {
	at, err := serveAPI(ctx, live.Replicated(p.node), p.node, p.settings.Node.API)
	if err != nil {
		return err
	}
	status := p.node.Status()
	p.running = running{PID: os.Getpid(), API: at.String(), P2P: status.PeerID + "@" + status.Address, RPC: status.RPC}
	if err := p.serveMetrics(ctx); err != nil {
		return err
	}
	if err := p.home.announce(p.running); err != nil {
		return err
	}
	if p.ready != nil {
		p.ready(p.running)
	}
	return nil
}

// serveMetrics answers Prometheus, where that is wanted.
func (p *process) serveMetrics(ctx context.Context) error {
	if p.settings.Node.Metrics == "" {
		return nil
	}
	socket, err := net.Listen("tcp", p.settings.Node.Metrics)
	if err != nil {
		return fmt.Errorf("node.metrics: %w; set another address", err)
	}
	serveHTTP(ctx, socket, promhttp.HandlerFor(p.figures, promhttp.HandlerOpts{}), callerPatience)
	return nil
}

// live prepares what the agents need and lets them live until ctx ends.
func (p *process) live(ctx context.Context, hotkeys map[string]ed25519.PrivateKey) (err error) {
	if p.settings.agents() == 0 {
		<-ctx.Done()
		return nil
	}
	tuneCollector()
	material, err := p.prepare(ctx)
	if ctx.Err() != nil { // who ended it knows why
		return nil
	}
	if err != nil {
		return err
	}
	nodes, cast, err := p.cast(material, hotkeys)
	if err != nil {
		return err
	}
	config := live.Config{
		Ledger: live.Replicated(p.node), Genesis: p.genesis.Time, Seed: seedOf(nodes), Nodes: nodes, Dir: p.home.agents(),
		SaveEvery: seconds(p.settings.Node.SaveS),
		Journal:   p.settings.Node.Journal, JournalVolumes: int(p.settings.Node.JournalVolumes), Log: p.log,
	}
	if p.figures != nil {
		config.Metrics = p.figures
	}
	if trail := p.newTrail(material, cast); trail != nil {
		if err := trail.begin(); err != nil {
			return err
		}
		defer func() { trail.end(ending(ctx, err)) }()
		config.Recorder, config.Trace = trail, recording
	}
	world, err := live.New(config)
	if err != nil {
		return err
	}
	if err := p.servePages(ctx, world, config.Ledger, nodes); err != nil {
		return err
	}
	return world.Run(ctx)
}

func seconds(s float64) time.Duration { return time.Duration(float64(s * float64(time.Second))) }

// prepare makes or finds the text, the tokenizer and the models.
func (p *process) prepare(ctx context.Context) (*role.Material, error) {
	begin, told := time.Now(), time.Now()
	stage := func(name string, done, total int64) {
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			p.log.Info("preparing", "stage", name, "done", done, "of", total)
		}
	}
	material, err := p.settings.plan().Prepare(ctx, base.DefaultCache(), runtime.NumCPU(), stage)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.home.settings(), err)
	}
	for _, warning := range material.Warnings {
		p.log.Warn(warning)
	}
	p.log.Info("prepared", "seconds", int(time.Since(begin).Seconds()), "material", material.Describe())
	return material, nil
}

// seedOf is the master seed of the agents' draws: two operators with equal settings draw differently.
func seedOf(nodes []live.Node) uint64 {
	h := sha256.New()
	for _, n := range nodes {
		h.Write(n.Hotkey.Public().(ed25519.PublicKey))
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// A resident is an agent of the settings before it lives.
type resident struct {
	*agentTable
	made      role.Agent
	entry     report.Node // of a trace
	admission host.AdmissionRules
}

// cast makes the agents, and what a trace shows of them.
func (p *process) cast(material *role.Material, hotkeys map[string]ed25519.PrivateKey) ([]live.Node, []member, error) {
	public := func(name string) chain.Key { return wallet.Public(hotkeys[name]) }
	residents, err := p.residents(material, p.node.View(), public)
	var nodes []live.Node
	var cast []member
	for i, r := range residents {
		announce, wrong := r.announced()
		others, more := p.settings.identities(r.Name, hotkeys)
		err = errors.Join(err, wrong, more)
		nodes = append(nodes, live.Node{
			Name: r.Name, Agent: r.made.Fresh(), Hotkey: hotkeys[r.Name], Listen: r.Listen, Announce: announce, Admission: r.admission,
			Others: others,
		})
		r.entry.Index = i
		cast = append(cast, p.shown(r.agentTable, r.made, public(r.Name), r.entry))
	}
	return nodes, cast, err
}

// residents are the agents of the settings on a ledger.
func (p *process) residents(material *role.Material, view chain.View, public func(name string) chain.Key) ([]resident, error) {
	first, err := p.genesis.State()
	if err != nil {
		return nil, err
	}
	seats := int(view.Params().MaxUIDs)
	m := &role.Maker{
		Material: material, Seed: p.settings.Seed, Seats: seats, BlockS: p.genesis.Interval.Seconds(),
		Height: first.Height(), EvaluateEveryBlocks: p.settings.Evaluation.PeriodBlocks, Hotkey: public,
	}
	var all []resident
	var faults []error
	add := func(a *agentTable, made role.Agent, entry report.Node, admission host.AdmissionRules, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", p.home.settings(), err))
			return
		}
		all = append(all, resident{a, made, entry, admission})
	}
	for i := range p.settings.Miners {
		t := &p.settings.Miners[i]
		made, err := m.Miner(t.Name, &t.Miner, 0, 1, 0)
		add(&t.agentTable, made, t.entry(), t.Admission(), err)
	}
	for i := range p.settings.Validators {
		t := &p.settings.Validators[i]
		made, err := m.Validator(t.Name, &t.Validator, seats)
		add(&t.agentTable, made, t.entry(), host.AdmissionRules{}, err)
	}
	for i := range p.settings.Applications {
		t := &p.settings.Applications[i]
		made, err := m.Application(t.Name, &t.Application)
		add(&t.agentTable, made, t.entry(), t.Application.Admission(), err)
	}
	return all, errors.Join(faults...)
}

// servePages shows the Playground of each application that has a page.
func (p *process) servePages(ctx context.Context, world *live.World, ledger live.Ledger, nodes []live.Node) error {
	first := len(p.settings.Miners) + len(p.settings.Validators)
	for i := range p.settings.Applications {
		t := &p.settings.Applications[i]
		if t.Page == "" {
			continue
		}
		socket, err := playground.Listen(t.Page)
		if err != nil {
			return err
		}
		page := playground.New(playground.Operated{World: world, Ledger: ledger, Node: nodes[first+i]}, playground.Limits{}, p.log)
		go func() {
			if err := page.Serve(ctx, socket); err != nil {
				p.log.Error("the page ended", "reason", err)
			}
		}()
		p.running.Page = "http://" + socket.Addr().String()
		p.log.Info("the Playground answers", "page", p.running.Page)
	}
	return p.home.announce(p.running)
}
