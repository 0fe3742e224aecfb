package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"taolab/report"
	"taolab/scenarios"
)

type resumeFlags struct {
	lifeFlags
	corpus string
}

func newResume() *cobra.Command {
	var flags resumeFlags
	cmd := &cobra.Command{
		Use:   "resume RUN",
		Short: "Go on with a run that was interrupted or killed",
		Long: `Go on with the run in a folder from its newest snapshot, to its end. The rows that were recorded after
that snapshot come again, in place of those that are there: the tables, their digests and the run digest
are those of a run that nothing stopped. Snapshots are checked first; of a damaged one, the one before it
is taken.

taolab run writes a snapshot every half an hour, or as --snapshot-every says, and when Ctrl-C or a closed
terminal ends it. A run that was killed before its first snapshot cannot be resumed, and a folder in which
a run still goes on is left alone.`,
		Example: `  taolab resume runs/honest
  taolab resume runs/pile --corpus /data/pile --workers 8`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return resume(ctx, filepath.Clean(args[0]), flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&flags.corpus, "corpus", "", "where the shards are now; default: where run.json says they were")
	flags.lifeFlags.add(cmd.Flags())
	return cmd
}

// resume goes on with the run in dir.
func resume(ctx context.Context, dir string, flags resumeFlags, stdout, stderr io.Writer) error {
	if err := flags.check(); err != nil {
		return err
	}
	m, err := readParent(dir)
	if err != nil {
		return err
	}
	if m.Finished {
		return code(exitFailure, fmt.Errorf("%s: the run is finished, at block %d; expected one that was interrupted or killed; "+
			"taolab fork goes on from one of its snapshots with other settings", dir, m.Blocks))
	}
	console := newConsole(stderr)
	from, err := newestSnapshot(dir, console)
	if err != nil {
		return err
	}
	file, err := scenarios.FromManifest(dir, m, flags.corpus)
	if err != nil {
		return code(exitScenario, err)
	}
	e := flags.experiment(file, dir, console)
	e.From = from
	warnOfVersion(m, e, console)
	console.say("going on at block %d, after %d events", from.Height, from.Events)
	return live(ctx, e, flags.figures, stdout, console)
}

// readParent reads what a run left from which another goes on.
func readParent(dir string) (*report.Manifest, error) {
	m, err := report.ReadManifest(dir)
	if err != nil {
		return nil, unreadable(err)
	}
	if m.Format < report.ManifestFormat {
		return nil, code(exitFailure, fmt.Errorf("%s: made by an earlier release (%s), which wrote no snapshots; "+
			"expected a run of this release; run its scenario again: taolab run %s", dir, m.Versions.Module, filepath.Join(dir, report.ScenarioFile)))
	}
	return &m, nil
}

// newestSnapshot is the newest one that is whole. It warns of those that are not.
func newestSnapshot(dir string, console *console) (*scenarios.Snapshot, error) {
	list, faults := scenarios.Snapshots(dir)
	for _, fault := range faults {
		console.say("warning: %v", fault)
	}
	for _, s := range list {
		fault := s.Verify()
		if fault == nil {
			return s, nil
		}
		console.say("warning: %v", fault)
		faults = append(faults, fault)
	}
	if len(faults) > 0 {
		return nil, code(exitScenario, fmt.Errorf("%s: none of its %d snapshots can be read; expected a whole one; "+
			"taolab replay repeats the run from its beginning", dir, len(faults)))
	}
	return nil, code(exitFailure, fmt.Errorf("%s: it ended before its first snapshot, or was run with --snapshot-every 0; "+
		"expected a file in %s; taolab replay repeats the run from its beginning", dir, filepath.Join(dir, scenarios.SnapshotsFolder)))
}

// warnOfVersion says when another program goes on than the one that began.
func warnOfVersion(m *report.Manifest, e *scenarios.Experiment, console *console) {
	if m.Versions.Module != e.Versions.Module {
		console.say("warning: the run was begun by %s, and goes on with %s: where the two differ in what they do, "+
			"the digests are those of neither", m.Versions.Module, e.Versions.Module)
	}
}
