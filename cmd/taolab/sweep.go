package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"taolab/scenarios/sweep"
)

type sweepFlags struct {
	out     string
	sets    []string
	workers int
	shard   string
	keep    string
	retry   string
}

func newSweep() *cobra.Command {
	var flags sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep SCENARIO",
		Short: "Run the variants of a scenario that its [sweep] describes",
		Long: `Run every point of a scenario's [sweep], with as many seeds as it has replications, and join what the
runs come to in one table. Replication r has the same seed at every point, so that differences between
points are not those of seeds.

The folder gets design.json, all runs with their seeds and keys, before the first run; results/, an
entry for each run as soon as it ends; and at the end table.parquet, a row a run with the swept keys,
every metric and the run digest, and costs.parquet with wall and CPU seconds. The same command again
makes the runs that are missing, and no others, whatever ended the program. A run that fails is a row
with its error; --retry failed makes those again.

On many machines each runs a shard: --shard 0/4 to --shard 3/4, in one shared folder or in folders of
their own, which taolab sweep merge joins. The runs of a shard follow from their keys, so the table is
the same for any number of shards.

Exit codes: 0 all runs of the shard are ok, 1 some failed or are missing, 4 an expectation of the
sweep is not met, 130 interrupted.`,
		Example: `  taolab sweep my.toml --out sweeps/kappa
  taolab sweep my.toml --set sweep.replications=40
  taolab sweep my.toml --out sweeps/kappa --shard 0/4
  taolab sweep merge sweeps/kappa-0 sweeps/kappa-1 --out sweeps/kappa`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return runSweep(ctx, args[0], flags, cmd.OutOrStdout(), newConsole(cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVarP(&flags.out, "out", "o", "", "folder for the results; the sweep in it goes on (default sweeps/NAME)")
	cmd.Flags().StringArrayVar(&flags.sets, "set", nil, "override a key, as in --set sweep.replications=40; may be repeated")
	cmd.Flags().IntVarP(&flags.workers, "workers", "w", runtime.NumCPU(), "runs that go on side by side, one processor each; the table is the same for any number")
	cmd.Flags().StringVar(&flags.shard, "shard", "0/1", "make only this part of the runs, as in 2/4 for the third of four")
	cmd.Flags().StringVar(&flags.keep, "keep", "nothing", "nothing, or traces: leave the folder of each run in runs/")
	cmd.Flags().StringVar(&flags.retry, "retry", "nothing", "nothing, or failed: make runs that failed again")
	cmd.AddCommand(newSweepMerge(), newSweepHub(), newSweepWork())
	return cmd
}

func newSweepMerge() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "merge FOLDER...",
		Short: "Join the shards of a sweep in one table",
		Long: `Join the results of folders of one sweep in a new folder, by the keys of the runs. Two results of one run
must be equal. The new folder is that of a sweep: taolab sweep goes on in it where runs are missing.

Exit codes: 0 all planned runs are ok, 1 some failed or are missing.`,
		Example: `  taolab sweep merge sweeps/kappa-0 sweeps/kappa-1 sweeps/kappa-2 sweeps/kappa-3 --out sweeps/kappa`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return code(exitUsage, errors.New("--out: missing; expected a folder for the joined results"))
			}
			dir, err := makeFolder(out, "")
			if err != nil {
				return code(exitFailure, err)
			}
			table, err := sweep.Merge(dir, args...)
			if err != nil {
				return code(exitFailure, errors.Join(err, os.RemoveAll(dir)))
			}
			console := newConsole(cmd.ErrOrStderr())
			for _, note := range table.Notes {
				console.say("warning: %s", note)
			}
			if err := tellCounts(cmd.OutOrStdout(), dir, table.Counts); err != nil {
				return err
			}
			return incomplete(table.Counts)
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder for the joined results; must not exist")
	return cmd
}

// check reads the flags that have words of their own.
func (f *sweepFlags) check() (sweep.Shard, error) {
	shard, err := sweep.ParseShard(f.shard)
	switch {
	case err != nil:
		return shard, code(exitUsage, fmt.Errorf("--shard %w", err))
	case f.keep != "nothing" && f.keep != "traces":
		return shard, code(exitUsage, fmt.Errorf("--keep %q: expected nothing or traces", f.keep))
	case f.retry != "nothing" && f.retry != "failed":
		return shard, code(exitUsage, fmt.Errorf("--retry %q: expected nothing or failed", f.retry))
	}
	return shard, checkWorkers(f.workers)
}

func runSweep(ctx context.Context, name string, flags sweepFlags, stdout io.Writer, console *console) error {
	s, err := flags.prepare(name, console)
	if err != nil {
		return err
	}
	if len(s.File.Sweep.Keys) == 0 {
		console.say("warning: %s: [sweep] has no keys, so the sweep is one point with its replications; add [[sweep.keys]]", name)
	}
	stop, release := console.watch(func() string { return describeSweep(s.Progress()) }), limitProcessors(flags.workers)
	err = s.Run(ctx)
	release()
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		return code(exitFailure, err)
	}
	return concludeSweep(ctx, s, stdout, console)
}

// concludeSweep writes the table of the results so far, and returns an error unless it is
// complete.
func concludeSweep(ctx context.Context, s *sweep.Sweep, stdout io.Writer, console *console) error {
	table, err := sweep.Gather(s.Design, s.Dir)
	if err != nil {
		return code(exitFailure, err)
	}
	for _, note := range table.Notes {
		console.say("warning: %s", note)
	}
	p := s.Progress()
	console.say("%d runs in %.1f s, %d of them failed; %d were done before", p.Done, p.Elapsed.Seconds(), p.Failed, p.Before)
	if s.Keep && p.Before > 0 {
		console.say("warning: --keep traces: %d runs ended before and are not made again, so their folders are in runs/ only "+
			"if that command kept them; a sweep in a new --out folder keeps all", p.Before)
	}
	if ctx.Err() != nil {
		return code(exitInterrupted, fmt.Errorf("interrupted; %d of %d runs are in %s, and the same command again makes the others",
			table.Counts.OK+table.Counts.Failed, table.Counts.Planned, s.Dir))
	}
	if s.Shard.Of > 1 && table.Counts.Missing > 0 {
		_, err := fmt.Fprintf(stdout, "%s: shard %s is done; %d of %d runs are in this folder; taolab sweep merge joins folders\n",
			s.Dir, s.Shard, table.Counts.OK+table.Counts.Failed, table.Counts.Planned)
		return errors.Join(code(exitFailure, err), failures(p.Failed))
	}
	if err := table.Write(s.Dir); err != nil {
		return code(exitFailure, err)
	}
	if err := tellCounts(stdout, s.Dir, table.Counts); err != nil {
		return err
	}
	if err := table.Draw(s.Dir, s.File.Sweep.Figures); err != nil {
		return code(exitFailure, err)
	}
	if err := tellSensitivity(stdout, s, table); err != nil {
		return err
	}
	verdicts, err := table.Judge(s.File.Sweep.Expect)
	if err != nil {
		return code(exitFailure, err)
	}
	return errors.Join(incomplete(table.Counts), tellSweepVerdicts(stdout, verdicts))
}

func failures(n int) error {
	if n == 0 {
		return nil
	}
	return code(exitFailure, fmt.Errorf("%d runs failed; the column error of the table says why; --retry failed makes them again", n))
}

// incomplete is an error unless all planned runs are ok.
func incomplete(c sweep.Counts) error {
	if c.Missing > 0 {
		return code(exitFailure, fmt.Errorf("%d of %d runs are missing and %d failed", c.Missing, c.Planned, c.Failed))
	}
	return failures(c.Failed)
}

func tellCounts(stdout io.Writer, dir string, c sweep.Counts) error {
	_, err := fmt.Fprintf(stdout, "%s: %d runs planned: %d ok, %d failed, %d missing\n",
		filepath.Join(dir, sweep.TableFile), c.Planned, c.OK, c.Failed, c.Missing)
	return code(exitFailure, err)
}

func tellSweepVerdicts(stdout io.Writer, verdicts []sweep.Verdict) error {
	missed := 0
	for _, v := range verdicts {
		word := "met"
		if !v.Met {
			word = "missed"
			missed++
		}
		if _, err := fmt.Fprintf(stdout, "%-6s  %s\n", word, v); err != nil {
			return code(exitFailure, err)
		}
	}
	if missed > 0 {
		return code(exitExpectation, fmt.Errorf("%d of %d expectations of the sweep are not met", missed, len(verdicts)))
	}
	return nil
}

// describeSweep is the progress line of a sweep.
func describeSweep(p sweep.Progress) string {
	if p.Elapsed == 0 {
		return ""
	}
	left := "?"
	if p.Done > 0 {
		left = (p.Elapsed / time.Duration(p.Done) * time.Duration(p.Runs-p.Before-p.Done)).Round(time.Second).String()
	}
	text := fmt.Sprintf("run %d of %d, %d failed  %s so far  %s left", p.Before+p.Done, p.Runs, p.Failed, p.Elapsed.Round(time.Second), left)
	if !p.Oldest.Since.IsZero() {
		text += fmt.Sprintf("  longest under way: point %d, replication %d", p.Oldest.Point, p.Oldest.Replication)
	}
	return text
}
