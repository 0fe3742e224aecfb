// Command taolabd is the node that joins a live network: the same agents and the same ledger as in the
// laboratory, between real processes.
//
// It promises that what goes to standard output is data and what goes to standard error is messages, that every
// failure ends in the exit code that `taolabd help exit-codes` lists, that no secret is ever an argument or in
// a log, and that nothing is signed before its cost was shown. It does not link the virtual world.
package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/model/lm/kernel"
)

func main() {
	os.Exit(execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetIn(stdin)
	return command.Execute(ctx, root, args, stdout, stderr)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "taolabd",
		Short: "A node of a live Bittensor network: ledger, miner, validator and application",
		Example: `  taolabd dev                                a whole network in this process
  taolabd wallet new alice                   keys, and the words that bring them back
  taolabd tx transfer --to 5Grw... --amount 1.5 --wallet alice
  taolabd metagraph                          who is there and what they earn`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return command.Code(command.Usage, kernel.Check())
		},
	}
	root.AddCommand(newInit(), newJoin(), newKeys(), newNode(), newDev(), newMiner(), newValidator(), newApp(), newLocalnet(), newDoctor(), newExport(), newReplay(), newBackup(), newRestore())
	root.AddCommand(newStatus(), newMetagraph(), newOverview())
	root.AddCommand(newWallet(), newTx(), command.NewVersion("taolabd"))
	root.AddCommand(topics()...)
	command.Explain(root, elsewhere)
	return root
}

// elsewhere is where to find what other programs have a verb for.
var elsewhere = map[string]string{
	"run":         "taolab run is the laboratory; taolabd dev is a live network in one process",
	"start":       "taolabd node runs a node",
	"stake":       "taolabd tx add-stake moves money onto a hotkey",
	"unstake":     "taolabd tx remove-stake moves it back",
	"transfer":    "taolabd tx transfer sends money",
	"register":    "taolabd tx register gives a hotkey a uid",
	"set_weights": "taolabd tx set-weights sets weights; a validator does it by itself",
	"inspect":     "taolabd overview shows what your keys have",
	"new_coldkey": "taolabd wallet new makes a wallet",
	"new_hotkey":  "taolabd wallet hotkey makes another hotkey",
}

// topics are pages of help that belong to no verb.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use:   "exit-codes",
			Short: "Meaning of the exit codes",
			Long: `0    success
1    failure: of the network, the disk, a key, or of what a node was asked for
2    wrong usage: an unknown verb or flag, or a value that cannot be
3    a file is not what its format demands
4    doctor: something has to be fixed before a node can run
5    the ledger refused the transaction
130  interrupted; what was saved up to then is whole`,
		},
		{
			Use:   "environment",
			Short: "Variables that change what the program does",
			Long: `TAOLABD_HOME     folder of the node and its wallets, instead of ~/.taolabd; --home goes first
TAOLAB_ISA       avx512, avx2, neon or generic: forces one set of kernels; the results are the same bits
TAOLAB_CACHE     folder for tokenizers, tokenised text and base models; "off" keeps nothing`,
		},
	}
}
