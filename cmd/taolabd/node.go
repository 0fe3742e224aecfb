package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"taolab/agents/role"
	"taolab/agents/settings"
	"taolab/cmd/internal/command"
	"taolab/sim/live/wallet"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newNode() *cobra.Command {
	var ask *prompter
	var peers []string
	var untilEOF bool
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node, and the agents that its settings name",
		Long: `Run the node of a folder that init or join made, with the agents of node.toml. It fetches the blocks that it
misses, votes where its consensus key has a seat, and answers the other verbs. Ctrl-C or SIGTERM stop it in
order; what is committed outlives a kill at any moment.`,
		Example: `  taolabd node
  taolabd node --passphrase-fd 3 3<passphrase.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if untilEOF {
				cmd.SetContext(whileInput(cmd.Context(), cmd.InOrStdin()))
			}
			return runNode(cmd, ask, func(s *nodeSettings) error {
				if cmd.Flags().Changed("peers") {
					s.Node.Peers = peers
				}
				return command.Code(command.Usage, checkPeers(peers))
			})
		},
	}
	addHome(cmd)
	addLog(cmd)
	addTrace(cmd)
	cmd.Flags().StringSliceVar(&peers, "peers", nil, "`nodes` to keep connected in place of those of node.toml, as in ID@203.0.113.7:26656, with commas")
	cmd.Flags().BoolVar(&untilEOF, "until-eof", false, "stop in order when standard input ends, as it does when the program that started this one ends")
	ask = addPassphrase(cmd.Flags())
	return cmd
}

// whileInput ends when standard input does.
func whileInput(ctx context.Context, in io.Reader) context.Context {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in) // broken or ended
		stop()
	}()
	return ctx
}

// runNode runs the node of a folder with settings that flags change.
func runNode(cmd *cobra.Command, ask *prompter, change func(*nodeSettings) error) error {
	at, err := homeOf(cmd)
	if err != nil {
		return err
	}
	log, err := logOf(cmd)
	if err != nil {
		return err
	}
	genesis, err := at.readGenesis()
	if err != nil {
		return err
	}
	s, err := at.readChanged(change)
	if err != nil {
		return err
	}
	if err := wantTrace(cmd, s); err != nil {
		return err
	}
	sync, err := s.StateSync.wanted()
	if err != nil {
		return command.Code(command.Invalid, fmt.Errorf("%s: %w", at.settings(), err))
	}
	if err := at.elsewhere(cmd.Context(), s, genesis.ChainID); err != nil {
		return command.Code(command.Failure, err)
	}
	ctx, stop := command.Interruptible(cmd.Context())
	defer stop()
	keys := &keyring{store: at.keystore(0), ask: ask}
	p := &process{home: at, settings: s, genesis: genesis, sync: sync, log: log, open: keys.agent, ready: announceOn(cmd.OutOrStdout(), genesis)}
	return p.run(ctx)
}

// addTrace adds the flag that turns the trace on.
func addTrace(cmd *cobra.Command) {
	cmd.Flags().Bool("trace", false, "write what happens for taolab report, below traces in the folder, as trace.on = true in node.toml does")
}

// wantTrace puts the flag into the settings, where it is given.
func wantTrace(cmd *cobra.Command, s *nodeSettings) error {
	on, err := cmd.Flags().GetBool("trace")
	if cmd.Flags().Changed("trace") {
		s.Trace.On = on
	}
	return err
}

// agent opens the hotkey of an agent.
func (k *keyring) agent(a *agentTable) (ed25519.PrivateKey, error) {
	if name, is := strings.CutPrefix(a.Wallet, knownPrefix); is {
		return wallet.Known(name), nil
	}
	w, err := k.store.Wallet(a.Wallet)
	if err != nil {
		return nil, command.Code(command.Failure, err)
	}
	if _, err := w.Hotkey(a.Hotkey); err != nil {
		return nil, command.Code(command.Failure, err)
	}
	passphrase, err := k.passphrase(a.Wallet)
	if err != nil {
		return nil, err
	}
	private, err := k.store.Hotkey(a.Wallet, a.Hotkey, passphrase)
	return private, command.Code(command.Failure, err)
}

// agentFlags are those of an agent that the command line adds to a node.
type agentFlags struct {
	agentTable
	page string
	ask  *prompter
}

func (f *agentFlags) add(cmd *cobra.Command, listen string) {
	addHome(cmd)
	addLog(cmd)
	addTrace(cmd)
	f.ask = addPassphrase(cmd.Flags())
	cmd.Flags().StringVar(&f.Wallet, "wallet", "default", "`name` of the wallet of the agent's hotkey")
	cmd.Flags().StringVar(&f.Hotkey, "hotkey", "default", "`name` of its hotkey")
	if listen != "" {
		cmd.Flags().StringVar(&f.Listen, "listen", listen, "`address` where it serves")
		cmd.Flags().StringVar(&f.Announce, "announce", "", "`address` that the ledger shows to callers, as in 203.0.113.7:8091; without it that of --listen, where it is one")
	}
}

func newMiner() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "miner",
		Short: "Run a node and a miner in it",
		Long: `Run the node of a folder with a miner of this hotkey. The first [[miners]] table of node.toml has its other
settings: its model or checkpoint, how much it trains, whom it serves. Once the hotkey has a uid, the ledger
shows where it serves; taolabd tx register gets one.`,
		Example: `  taolabd miner --wallet alice --hotkey miner --announce 203.0.113.7:8091`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNode(cmd, f.ask, func(s *nodeSettings) error {
				if len(s.Miners) == 0 {
					s.Miners = []minerTable{{Miner: settings.Default[role.Miner]()}}
				}
				return f.into(cmd, &s.Miners[0].agentTable, "miners")
			})
		},
	}
	f.add(cmd, "0.0.0.0:8091")
	return cmd
}

func newValidator() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "validator",
		Short: "Run a node and a validator in it",
		Long: `Run the node of a folder with a validator of this hotkey. The first [[validators]] table of node.toml has its
other settings. It needs a uid, stake and a permit; taolabd tx prove-consensus asks for a seat besides.`,
		Example: `  taolabd validator --wallet alice --hotkey validator`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNode(cmd, f.ask, func(s *nodeSettings) error {
				if len(s.Validators) == 0 {
					s.Validators = []validatorTable{{Validator: settings.Default[role.Validator]()}}
				}
				return f.into(cmd, &s.Validators[0].agentTable, "validators")
			})
		},
	}
	f.add(cmd, "")
	return cmd
}

func newApp() *cobra.Command {
	var f agentFlags
	cmd := &cobra.Command{
		Use:   "app",
		Short: "Run a node and an application with the Playground in it",
		Long: `Run the node of a folder with an application of this hotkey, and the Playground: a page for people and an HTTP
interface for programs, on this machine only, that continue texts by asking the best miners. The stake on the
hotkey decides who serves it and how soon. The first [[applications]] table of node.toml has its other settings.`,
		Example: `  taolabd app --wallet alice --page 127.0.0.1:26690`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNode(cmd, f.ask, func(s *nodeSettings) error {
				fresh := len(s.Applications) == 0
				if fresh {
					one := settings.Default[role.Application]()
					one.SessionS, one.PaceS = 0, 0.05 // prompts come from the operator, as fast as miners answer
					s.Applications = []applicationTable{{Application: one}}
				}
				if fresh || cmd.Flags().Changed("page") {
					s.Applications[0].Page = f.page
				}
				return errors.Join(checkFlag("page", f.page), f.into(cmd, &s.Applications[0].agentTable, "applications"))
			})
		},
	}
	f.add(cmd, "")
	cmd.Flags().StringVar(&f.page, "page", "127.0.0.1:26690", "`address` of the Playground, on this machine only")
	return cmd
}

// into puts the flags into the first table of a kind. Values of the table stand, unless a flag is given.
func (f *agentFlags) into(cmd *cobra.Command, a *agentTable, kind string) error {
	if a.Name == "" {
		a.Name = strings.TrimSuffix(kind, "s") + "-1"
	}
	if a.Group == "" {
		a.Group = kind
	}
	for _, c := range []struct {
		flag     string
		to, from *string
	}{{"wallet", &a.Wallet, &f.Wallet}, {"hotkey", &a.Hotkey, &f.Hotkey}, {"listen", &a.Listen, &f.Listen}, {"announce", &a.Announce, &f.Announce}} {
		if *c.to == "" || cmd.Flags().Changed(c.flag) {
			*c.to = *c.from
		}
	}
	if f.Listen != "" {
		if err := checkFlag("listen", f.Listen); err != nil {
			return err
		}
	}
	_, err := a.announced()
	if err != nil {
		err = fmt.Errorf("--announce %w; expected an address and port that callers reach, as in 203.0.113.7:8091", err)
	}
	return command.Code(command.Usage, err)
}
