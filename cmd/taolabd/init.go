package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/chain"
	"taolab/sim/chain/conformance"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

const maxFoundingBytes = 1 << 20

type initFlags struct {
	founding, metagraph string
	sets                []string
	wallet, hotkey      string
	stake, free         float64
	addresses
}

// addresses are where a new node is reached.
type addresses struct{ listen, api string }

func (a *addresses) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.listen, "listen", "0.0.0.0:26656", "`address` for other nodes")
	cmd.Flags().StringVar(&a.api, "api", "127.0.0.1:26680", "`address` of the interface for the other verbs")
}

// check refuses addresses that nothing can listen at, before anything is written.
func (a *addresses) check() error {
	return errors.Join(checkFlag("listen", a.listen), checkFlag("api", a.api))
}

func newInit() *cobra.Command {
	var flags initFlags
	cmd := &cobra.Command{
		Use:   "init NAME",
		Short: "Begin a network: write its genesis, and the keys and settings of its first node",
		Long: `Make the genesis of a network of a name, whose chain is called NAME and eight digits of its hash, and the folder
of its first node, whose hotkey has a seat: stake, a uid, and the consensus key of the folder.

The ledger is that of strangers in the newest era. --set changes its keys, as in --set chain.tempo_blocks=120,
--founding reads them from a TOML file, which may name other founders too, and with --metagraph the ledger goes
on from what a network shows, as taolab apply --metagraph reads it. Others need genesis.json and taolabd join.`,
		Example: `  taolabd init mynet --wallet alice
  taolabd init mynet --wallet alice --set chain.era=2025-01 --set block_s=6
  taolabd init mynet --founding founding.toml
  taolabd init mynet --wallet alice --metagraph metagraph.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			return flags.run(cmd, at, args[0])
		},
	}
	addHome(cmd)
	cmd.Flags().StringVar(&flags.founding, "founding", "", "TOML `file` with the settings of the ledger and its founders")
	cmd.Flags().StringVar(&flags.metagraph, "metagraph", "", "JSON `file` with the state of a network to go on from")
	cmd.Flags().StringArrayVar(&flags.sets, "set", nil, "override a key of the founding, as in --set block_s=6; may be repeated")
	cmd.Flags().StringVar(&flags.wallet, "wallet", "", "`name` of the wallet of the founder who runs this node")
	cmd.Flags().StringVar(&flags.hotkey, "hotkey", "default", "`name` of its hotkey")
	cmd.Flags().Float64Var(&flags.stake, "stake", 1000, "`TAO` on that hotkey; a seat needs 100")
	cmd.Flags().Float64Var(&flags.free, "free", 1000, "free `TAO` of its coldkey")
	flags.add(cmd)
	return cmd
}

func (f *initFlags) run(cmd *cobra.Command, at home, name string) error {
	if err := f.addresses.check(); err != nil {
		return err
	}
	net, err := f.read(cmd)
	if err != nil {
		return err
	}
	if err := at.makeKeys(); err != nil {
		return command.Code(command.Failure, err)
	}
	if f.wallet != "" {
		one, err := f.founder(at)
		if err != nil {
			return command.Code(command.Failure, err)
		}
		net.Founders = append(net.Founders, one)
	}
	var genesis replica.Genesis
	if f.metagraph == "" {
		genesis, err = net.genesis(name, time.Now())
	} else {
		genesis, err = f.goOn(cmd, net, name)
	}
	if err != nil {
		return command.Code(command.Invalid, err)
	}
	if err := at.begin(genesis, nodeText(f.addresses, nil, nil)); err != nil {
		return command.Code(command.Failure, err)
	}
	peer, err := at.key(peerKey)
	if err != nil {
		return command.Code(command.Failure, err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s begins in %s\nothers join with %s and the peer %s@HOST:%s\n", genesis.ChainID, at, at.genesis(),
		replica.PeerID(peer), f.listen[strings.LastIndex(f.listen, ":")+1:])
	return command.Code(command.Failure, err)
}

// read is what the network begins with, before its founder of this node.
func (f *initFlags) read(cmd *cobra.Command) (*founding, error) {
	name, text := "--set", ""
	if f.founding != "" {
		data, err := command.ReadInput(cmd, f.founding, "a founding in TOML", maxFoundingBytes)
		if err != nil {
			return nil, command.Code(command.Failure, err)
		}
		name, text = f.founding, string(data)
	}
	net, err := decodeFounding(name, text, f.sets)
	if err == nil && f.wallet == "" && len(net.Founders) == 0 {
		return nil, command.Code(command.Usage, errors.New("nobody founds the network; name a wallet with --wallet, or founders in the file of --founding"))
	}
	return &net, command.Code(command.Invalid, err)
}

// founder is the hotkey of this node.
func (f *initFlags) founder(at home) (founder, error) {
	w, err := at.keystore(0).Wallet(f.wallet)
	if err != nil {
		return founder{}, err
	}
	h, err := w.Hotkey(f.hotkey)
	if err != nil {
		return founder{}, err
	}
	consensus, err := at.consensusKey()
	if err != nil {
		return founder{}, err
	}
	return founder{
		Coldkey: wallet.Address(w.Coldkey), Hotkey: wallet.Address(h.Key), ConsensusKey: wallet.Public(consensus).String(),
		StakeTAO: f.stake, FreeTAO: f.free, UID: true, Permit: true,
	}, nil
}

// goOn makes the genesis from a metagraph and tells what had to be filled.
func (f *initFlags) goOn(cmd *cobra.Command, net *founding, name string) (replica.Genesis, error) {
	data, err := command.ReadInput(cmd, f.metagraph, "a metagraph in JSON", conformance.MaxBytes)
	if err != nil {
		return replica.Genesis{}, err
	}
	genesis, filled, err := net.goOn(name, data, time.Now())
	if err != nil {
		return genesis, fmt.Errorf("%s: %w", command.InputName(f.metagraph), err)
	}
	for _, one := range filled {
		fmt.Fprintf(cmd.ErrOrStderr(), "filled: %s, %d times: %s\n", one.Field, one.Count, one.Value)
	}
	return genesis, nil
}

// stateSyncTable is where a late node finds a state to begin from.
type stateSyncTable struct {
	Servers []string `toml:"servers" doc:"addresses of the engine's own interface (node.rpc) of two nodes or more; empty: the node fetches all blocks"`
	Height  uint64   `toml:"height" unit:"blocks" doc:"a height that somebody who is trusted names"`
	Hash    string   `toml:"hash" doc:"hash of its block, 64 hexadecimal digits"`
}

// wanted is what the engine is told; nil: fetch all blocks.
func (t *stateSyncTable) wanted() (*replica.StateSync, error) {
	if len(t.Servers) == 0 {
		return nil, nil
	}
	key, err := chain.ParseKey(t.Hash)
	if err != nil || t.Height == 0 || len(t.Servers) < 2 {
		return nil, fmt.Errorf("state_sync: %d servers, height %d, hash %q; expected at least two servers, a height and the 64 digits of its block's hash",
			len(t.Servers), t.Height, t.Hash)
	}
	return &replica.StateSync{Servers: t.Servers, Height: t.Height, Hash: chain.Digest(key)}, nil
}

// nodeText is the node.toml of a node without agents.
func nodeText(a addresses, peers []string, sync *stateSyncTable) string {
	quoted := func(list []string) string {
		var b strings.Builder
		for i, s := range list {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%q", s)
		}
		return "[" + b.String() + "]"
	}
	text := fmt.Sprintf(`# Settings of a node; docs/reference/taolabd.md has all keys. Agents that should live in it stand in tables
# [[miners]], [[validators]] and [[applications]], as in scenarios.

[node]
listen = %q
api = %q
peers = %s
`, a.listen, a.api, quoted(peers))
	if sync != nil {
		text += fmt.Sprintf("\n[state_sync]\nservers = %s\nheight = %d\nhash = %q\n", quoted(sync.Servers), sync.Height, sync.Hash)
	}
	return text
}

func newJoin() *cobra.Command {
	var genesisFile string
	var peers []string
	var sync stateSyncTable
	var where addresses
	cmd := &cobra.Command{
		Use:   "join",
		Short: "Join a network: write the keys and settings of a node of it",
		Long: `Make the folder of a node of a network that exists. taolabd node then fetches its blocks, and so do taolabd miner,
validator and app. With --state-sync the node begins from a state that others hand out in chunks, each of
which is checked; --trust-height and --trust-hash come from somebody you trust, whose taolabd status shows the
height and the block's hash.`,
		Example: `  taolabd join --genesis genesis.json --peers 3f2a...@203.0.113.7:26656
  taolabd join --genesis genesis.json --peers 3f2a...@203.0.113.7:26656 --state-sync 203.0.113.7:26657,203.0.113.8:26657 --trust-height 5000 --trust-hash 9c1d...`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			genesis, err := readGenesis(genesisFile)
			if err != nil {
				return err
			}
			wants := &sync
			if len(sync.Servers) == 0 {
				wants = nil
			} else if _, err := sync.wanted(); err != nil {
				return command.Code(command.Usage, err)
			}
			if err := checkPeers(peers); err != nil {
				return command.Code(command.Usage, err)
			}
			if err := where.check(); err != nil {
				return err
			}
			if err := at.makeKeys(); err != nil {
				return command.Code(command.Failure, err)
			}
			if err := at.begin(genesis, nodeText(where, peers, wants)); err != nil {
				return command.Code(command.Failure, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s joins %s; taolabd node, miner, validator or app runs it\n", at, genesis.ChainID)
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	cmd.Flags().StringVar(&genesisFile, "genesis", "", "`file` with the genesis of the network")
	cmd.Flags().StringSliceVar(&peers, "peers", nil, "`nodes` to connect to, as in ID@203.0.113.7:26656, with commas")
	cmd.Flags().StringSliceVar(&sync.Servers, "state-sync", nil, "`addresses` of two or more nodes' rpc, with commas, to begin from a state in place of all blocks")
	cmd.Flags().Uint64Var(&sync.Height, "trust-height", 0, "`height` of a block that is known to be right")
	cmd.Flags().StringVar(&sync.Hash, "trust-hash", "", "`hash` of that block")
	where.add(cmd)
	for _, name := range []string{"genesis", "peers"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // it was added above
		}
	}
	return cmd
}

// checkPeers refuses what is not the address of a node.
func checkPeers(peers []string) error {
	for _, p := range peers {
		id, at, found := strings.Cut(p, "@")
		if len(id) != 40 || !found || !strings.Contains(at, ":") {
			return fmt.Errorf("peer %q; expected ID@HOST:PORT, as taolabd status prints it", p)
		}
	}
	return nil
}

func newKeys() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Show the public keys of this node, and make them where they are missing",
		Long: `A node has a consensus key, with which it votes about blocks where its operator has a seat, and a peer key, by
which other nodes know it. Founders of a network give the consensus key to the one who writes the founding.`,
		Example: `  taolabd keys --json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			if err := at.makeKeys(); err != nil {
				return command.Code(command.Failure, err)
			}
			consensus, err := at.consensusKey()
			if err != nil {
				return command.Code(command.Failure, err)
			}
			peer, err := at.key(peerKey)
			if err != nil {
				return command.Code(command.Failure, err)
			}
			shown := struct {
				Consensus string `json:"consensus_key"`
				Peer      string `json:"peer_id"`
			}{wallet.Public(consensus).String(), replica.PeerID(peer)}
			if asJSON {
				return command.WriteJSON(cmd.OutOrStdout(), shown)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "consensus key  %s\npeer id        %s\n", shown.Consensus, shown.Peer)
			return command.Code(command.Failure, err)
		},
	}
	addHome(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
