package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

func newDev() *cobra.Command {
	var flags devFlags
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a whole network in this process",
		Long: `Make a network in the node's folder, unless there is one already, and run it: the ledger with a block every
750 ms, miners on small models, validators, and an application with the Playground. Ctrl-C stops it, and the next
dev goes on where it was. All keys are known to everybody, as in --wallet known:faucet, whose money is for you to
play with. Every other verb works on it.

node.toml in the folder has the settings of the agents, for you to change. To begin another network, name
another folder.`,
		Example: `  taolabd dev
  taolabd dev --home /tmp/net --ports 0      on ports that are free
  taolabd metagraph                          in another terminal
  taolabd tx transfer --wallet known:faucet --to alice --amount 100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := homeOf(cmd)
			if err != nil {
				return err
			}
			return flags.run(cmd, at)
		},
	}
	addHome(cmd)
	cmd.Flags().IntVar(&flags.miners, "miners", 4, "how many `miners` a new network has, at most 64")
	cmd.Flags().IntVar(&flags.validators, "validators", 2, "how many `validators` a new network has, at most 16")
	cmd.Flags().IntVar(&flags.ports, "ports", 26680, "first `port` of a new network: of the api; those of other nodes, the Playground and the miners follow; 0: any that are free")
	cmd.Flags().DurationVar(&flags.block, "block", 750*time.Millisecond, "time between the blocks of a new network")
	cmd.Flags().Uint64Var(&flags.tempo, "tempo", 15, "`blocks` between the epochs of a new network")
	addLog(cmd)
	addTrace(cmd)
	return cmd
}

type devFlags struct {
	miners, validators, ports int
	block                     time.Duration
	tempo                     uint64
}

// devName is the name of networks that dev makes.
const devName = "dev"

func (f *devFlags) run(cmd *cobra.Command, at home) error {
	log, err := logOf(cmd)
	if err != nil {
		return err
	}
	if _, err := os.Stat(at.genesis()); errors.Is(err, fs.ErrNotExist) {
		if err := f.make(at); err != nil {
			return err
		}
	}
	genesis, err := at.readGenesis()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(genesis.ChainID, devName+"-") {
		return command.Code(command.Usage, fmt.Errorf("%s is the folder of a node of %s; name another one with --home, or run that with taolabd node", at, genesis.ChainID))
	}
	s, err := at.readSettings()
	if err != nil {
		return err
	}
	if err := wantTrace(cmd, s); err != nil {
		return err
	}
	ctx, stop := command.Interruptible(cmd.Context())
	defer stop()
	p := &process{home: at, settings: s, genesis: genesis, open: openKnown, log: log, ready: announceOn(cmd.OutOrStdout(), genesis)}
	return p.run(ctx)
}

// announceOn tells people where a node is when it runs.
func announceOn(w io.Writer, g replica.Genesis) func(running) {
	return func(r running) { fmt.Fprintf(w, "%s runs; the api is at http://%s\n", g.ChainID, r.API) }
}

// openKnown opens a key that everybody has.
func openKnown(a *agentTable) (ed25519.PrivateKey, error) {
	name, is := strings.CutPrefix(a.Wallet, knownPrefix)
	if !is {
		return nil, command.Code(command.Invalid, fmt.Errorf("wallet %q; expected known:NAME in a network of dev; taolabd node opens other wallets", a.Wallet))
	}
	return wallet.Known(name), nil
}

// make makes a network in a folder: keys, genesis and settings.
func (f *devFlags) make(at home) error {
	if err := f.check(); err != nil {
		return command.Code(command.Usage, err)
	}
	if err := at.makeKeys(); err != nil {
		return command.Code(command.Failure, err)
	}
	consensus, err := at.consensusKey()
	if err != nil {
		return command.Code(command.Failure, err)
	}
	net := f.network()
	net.Founders[0].ConsensusKey = wallet.Public(consensus).String()
	genesis, err := net.genesis(devName, time.Now())
	if err != nil {
		return command.Code(command.Usage, err)
	}
	ports, err := f.freePorts(3 + f.miners)
	if err != nil {
		return command.Code(command.Failure, err)
	}
	return command.Code(command.Failure, at.begin(genesis, devSettings(f.agents(ports), ports[0], ports[1])))
}

// check refuses flags of which no network can be made.
func (f *devFlags) check() error {
	last := 65_535 - 2 - f.miners // the ports behind the first are for other nodes, the page and the miners
	switch {
	case f.miners < 1 || f.miners > 64:
		return fmt.Errorf("--miners %d: expected 1 to 64", f.miners)
	case f.validators < 1 || f.validators > 16:
		return fmt.Errorf("--validators %d: expected 1 to 16", f.validators)
	case f.tempo < 2:
		return fmt.Errorf("--tempo %d: expected at least 2", f.tempo)
	case f.ports < 0 || f.ports > last:
		return fmt.Errorf("--ports %d: expected 1 to %d, or 0 for any that are free", f.ports, last)
	}
	return nil
}

// network is the founding of a network of known keys: validators first, which have the uids in front.
func (f *devFlags) network() *founding {
	net := defaultFounding()
	net.BlockS, net.UIDs = f.block.Seconds(), uint64(max(16, 2*(f.miners+f.validators)))
	net.Chain.TempoBlocks, net.Chain.WeightsRateLimitBlocks = f.tempo, 0
	one := uint64(1)
	net.Chain.MinAllowedWeights = &one
	validators := uint64(f.validators)
	net.Chain.MaxValidators = &validators
	for i := range f.validators {
		net.Founders = append(net.Founders, known(fmt.Sprintf("validator-%d", i+1), 1000, true))
		net.Founders[i].Permit = true
	}
	for i := range f.miners {
		net.Founders = append(net.Founders, known(fmt.Sprintf("miner-%d", i+1), 1, true))
	}
	faucet := known("faucet", 0, false)
	faucet.FreeTAO = 10_000
	net.Founders = append(net.Founders, known("application-1", 100, false), faucet)
	return &net
}

// known is a founder whose keys everybody has: the coldkey has the hotkey's name and "-cold" behind it, but for
// the faucet, which is a coldkey.
func known(name string, stake float64, uid bool) founder {
	address := func(name string) string { return wallet.Address(wallet.Public(wallet.Known(name))) }
	if name == "faucet" {
		return founder{Coldkey: address(name), Hotkey: address(name + "-hot")}
	}
	return founder{Coldkey: address(name + "-cold"), Hotkey: address(name), StakeTAO: stake, FreeTAO: 100, UID: uid}
}

// freePorts are n ports from the first on, or any that are free now.
func (f *devFlags) freePorts(n int) ([]int, error) {
	var ports []int
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for i := range n {
		if f.ports != 0 {
			ports = append(ports, f.ports+i) // the api, other nodes, the page, the miners
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		held = append(held, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// agents are the tables of the agents of a network of known keys.
func (f *devFlags) agents(ports []int) string {
	var b strings.Builder
	for i := range f.miners {
		fmt.Fprintf(&b, "\n[[miners]]\nwallet = \"known:miner-%d\"\nlisten = \"127.0.0.1:%d\"\nwidth = %d\nduty = 0.1\nmin_interval_s = 0.1\n",
			i+1, ports[3+i], 16+4*(i%4))
	}
	step := max(float64(2*f.block.Seconds()), 1) // the shortest that there is
	for i := range f.validators {
		fmt.Fprintf(&b, "\n[[validators]]\nwallet = \"known:validator-%d\"\nrows = 8\npeers = %d\nstep_s = %g\ntimeout_s = %g\nepoch_blocks = %d\nrelease = \"3.6.0\"\n",
			i+1, min(f.miners, 8), step, float64(0.75*step), max(f.tempo/3, 1))
	}
	fmt.Fprintf(&b, "\n[[applications]]\nwallet = \"known:application-1\"\npage = \"127.0.0.1:%d\"\nsession_s = 0\npace_s = 0.15\n", ports[2])
	return b.String()
}

// devSettings is the node.toml of a network in one process.
func devSettings(agents string, api, listen int) string {
	return fmt.Sprintf(`# A whole network in one process. Change what you like and start it again; the reference of the keys is
# docs/reference/taolabd.md. Wallets known:NAME have keys that everybody has.
seed = 1

[node]
listen = "127.0.0.1:%d"
api = "127.0.0.1:%d"
discover = false
archive = true

[base]
steps = 300

[evaluation]
rows = 22
%s`, listen, api, agents)
}

// begin writes what a node starts from, all of it or nothing. Nothing that is there is overwritten.
func (h home) begin(genesis replica.Genesis, settings string) error {
	data, err := genesis.MarshalJSON()
	if err != nil {
		return err
	}
	if err := wallet.WriteSecret(h.settings(), []byte(settings)); err != nil {
		return err
	}
	if err := wallet.WriteSecret(h.genesis(), data); err != nil {
		return errors.Join(fmt.Errorf("the folder is not begun: %w", err), os.Remove(h.settings()))
	}
	return nil
}

// addLog adds the flag about what a node says while it runs.
func addLog(cmd *cobra.Command) {
	cmd.Flags().String("log", "info", "what the node says on standard error: debug, info, warn or error; lines of JSON where that is not a terminal")
}

// logOf is the log as the flag says.
func logOf(cmd *cobra.Command) (*slog.Logger, error) {
	text, err := cmd.Flags().GetString("log")
	if err != nil {
		return nil, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return nil, command.Code(command.Usage, fmt.Errorf("--log %q: expected debug, info, warn or error", text))
	}
	options := &slog.HandlerOptions{Level: level}
	if isTerminal(cmd.ErrOrStderr()) {
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), options)), nil
	}
	return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), options)), nil
}
