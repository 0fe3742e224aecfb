package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"taolab/model/base"
	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

type runFlags struct {
	out     string
	sets    []string
	seed    uint64
	workers int
	figures bool

	paranoid bool
}

func newRun() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario and leave tables, figures and a page behind",
		Long: `Run a scenario, by the name of one that comes with the program or by the path of a TOML file.
The run's folder gets the tables as parquet, run.json, the scenario as it was read, figures as SVG
and PNG, and report.html.`,
		Example: `  taolab run quickstart
  taolab run honest --seed 2 --out runs/honest-2
  taolab run my.toml --set chain.tempo_blocks=36 --set miners[0].count=20`,
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
	cmd.Flags().IntVarP(&flags.workers, "workers", "w", runtime.NumCPU(), "threads that compute; the results are the same bits for any number")
	cmd.Flags().BoolVar(&flags.paranoid, "paranoid", false,
		"check every invariant of the ledger after each transaction and block; slow, same results")
	cmd.Flags().BoolVar(&flags.figures, "figures", true, "draw figures and the page at the end")
	return cmd
}

// interruptible is a context that ends at the first signal; the second one ends the program. Only
// verbs that run networks have something to save: every other one ends at the signal itself.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// checkWorkers refuses numbers of threads that no machine has.
func checkWorkers(workers int) error {
	if workers < 1 || workers > 1024 {
		return code(exitUsage, fmt.Errorf("--workers %d: expected 1 to 1024", workers))
	}
	return nil
}

// run is the whole life of a run: read, prepare, let time pass, report.
func run(ctx context.Context, name string, flags runFlags, stdout, stderr io.Writer) error {
	if err := checkWorkers(flags.workers); err != nil {
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
	talk := newTalk(stderr)
	material, err := prepare(ctx, file, flags.workers, talk)
	if err != nil {
		return errors.Join(err, os.Remove(dir)) // nothing was written yet
	}
	e := experiment{file: file, material: material, dir: dir, workers: flags.workers, paranoid: flags.paranoid}
	manifest, err := e.simulate(ctx, talk)
	if err != nil {
		return err
	}
	if manifest.Interrupted {
		return code(exitInterrupted, fmt.Errorf("interrupted at %s; the tables in %s are valid up to there; taolab report %s draws them",
			clock(manifest.VirtualNs), dir, dir))
	}
	if !flags.figures {
		_, err := fmt.Fprintln(stdout, dir)
		return code(exitFailure, err)
	}
	talk.say("drawing figures")
	summary, err := draw(dir, report.Window{})
	talk.clear()
	if err != nil {
		return err
	}
	return code(exitFailure, printSummary(stdout, dir, summary))
}

func prepare(ctx context.Context, file *scenarios.File, workers int, talk *talk) (*scenarios.Material, error) {
	start := time.Now()
	material, err := file.Prepare(ctx, base.DefaultCache(), workers, talk.stage)
	talk.clear()
	switch {
	case errors.Is(err, context.Canceled):
		return nil, code(exitInterrupted, errors.New("interrupted before the network started; nothing was written"))
	case err != nil:
		return nil, code(exitScenario, err)
	}
	talk.say("prepared in %.1f s: %s", time.Since(start).Seconds(), material.Describe())
	for _, warning := range material.Warnings {
		talk.say("warning: %s", warning)
	}
	return material, nil
}

// experiment is a run about to be made in a folder of its own.
type experiment struct {
	file     *scenarios.File
	material *scenarios.Material
	dir      string
	workers  int
	paranoid bool
	until    virtual.Position // where to end before the last block; zero: nowhere
}

// simulate lets the network live, and leaves tables and manifest in the folder. A fault leaves
// nothing, as the same run can be made again; what the user interrupts stays, and is valid.
func (e experiment) simulate(ctx context.Context, talk *talk) (_ *report.Manifest, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(e.dir)) // made by this run
		}
	}()
	writer, err := report.NewWriter(e.dir, e.file.Tables()...)
	if err != nil {
		return nil, code(exitFailure, err)
	}
	defer func() {
		if fault := writer.Close(); err == nil { // Close repeats the first fault
			err = code(exitFailure, fault)
		}
	}()
	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	before := heapBytes()
	network, err := e.file.Build(e.material, scenarios.Options{
		Workers: e.workers, Recorder: watch{writer, cancel}, Paranoid: e.paranoid,
	})
	if err != nil {
		return nil, code(exitScenario, err)
	}
	network.Config.Until = e.until
	watch := time.Now()
	network.Config.Stopwatch = func() int64 { return int64(time.Since(watch)) }
	world, err := virtual.New(network.Config)
	if err != nil {
		return nil, code(exitScenario, err)
	}
	manifest := e.file.Manifest(e.material, network)
	stamp(manifest)
	stop := talk.follow(world)
	start := time.Now()
	err = world.Run(watched)
	world.Close()
	manifest.WallSeconds = time.Since(start).Seconds()
	stop()
	manifest.Ended = time.Now().UTC()
	if fault := writer.Err(); fault != nil {
		return nil, code(exitFailure, fmt.Errorf("the run was ended because it cannot be written: %w", fault))
	}
	manifest.Interrupted = errors.Is(err, context.Canceled)
	if err != nil && !manifest.Interrupted {
		return nil, code(exitFailure, err)
	}
	if err := writer.Close(); err != nil {
		return nil, code(exitFailure, err)
	}
	scenarios.Finish(manifest, world)
	manifest.Tables = writer.Tables()
	manifest.Cost = costOf(world, before, e.workers, manifest.WallSeconds)
	talk.say("%s", costLine(manifest))
	return manifest, save(e.dir, e.file, manifest)
}

// watch ends the run at the first row that cannot be written, not after the last.
type watch struct {
	*report.Writer
	cancel context.CancelFunc
}

func (w watch) Record(row trace.Row) {
	w.Writer.Record(row)
	if w.Err() != nil {
		w.cancel()
	}
}

// save writes run.json and the scenario as it was read.
func save(dir string, file *scenarios.File, manifest *report.Manifest) error {
	if err := os.WriteFile(filepath.Join(dir, "scenario.toml"), []byte(file.Text), 0o644); err != nil {
		return code(exitFailure, err)
	}
	return code(exitFailure, report.WriteManifest(dir, *manifest))
}

func stamp(m *report.Manifest) {
	v := currentVersion()
	m.Versions = report.Versions{
		Module: v.Version + " " + v.Revision, Go: v.Go, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, ISA: v.ISA,
	}
	m.Started = time.Now().UTC()
}

// makeFolder makes the folder that the results go to. A folder that the user named must not exist;
// without a name the first free one below runs/ is taken.
func makeFolder(out, name string) (string, error) {
	if out != "" {
		if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
			return "", fmt.Errorf("--out %s: %w", out, err)
		}
		err := os.Mkdir(out, 0o755)
		if errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("--out %s: exists already; expected a new folder; name another one or remove it", out)
		}
		return out, err
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
