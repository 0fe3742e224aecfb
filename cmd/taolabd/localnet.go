package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

func newLocalnet() *cobra.Command {
	var flags localFlags
	cmd := &cobra.Command{
		Use:   "localnet N",
		Short: "Run a network of N node processes on this machine, with faults if wanted",
		Long: `Make a network of N nodes, each with a seat, in folders of their own below --dir, and run them as processes on
loopback: the validators live in the first of them, the miners in all in turn, and an application in the last. A
node that ends is started again, after a second.

--kill, --pause, --stop and --disconnect do something to a node at a time after the start, as in 2@20s: kill -9,
SIGSTOP and later SIGCONT, an ending in order, or no connection between its ledger and those of the others; with
+5s for so long. At the end of --for, or at Ctrl-C, the nodes stop, and what their ledgers were is compared: one
digest at one height. They stop too when this program is killed.`,
		Example: `  taolabd localnet 4
  taolabd localnet 4 --kill 2@20s --pause 3@30s+10s --for 90s
  taolabd localnet 4 --disconnect 1@20s+15s --for 90s
  taolabd metagraph --home localnet/node-1     in another terminal`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if flags.nodes, err = strconv.Atoi(args[0]); err != nil || flags.nodes < 1 || flags.nodes > 64 {
				return command.Code(command.Usage, fmt.Errorf("localnet %q: expected 1 to 64 nodes", args[0]))
			}
			return flags.run(cmd)
		},
	}
	cmd.Flags().StringVar(&flags.dir, "dir", "localnet", "`folder` of the network; one that is there goes on")
	cmd.Flags().IntVar(&flags.miners, "miners", 4, "how many `miners` a new network has")
	cmd.Flags().IntVar(&flags.validators, "validators", 2, "how many `validators` a new network has")
	cmd.Flags().DurationVar(&flags.block, "block", time.Second, "time between the blocks of a new network")
	cmd.Flags().Uint64Var(&flags.tempo, "tempo", 15, "`blocks` between the epochs of a new network")
	cmd.Flags().DurationVar(&flags.forTime, "for", 0, "`time` after which the network stops; 0: at Ctrl-C")
	cmd.Flags().StringArrayVar(&flags.kill, "kill", nil, "kill -9 a `node@time`, as in 2@20s or 2@20s+5s; may be repeated")
	cmd.Flags().StringArrayVar(&flags.pause, "pause", nil, "pause a `node@time+time`, as in 3@30s+10s; may be repeated")
	cmd.Flags().StringArrayVar(&flags.stop, "stop", nil, "end a `node@time` in order, as in 1@40s; may be repeated")
	cmd.Flags().StringArrayVar(&flags.disconnect, "disconnect", nil, "cut a `node@time+time` off from the others, as in 1@40s+10s; may be repeated")
	cmd.Flags().BoolVar(&flags.asJSON, "json", false, "print JSON at the end")
	return cmd
}

type localFlags struct {
	devFlags
	nodes   int
	dir     string
	forTime time.Duration
	asJSON  bool

	kill, pause, stop, disconnect []string
}

// localNode is a node of the network and its process.
type localNode struct {
	name string
	home home

	mu      sync.Mutex
	process *os.Process
	down    time.Time // not started before
	starts  int
	peers   []string // by which it dials the others; none: those of its node.toml
}

const disconnect = "disconnect"

// localFault is something done to a node.
type localFault struct {
	kind     string
	node     int // from 0
	at, last time.Duration
}

// localSummary is what came of the network, as programs read it.
type localSummary struct {
	ChainID    string  `json:"chain_id"`
	FirstBlock float64 `json:"first_block_s"`
	Scored     float64 `json:"first_scored_epoch_s"` // 0: none was
	Height     uint64  `json:"height"`               // at which all nodes were compared
	Digest     string  `json:"digest"`
	Alike      bool    `json:"alike"`
	Faults     []fault `json:"faults"`
}

// fault is a fault and how long the node took to be level again.
type fault struct {
	Kind  string  `json:"kind"`
	Node  string  `json:"node"`
	At    float64 `json:"at_s"`
	Level float64 `json:"level_s"` // after it came back; 0: it was not seen
}

func (f *localFlags) run(cmd *cobra.Command) error {
	faults, err := f.faults()
	if err != nil {
		return command.Code(command.Usage, err)
	}
	if err := f.check(); err != nil {
		return command.Code(command.Usage, err)
	}
	nodes, genesis, err := f.network()
	if err != nil {
		return command.Code(command.Failure, err)
	}
	ctx, stop := command.Interruptible(cmd.Context())
	defer stop()
	if f.forTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.forTime)
		defer cancel()
	}
	n := &localnet{nodes: nodes, genesis: genesis, talk: cmd.ErrOrStderr(), began: time.Now(), summary: localSummary{Faults: []fault{}}}
	if slices.ContainsFunc(faults, func(f localFault) bool { return f.kind == disconnect }) {
		if err := n.join(); err != nil {
			return command.Code(command.Failure, err)
		}
	}
	n.live(ctx, faults)
	s := n.conclude()
	if f.asJSON {
		err = command.WriteJSON(cmd.OutOrStdout(), s)
	} else {
		err = s.print(cmd.OutOrStdout())
	}
	if err == nil && !s.Alike {
		err = command.Code(command.Digest, errors.New("the nodes' ledgers differ, or one has none; their logs are in node.log of each folder"))
	}
	return err
}

// faults reads the flags about faults.
func (f *localFlags) faults() (all []localFault, err error) {
	for _, kind := range []struct {
		name  string
		texts []string
	}{{"kill", f.kill}, {"pause", f.pause}, {"stop", f.stop}, {disconnect, f.disconnect}} {
		for _, text := range kind.texts {
			one := localFault{kind: kind.name, last: time.Second}
			when, last, lasts := strings.Cut(text, "+")
			node, at, found := strings.Cut(when, "@")
			var err error
			if one.node, err = strconv.Atoi(node); found && err == nil {
				one.at, err = time.ParseDuration(at)
			}
			if err == nil && lasts {
				one.last, err = time.ParseDuration(last)
			}
			if !found || err != nil || one.node < 1 || one.node > f.nodes || one.at < 0 || one.last < 0 {
				return nil, fmt.Errorf("--%s %q: expected NODE@TIME or NODE@TIME+TIME, as in 2@20s+5s, with a node from 1 to %d", kind.name, text, f.nodes)
			}
			one.node--
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b localFault) int { return int(a.at - b.at) })
	return all, nil
}

// network makes the folders of the nodes, or finds them.
func (f *localFlags) network() (nodes []*localNode, genesis replica.Genesis, err error) {
	for i := range f.nodes {
		name := fmt.Sprintf("node-%d", i+1)
		nodes = append(nodes, &localNode{name: name, home: home(f.dir).below(name)})
	}
	if _, err := os.Stat(nodes[0].home.genesis()); err == nil {
		for _, n := range nodes {
			if genesis, err = n.home.readGenesis(); err != nil {
				return nil, genesis, err
			}
		}
		return nodes, genesis, nil
	}
	net := f.devFlags.network()
	var peers []string
	ports, err := f.freePorts(2*f.nodes + 3 + f.miners)
	if err != nil {
		return nil, genesis, err
	}
	for i, n := range nodes {
		if err := n.home.makeKeys(); err != nil {
			return nil, genesis, err
		}
		consensus, err := n.home.consensusKey()
		if err != nil {
			return nil, genesis, err
		}
		peer, err := n.home.key(peerKey)
		if err != nil {
			return nil, genesis, err
		}
		peers = append(peers, fmt.Sprintf("%s@127.0.0.1:%d", replica.PeerID(peer), ports[2*i]))
		if i >= f.validators { // who makes blocks need not be a validator of the subnet
			net.Founders = append(net.Founders, known(n.name, 1000, false))
			net.Founders[len(net.Founders)-1].ConsensusKey = wallet.Public(consensus).String()
			continue
		}
		net.Founders[i].ConsensusKey = wallet.Public(consensus).String()
	}
	if genesis, err = net.genesis("local", time.Now()); err != nil {
		return nil, genesis, err
	}
	tables := f.tables(ports[2*f.nodes:])
	for i, n := range nodes {
		others := slices.Delete(slices.Clone(peers), i, i+1)
		if err := n.home.begin(genesis, localSettings(ports[2*i], ports[2*i+1], others, tables, i, f.nodes)); err != nil {
			return nil, genesis, err
		}
	}
	return nodes, genesis, nil
}

// below is a folder in a folder.
func (h home) below(name string) home { return home(h.in(name)) }

// tables are the tables of all agents.
func (f *localFlags) tables(ports []int) []string {
	all := strings.Split(f.devFlags.agents(ports), "\n[[")[1:]
	for i := range all {
		all[i] = "\n[[" + all[i]
	}
	return all // miners, validators, the application
}

// localSettings is the node.toml of node i of n: each agent lives in one of them.
func localSettings(listen, api int, peers, tables []string, i, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# A node of a network on one machine.\nseed = 1\n\n[node]\nlisten = \"127.0.0.1:%d\"\napi = \"127.0.0.1:%d\"\ndiscover = false\narchive = true\npeers = [", listen, api)
	for k, p := range peers {
		if k > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", p)
	}
	b.WriteString("]\n\n[base]\nsteps = 300\n\n[evaluation]\nrows = 22\n")
	for k, t := range tables {
		if k == len(tables)-1 && i == n-1 || k < len(tables)-1 && k%n == i {
			b.WriteString(t)
		}
	}
	return b.String()
}

// conclude compares what the nodes' ledgers were at the greatest height that all have.
func (n *localnet) conclude() localSummary {
	s := &n.summary
	s.ChainID = n.genesis.ChainID
	var ledgers []*replica.Node
	for _, one := range n.nodes {
		p, err := openStopped(one.home)
		if err != nil {
			n.say("%s: %v", one.name, err)
			continue
		}
		defer p.node.Stop()
		ledgers = append(ledgers, p.node)
	}
	if len(ledgers) < len(n.nodes) {
		return *s
	}
	s.Height = ledgers[0].View().Height()
	for _, l := range ledgers {
		s.Height = min(s.Height, l.View().Height())
	}
	s.Alike = true
	for i, l := range ledgers {
		digest, err := digestAt(n.genesis, l, s.Height)
		if err != nil {
			n.say("%s: %v", n.nodes[i].name, err)
			s.Alike = false
		}
		if i > 0 && digest != s.Digest {
			n.say("%s has the digest %s at block %d, %s has %s", n.nodes[i].name, digest, s.Height, n.nodes[0].name, s.Digest)
			s.Alike = false
		}
		if i == 0 {
			s.Digest = digest
		}
	}
	return *s
}

// digestAt replays a ledger's blocks up to a height.
func digestAt(genesis replica.Genesis, l *replica.Node, height uint64) (string, error) {
	state, err := genesis.State()
	if err != nil {
		return "", err
	}
	for h := state.Height() + 1; h <= height; h++ {
		b, found, err := l.Record(h)
		if err != nil || !found {
			return "", fmt.Errorf("block %d is not kept: %w", h, errors.Join(err, os.ErrNotExist))
		}
		if _, err := state.Run(b, nil); err != nil {
			return "", err
		}
	}
	return state.Digest().String(), nil
}

func (s *localSummary) print(w io.Writer) error {
	verdict := "all nodes have the digest " + s.Digest
	if !s.Alike {
		verdict = "the nodes differ"
	}
	_, err := fmt.Fprintf(w, "%s: first block after %.1f s, first scored epoch after %.1f s; at block %d %s\n", s.ChainID, s.FirstBlock, s.Scored, s.Height, verdict)
	for _, f := range s.Faults {
		if err == nil {
			_, err = fmt.Fprintf(w, "%s of %s at %.0f s: level %.1f s after it came back\n", f.Kind, f.Node, f.At, f.Level)
		}
	}
	return command.Code(command.Failure, err)
}
