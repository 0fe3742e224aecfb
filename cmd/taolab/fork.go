package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"taolab/scenarios"
)

type forkFlags struct {
	lifeFlags
	out    string
	corpus string
	sets   []string
	at     uint64

	scenario string // of a ledger
}

func newFork() *cobra.Command {
	var flags forkFlags
	cmd := &cobra.Command{
		Use:   "fork RUN|LEDGER",
		Short: "Go on from a snapshot of a run, or from a live ledger, with other settings",
		Long: `Go on from a snapshot of a run, in a folder of its own, with what --set changes from there on. The new
folder holds the rows before that height too, and run.json names the parent, its digest, and the digest
up to where the two part. Nothing before that height happens again, and the parent stays as it is; it may
be finished, interrupted or killed. Without --set the fork is the run itself, to the last bit.

A fork begins where a snapshot is: taolab run --snapshot-at HEIGHT leaves one. What can change:

  ` + strings.Join(scenarios.ForkKeys(), "\n  ") + `

Faults that have begun end with the fork where faults leaves them out, and go on where they stay as they
were; others may come, change or go as long as they begin later. Waves stay as they were drawn.

In [chain] it is what a governor could set in a running network, but for max_uids. Keys that the past depends
on cannot change: seed, corpus, models, nodes, stakes at the beginning, the family of rules. The error says
why.

A file is a ledger as taolabd export writes it, or a metagraph: a simulation goes on from it, in which all its
neurons have the seats, stakes, weights, bonds and ages that they had. Their agents are those of --scenario,
whose [chain] metagraph becomes the file; without it they are validators and miners of stated quality.`,
		Example: `  taolab fork runs/honest --at 3600 --set network.loss=0.2
  taolab fork runs/honest --at 3600 --set chain.kappa=0.6 --out runs/kappa
  taolab fork runs/honest --set time.hours=48      from the newest snapshot, for longer
  taolab fork ledger.state --set chain.kappa=0.6   what would have happened in a live network`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() {
				return forkLedger(ctx, args[0], flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return fork(ctx, filepath.Clean(args[0]), flags, cmd.Flags().Changed("at"), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().Uint64Var(&flags.at, "at", 0, "height of the snapshot (default: the newest one)")
	cmd.Flags().StringArrayVar(&flags.sets, "set", nil, "change a key from there on, as in --set network.loss=0.1; may be repeated")
	cmd.Flags().StringVarP(&flags.out, "out", "o", "", "folder for the results; must not exist (default RUN-fork, numbered)")
	cmd.Flags().StringVar(&flags.corpus, "corpus", "", "where the shards are now; default: where run.json says they were")
	cmd.Flags().StringVar(&flags.scenario, "scenario", "", "scenario whose agents go on from a ledger (default: stated ones)")
	flags.lifeFlags.add(cmd.Flags())
	return cmd
}

// forkLedger lets a simulation go on from a ledger in a file.
func forkLedger(ctx context.Context, path string, flags forkFlags, stdout, stderr io.Writer) error {
	if err := flags.check(); err != nil {
		return err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return code(exitFailure, err)
	}
	var file *scenarios.File
	if flags.scenario == "" {
		file, err = scenarios.FromLedger(path, flags.sets)
	} else {
		file, err = scenarios.Load(flags.scenario, append(flags.sets, fmt.Sprintf("chain.metagraph=%q", absolute)))
	}
	if err != nil {
		return code(exitScenario, err)
	}
	out, err := besideFolder(strings.TrimSuffix(absolute, filepath.Ext(absolute)), flags.out, "fork")
	if err != nil {
		return code(exitFailure, err)
	}
	console := newConsole(stderr)
	genesis, _ := file.Heights()
	console.say("going on from %s after block %d", path, genesis)
	return live(ctx, flags.experiment(file, out, console), flags.figures, stdout, console)
}

// fork goes on from a snapshot of the run in dir.
func fork(ctx context.Context, dir string, flags forkFlags, at bool, stdout, stderr io.Writer) error {
	if err := flags.check(); err != nil {
		return err
	}
	m, err := readParent(dir)
	if err != nil {
		return err
	}
	console := newConsole(stderr)
	from, err := forkSnapshot(dir, flags.at, at, console)
	if err != nil {
		return err
	}
	f, err := scenarios.NewFork(dir, m, flags.corpus, flags.sets)
	if err != nil {
		return code(exitScenario, err)
	}
	if _, last := f.File.Heights(); last <= from.Height {
		return code(exitUsage, fmt.Errorf("%s: the snapshot is of block %d, and the run would end with block %d; expected a later end; "+
			"set time.hours", dir, from.Height, last))
	}
	if err := f.CheckFaults(from); err != nil {
		return code(exitScenario, err)
	}
	out, err := besideFolder(dir, flags.out, "fork")
	if err != nil {
		return code(exitFailure, err)
	}
	e := flags.experiment(f.File, out, console)
	f.Begin(e, dir, m, from)
	warnOfVersion(m, e, console)
	console.say("parting from %s at block %d; different from there on: %s", dir, from.Height, changes(f.Changed))
	return live(ctx, e, flags.figures, stdout, console)
}

// changes lists keys in a line.
func changes(keys []string) string {
	if len(keys) == 0 {
		return "nothing"
	}
	return strings.Join(keys, ", ")
}

// forkSnapshot is the snapshot at a height, or the newest one where none is named.
func forkSnapshot(dir string, height uint64, named bool, console *console) (*scenarios.Snapshot, error) {
	if !named {
		return newestSnapshot(dir, console)
	}
	list, faults := scenarios.Snapshots(dir)
	var heights []string
	for i := len(list) - 1; i >= 0; i-- { // the first moment of a height is right behind its block
		if list[i].Height == height {
			return list[i], code(exitScenario, list[i].Verify())
		}
		heights = append(heights, fmt.Sprint(list[i].Height))
	}
	want := "there is none at all"
	if len(heights) > 0 {
		want = "expected one of " + strings.Join(heights, ", ")
	}
	return nil, code(exitFailure, errors.Join(fmt.Errorf("--at %d: %s has no snapshot of that height; %s; "+
		"run it with --snapshot-at %d", height, dir, want, height), errors.Join(faults...)))
}
