package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"taolab/sim/chain"
	"taolab/sim/live/replica"
)

// localnet is a network that runs.
type localnet struct {
	nodes   []*localNode
	genesis replica.Genesis
	talk    io.Writer
	began   time.Time
	links   []*link // between each two nodes, where one is going to be cut

	mu      sync.Mutex
	summary localSummary
}

func (n *localnet) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.talk, "%7.1fs  %s\n", time.Since(n.began).Seconds(), fmt.Sprintf(format, args...))
}

// join has the nodes dial each other by links.
func (n *localnet) join() error {
	var settings []*nodeSettings
	for _, one := range n.nodes {
		s, err := one.home.readSettings()
		if err != nil {
			return err
		}
		settings = append(settings, s)
	}
	for i, one := range n.nodes {
		for _, peer := range settings[i].Node.Peers {
			id, address, _ := strings.Cut(peer, "@")
			to := slices.IndexFunc(settings, func(other *nodeSettings) bool { return other.Node.Listen == address })
			if to < 0 {
				return fmt.Errorf("%s: peer %s is none of the nodes of this network; --disconnect cuts off only nodes that have no others", one.home.settings(), peer)
			}
			k, err := newLink(i, to, address)
			if err != nil {
				return err
			}
			n.links = append(n.links, k)
			one.peers = append(one.peers, id+"@"+k.listener.Addr().String())
		}
	}
	return nil
}

// live runs the nodes until ctx ends, and ends them.
func (n *localnet) live(ctx context.Context, faults []localFault) {
	var nodes, others sync.WaitGroup
	for _, one := range n.nodes {
		nodes.Go(func() { n.supervise(ctx, one) })
	}
	others.Go(func() { n.watch(ctx) })
	for _, f := range faults {
		others.Go(func() { n.inflict(ctx, f) })
	}
	others.Wait()
	<-ctx.Done()
	nodes.Wait()
	for _, k := range n.links {
		k.close()
	}
}

// restartAfter is how long a node is down that ended by itself.
const restartAfter = time.Second

// supervise runs a node's process, again whenever it ends.
func (n *localnet) supervise(ctx context.Context, one *localNode) {
	for ctx.Err() == nil {
		one.mu.Lock()
		wait := time.Until(one.down)
		one.mu.Unlock()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		ended, err := one.start()
		if err != nil {
			n.say("%s does not start: %v", one.name, err)
			one.mu.Lock()
			one.down = time.Now().Add(restartAfter)
			one.mu.Unlock()
			continue
		}
		select {
		case err := <-ended:
			one.mu.Lock()
			one.down = later(one.down, time.Now().Add(restartAfter))
			one.mu.Unlock()
			if ctx.Err() == nil {
				n.say("%s ended: %v", one.name, err)
			}
		case <-ctx.Done():
			one.signal(syscall.SIGCONT)
			one.signal(syscall.SIGTERM)
			select {
			case <-ended:
			case <-time.After(endPatience):
				one.signal(syscall.SIGKILL)
				<-ended
			}
		}
	}
}

const endPatience = 20 * time.Second

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// start starts the process of a node, which writes to a log of its own.
func (one *localNode) start() (<-chan error, error) {
	program, err := os.Executable()
	if path, fault := exec.LookPath(os.Args[0]); fault == nil {
		program, err = path, nil
	}
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(one.home.in("node.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(program, "node", "--until-eof", "--home", string(one.home))
	if len(one.peers) > 0 {
		cmd.Args = append(cmd.Args, "--peers", strings.Join(one.peers, ","))
	}
	if _, err := cmd.StdinPipe(); err != nil { // which ends when this program does, however it does
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for this program, which ends its nodes
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	one.mu.Lock()
	one.process, one.starts = cmd.Process, one.starts+1
	one.mu.Unlock()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return ended, nil
}

func (one *localNode) signal(s os.Signal) {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.process != nil {
		_ = one.process.Signal(s) // it may have ended
	}
}

// inflict injects a fault and measures the time until the node has caught up.
func (n *localnet) inflict(ctx context.Context, f localFault) {
	if !sleep(ctx, time.Until(n.began.Add(f.at))) {
		return
	}
	one := n.nodes[f.node]
	n.say("%s %s for %s", f.kind, one.name, f.last)
	n.begin(f)
	if !sleep(ctx, f.last) {
		return
	}
	n.end(f)
	back := time.Now()
	for sleep(ctx, 200*time.Millisecond) {
		if height, most := n.height(ctx, one), n.highest(ctx, one); height > 0 && height+1 >= most {
			done := fault{f.kind, one.name, f.at.Seconds(), time.Since(back).Seconds()}
			n.say("%s is level at %d, %.1f s after it came back", one.name, height, done.Level)
			n.mu.Lock()
			n.summary.Faults = append(n.summary.Faults, done)
			n.mu.Unlock()
			return
		}
	}
}

// begin begins a fault.
func (n *localnet) begin(f localFault) {
	one := n.nodes[f.node]
	if f.kind == "kill" || f.kind == "stop" {
		one.mu.Lock()
		one.down = time.Now().Add(f.last)
		one.mu.Unlock()
	}
	switch f.kind {
	case "kill":
		one.signal(syscall.SIGKILL)
	case "pause":
		one.signal(syscall.SIGSTOP)
	case "stop":
		one.signal(syscall.SIGTERM)
	case disconnect:
		for _, k := range n.linksOf(f.node) {
			k.cut()
		}
	}
}

// end ends a fault. A node that is down comes back by itself.
func (n *localnet) end(f localFault) {
	switch f.kind {
	case "pause":
		n.nodes[f.node].signal(syscall.SIGCONT)
	case disconnect:
		for _, k := range n.linksOf(f.node) {
			k.restore()
		}
	}
}

// linksOf are the links at whose one end a node is.
func (n *localnet) linksOf(node int) (all []*link) {
	for _, k := range n.links {
		if k.from == node || k.to == node {
			all = append(all, k)
		}
	}
	return all
}

// sleep waits; false: ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

const lookPatience = time.Second

// height is that of a node; 0: it does not answer.
func (n *localnet) height(ctx context.Context, one *localNode) uint64 {
	r, err := one.home.running()
	if err != nil {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	s, err := (&client{"http://" + r.API}).status(ctx)
	if err != nil {
		return 0
	}
	return s.Height
}

// highest is the greatest height of the other nodes.
func (n *localnet) highest(ctx context.Context, but *localNode) (most uint64) {
	for _, one := range n.nodes {
		if one != but {
			most = max(most, n.height(ctx, one))
		}
	}
	return most
}

// watch tells how the network is doing, and when the first block and the first scored epoch came.
func (n *localnet) watch(ctx context.Context) {
	told := time.Time{}
	for sleep(ctx, 100*time.Millisecond) {
		var heights []uint64
		for _, one := range n.nodes {
			heights = append(heights, n.height(ctx, one))
		}
		most := slices.Max(heights)
		n.mu.Lock()
		first, scored := n.summary.FirstBlock == 0 && most > 0, n.summary.Scored == 0 && most > 0
		n.mu.Unlock()
		if first {
			n.mu.Lock()
			n.summary.FirstBlock = time.Since(n.began).Seconds()
			n.mu.Unlock()
			n.say("the first block is there")
		}
		if scored && n.scored(ctx) {
			n.mu.Lock()
			n.summary.Scored = time.Since(n.began).Seconds()
			n.mu.Unlock()
			n.say("the first epoch paid miners for their answers")
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			n.say("heights %d", heights)
		}
	}
}

// scored reports whether a miner has an incentive.
func (n *localnet) scored(ctx context.Context) bool {
	for _, one := range n.nodes {
		r, err := one.home.running()
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, lookPatience)
		v, err := (&client{"http://" + r.API}).view(ctx)
		cancel()
		if err != nil {
			continue
		}
		for uid := range v.N() {
			if v.Incentive(chain.UID(uid)) > 0 {
				return true
			}
		}
		return false
	}
	return false
}
