// Command taolab is the laboratory: it runs scenarios of a Bittensor network in virtual time and
// reports on them.
//
// It promises that what goes to standard output is data and what goes to standard error is messages,
// that every failure ends in the exit code that `taolab help exit-codes` lists, and that an
// interrupted run leaves valid files. It does not link the live network, which has its own command.
package main

import (
	"context"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/model/lm/kernel"
)

func main() {
	floor := tuneCollector()
	exit := execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr)
	runtime.KeepAlive(floor)
	os.Exit(exit)
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return command.Execute(ctx, newRoot(), args, stdout, stderr)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "taolab",
		Short: "A laboratory for the Bittensor network",
		Example: `  taolab run quickstart                     run a whole network and report on it
  taolab run honest --set time.hours=12     the same with one key changed
  taolab scenario list                      what comes with the program
  taolab scenario explain quickstart        what a run will cost`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			return code(exitUsage, kernel.Check())
		},
	}
	root.AddCommand(newRun(), newReport(), newCheck(), newCompare(), newDiff(), newReplay(), newResume(), newFork(), newSweep(), newRetention(), newTune(), newCalibrate())
	root.AddCommand(newScenario(), newCorpus(), command.NewVersion("taolab"))
	root.AddCommand(newVectors(), newApply(), newModel(), newBench())
	root.AddCommand(topics()...)
	command.Explain(root, elsewhere)
	return root
}

// elsewhere is where to find what other programs have a verb for.
var elsewhere = map[string]string{
	"compare": "taolab diff names the first difference of two runs, and taolab report describes each",
	"tune":    "taolab sweep runs the points of a scenario's [sweep] and joins their metrics in one table",
	"plot":    "taolab report draws the figures of a run",
}

// topics are pages of help that belong to no verb.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{
			Use:   "exit-codes",
			Short: "Meaning of the exit codes",
			Long: `0    success
1    failure while running or writing
2    wrong usage: an unknown verb or flag, or an unknown value in the environment
3    invalid scenario, or another file that is not what its format demands, or a corpus that cannot be read
4    check: an expectation of a scenario was not met, or not looked at in time; or a file of vectors differs
5    two runs differ, or a run cannot be repeated to the same digests
130  interrupted; what was written up to then is valid`,
		},
		{
			Use:   "environment",
			Short: "Variables that change what the program does",
			Long: `TAOLAB_ISA    avx512, avx2, neon or generic: forces one set of kernels; the results are the same bits
TAOLAB_CACHE  folder for tokenizers, tokenised text and base models; "off" keeps nothing
NO_COLOR      any value: no colours and no progress line that rewrites itself`,
		},
	}
}
