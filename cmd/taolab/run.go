package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"taolab/model/base"
	"taolab/report"
	"taolab/scenarios"
)

type runFlags struct {
	lifeFlags
	out  string
	sets []string
	seed uint64
}

// lifeFlags say how a run lives, never what happens in it.
type lifeFlags struct {
	workers       int
	figures       bool
	paranoid      bool
	syncEvery     time.Duration
	snapshotEvery time.Duration
	snapshotAt    []uint
}

func (f *lifeFlags) add(flags *pflag.FlagSet) {
	flags.IntVarP(&f.workers, "workers", "w", runtime.NumCPU(), "threads that compute; the results are the same bits for any number")
	flags.BoolVar(&f.paranoid, "paranoid", false,
		"check every invariant of the ledger after each transaction and block; slow, same results")
	flags.DurationVar(&f.syncEvery, "sync-every", scenarios.DefaultSync,
		"longest time that rows wait before they are whole on disk, at most 1m; the results are the same")
	flags.DurationVar(&f.snapshotEvery, "snapshot-every", scenarios.DefaultSnapshots,
		"longest time between two snapshots, from which taolab resume goes on; the newest two stay; 0 writes none")
	flags.UintSliceVar(&f.snapshotAt, "snapshot-at", nil,
		"write a snapshot at these heights, as in 3600,7200, for taolab fork; they stay")
	flags.BoolVar(&f.figures, "figures", true, "draw figures and the page at the end")
}

func (f *lifeFlags) check() error {
	return code(exitUsage, errors.Join(checkWorkers(f.workers), checkSync(f.syncEvery), f.checkSnapshots()))
}

// experiment is a run of a scenario in a folder that lives as the flags say.
func (f *lifeFlags) experiment(file *scenarios.File, dir string, console *console) *scenarios.Experiment {
	e := newExperiment(file, dir, f.workers)
	e.Paranoid, e.SyncEvery, e.SnapshotEvery = f.paranoid, f.syncEvery, f.snapshotEvery
	genesis, last := file.Heights()
	for _, height := range f.snapshotAt {
		if at := uint64(height); at <= genesis || at > last {
			console.say("warning: --snapshot-at %d: the run goes from block %d to block %d; this snapshot will not be written",
				height, genesis+1, last)
		}
		e.SnapshotAt = append(e.SnapshotAt, uint64(height))
	}
	e.Warn = func(text string) { console.say("warning: %s", text) }
	return e
}

func newRun() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario and leave tables, figures and a page behind",
		Long: `Run a scenario, by the name of one that comes with the program or by the path of a TOML file.
The run's folder gets the tables as parquet, run.json, the scenario as it was read, figures as SVG
and PNG, and report.html.

The folder is useful at every moment. While the run goes on, rows are kept in whole parquet files
below NAME.parts/, written at least once a minute, and run.json says how far they go; at the end each
table becomes one NAME.parquet. taolab report reads a folder that a kill, a full disk or a closed
terminal left behind. Ctrl-C and a closed terminal end the run in order, a second Ctrl-C at once.

Every half an hour, and when it is interrupted, a run leaves a snapshot in snapshots/, from which taolab
resume goes on; --snapshot-at leaves one at a height, at which taolab fork can part from the run.

At the end stands which of the scenario's [[expect]] entries hold. They do not change the exit code:
a run explores, and taolab check judges.`,
		Example: `  taolab run quickstart
  taolab run honest --seed 2 --out runs/honest-2
  taolab run honest --snapshot-at 3600        leave a snapshot at block 3600 to fork from
  taolab run my.toml --set chain.tempo_blocks=36 --set 'miners[0].count=20'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("seed") {
				flags.sets = append(flags.sets, fmt.Sprintf("seed=%d", flags.seed))
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return run(ctx, args[0], flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVarP(&flags.out, "out", "o", "", "folder for the results; must not exist (default runs/NAME, numbered)")
	cmd.Flags().StringArrayVar(&flags.sets, "set", nil, "override a key, as in --set time.hours=12; may be repeated")
	cmd.Flags().Uint64Var(&flags.seed, "seed", 1, "master seed, short for --set seed=N")
	flags.lifeFlags.add(cmd.Flags())
	return cmd
}

// checkWorkers refuses numbers of threads that no machine has.
func checkWorkers(workers int) error {
	if workers < 1 || workers > 1024 {
		return code(exitUsage, fmt.Errorf("--workers %d: expected 1 to 1024", workers))
	}
	return nil
}

// checkSync refuses times that would wear a disk out, and those that break the promise of a minute.
func checkSync(every time.Duration) error {
	if every < 10*time.Millisecond || every > time.Minute {
		return fmt.Errorf("--sync-every %s: expected 10ms to 1m", every)
	}
	return nil
}

// checkSnapshots refuses times in which no snapshot can be written, and the height before all blocks.
func (f *lifeFlags) checkSnapshots() error {
	if every := f.snapshotEvery; every != 0 && every < 10*time.Millisecond {
		return fmt.Errorf("--snapshot-every %s: expected 10ms or more, or 0 for none", every)
	}
	if slices.Contains(f.snapshotAt, 0) {
		return errors.New("--snapshot-at 0: expected heights from 1 on; a run from block 0 is taolab run")
	}
	return nil
}

// run makes a run, draws it, and returns an error unless it meets the scenario's expectations.
func run(ctx context.Context, name string, flags runFlags, stdout, stderr io.Writer) error {
	if err := flags.check(); err != nil {
		return err
	}
	file, err := scenarios.Load(name, flags.sets)
	if err != nil {
		return code(exitScenario, err)
	}
	tellNotes(stderr, file)
	dir, err := makeFolder(flags.out, file.Scenario.Name)
	if err != nil {
		return code(exitFailure, err)
	}
	console := newConsole(stderr)
	return live(ctx, flags.experiment(file, dir, console), flags.figures, stdout, console)
}

// live makes a run to its end, or until ctx ends, and tells what came of it.
func live(ctx context.Context, e *scenarios.Experiment, figures bool, stdout io.Writer, console *console) error {
	manifest, err := conduct(ctx, e, console)
	if err != nil {
		return err
	}
	if manifest.Interrupted {
		goesOn := ""
		if e.SnapshotEvery > 0 {
			goesOn = fmt.Sprintf("; taolab resume %s goes on", e.Dir)
		}
		return code(exitInterrupted, fmt.Errorf("interrupted at %s; the tables in %s are valid up to there; taolab report %s draws them%s",
			clock(manifest.VirtualNs), e.Dir, e.Dir, goesOn))
	}
	return conclude(ctx, e, manifest, figures, stdout, console)
}

// conclude draws a finished run where that is wanted, and tells the numbers and the verdicts.
func conclude(ctx context.Context, e *scenarios.Experiment, m *report.Manifest, figures bool, stdout io.Writer, console *console) error {
	if !figures {
		if len(e.File.Expect) > 0 {
			verdicts, err := e.Judge()
			if err != nil {
				return code(exitFailure, err)
			}
			printVerdicts(console.w, verdicts)
		}
		_, err := fmt.Fprintln(stdout, e.Dir)
		return code(exitFailure, err)
	}
	console.say("drawing figures")
	summary, err := drawUnlessInterrupted(ctx, e.Dir)
	console.clear()
	if err != nil {
		return err
	}
	if err := printSummary(stdout, e.Dir, summary); err != nil {
		return code(exitFailure, err)
	}
	return code(exitFailure, printVerdicts(stdout, e.File.Judge(m, summary)))
}

// drawUnlessInterrupted draws a run's figures, and returns at once when ctx ends: the tables are whole
// already, and each figure is written whole or not at all.
func drawUnlessInterrupted(ctx context.Context, dir string) (*report.Summary, error) {
	type outcome struct {
		summary *report.Summary
		err     error
	}
	ended := make(chan outcome, 1)
	go func() {
		summary, err := draw(dir, report.Window{})
		ended <- outcome{summary, err}
	}()
	select {
	case o := <-ended:
		return o.summary, o.err
	case <-ctx.Done():
		return nil, code(exitInterrupted, fmt.Errorf("interrupted while figures were drawn; "+
			"the run in %s is finished and its tables are whole; taolab report %s draws them", dir, dir))
	}
}

// printVerdicts says which of a scenario's expectations hold; of those that do not, what was found.
func printVerdicts(w io.Writer, verdicts []report.Verdict) error {
	if len(verdicts) == 0 {
		return nil
	}
	met, missed := 0, ""
	for _, v := range verdicts {
		if v.Met {
			met++
		} else {
			missed += "\n  " + verdictText(v)
		}
	}
	_, err := fmt.Fprintf(w, "\nexpectations of the scenario: %d of %d hold%s\n", met, len(verdicts), missed)
	return err
}

// shelf is what the runs of this process share in memory.
var shelf = &base.Shelf{MaxBytes: 1 << 30}

// newExperiment is a run of a scenario in a folder that was made for it.
func newExperiment(file *scenarios.File, dir string, workers int) *scenarios.Experiment {
	v, cache := currentVersion(), base.DefaultCache()
	cache.Shelf = shelf
	return &scenarios.Experiment{
		File: file, Dir: dir, Cache: cache, Workers: workers, Now: time.Now,
		Versions: report.Versions{
			Module: v.Version + " " + v.Revision, Go: v.Go, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, ISA: v.ISA,
		},
	}
}

// conduct makes a run and tells how far it is. A run that never begins leaves no folder.
func conduct(ctx context.Context, e *scenarios.Experiment, console *console) (*report.Manifest, error) {
	release, err := lockFolder(e.Dir)
	if err != nil {
		return nil, code(exitFailure, err)
	}
	defer release()
	if err := e.Begin(); err != nil {
		return nil, code(exitFailure, errors.Join(err, e.Discard()))
	}
	if err := prepare(ctx, e, console); err != nil {
		return nil, errors.Join(err, e.Discard())
	}
	stop := console.follow(e.World)
	manifest, err := e.Run(ctx)
	stop()
	if err != nil {
		return nil, code(exitFailure, fmt.Errorf("%s: %w", e.Dir, err))
	}
	console.say("%s", costLine(manifest))
	return manifest, nil
}

func prepare(ctx context.Context, e *scenarios.Experiment, console *console) error {
	start := time.Now()
	stage, stop := console.stages()
	err := e.Prepare(ctx, stage)
	stop()
	switch {
	case errors.Is(err, context.Canceled):
		return code(exitInterrupted, errors.New("interrupted before the network started; nothing was recorded"))
	case err != nil:
		return code(exitScenario, err)
	}
	console.say("prepared in %.1f s: %s", time.Since(start).Seconds(), e.Material.Describe())
	for _, warning := range e.Material.Warnings {
		console.say("warning: %s", warning)
	}
	return nil
}

// makeFolder makes the folder that the results go to. A folder that the user named must not exist;
// without a name the first free one below runs/ is taken.
func makeFolder(out, name string) (string, error) {
	if out != "" {
		err := os.MkdirAll(filepath.Dir(out), 0o755)
		if err == nil {
			err = os.Mkdir(out, 0o755)
		}
		if errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("--out %s: exists already; expected a new folder; name another one or remove it", out)
		}
		if err != nil {
			return "", fmt.Errorf("--out %s: the folder cannot be made: %w; name one below a folder that can be written", out, errors.Unwrap(err))
		}
		return out, nil
	}
	if err := os.MkdirAll("runs", 0o755); err != nil {
		return "", fmt.Errorf("runs: %w; name a folder that can be written with --out", err)
	}
	return numberedFolder("runs", name)
}

// numberedFolder makes the first folder of a name, or of the name with a number, that is free.
func numberedFolder(parent, name string) (string, error) {
	for i := 1; i < 100000; i++ {
		dir := filepath.Join(parent, name)
		if i > 1 {
			dir = fmt.Sprintf("%s-%d", dir, i)
		}
		err := os.Mkdir(dir, 0o755)
		if !errors.Is(err, os.ErrExist) {
			return dir, err
		}
	}
	return "", fmt.Errorf("%s: every name from %s to %s-99999 exists; name a folder with --out", parent, name, name)
}
