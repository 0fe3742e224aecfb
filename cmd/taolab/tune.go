package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taolab/scenarios"
	"taolab/scenarios/sweep"
	"taolab/scenarios/tune"
)

func newTune() *cobra.Command {
	var (
		out     string
		sets    []string
		workers int
	)
	cmd := &cobra.Command{
		Use:   "tune SCENARIO",
		Short: "Look for the settings at which a scenario's objectives are best",
		Long: `Search over the keys of a scenario's [tune] for the point at which its objective is best and its
constraints hold, each point with several seeds. The point found is judged by runs with seeds that the
search has not seen. Two objectives give a front: 11 searches with weights between them.

The folder gets design.json, results/, trace.parquet with every point tried, and figures. The same
command goes on where a search was cut, and makes no run twice.

Exit codes: 0 a point was found at which all constraints hold, 1 none was, 3 there is nothing to look for,
130 interrupted.`,
		Example: `  taolab tune my.toml --out tunes/split
  taolab tune my.toml --set tune.evaluations=300 --set tune.replications=8`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			if err := checkWorkers(workers); err != nil {
				return err
			}
			file, err := scenarios.Load(args[0], sets)
			if err != nil {
				return code(exitScenario, err)
			}
			if out == "" {
				out = filepath.Join("tunes", file.Scenario.Name)
			}
			return runTune(ctx, file, out, workers, cmd.OutOrStdout(), newConsole(cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder for the results; the search in it goes on (default tunes/NAME)")
	cmd.Flags().StringArrayVar(&sets, "set", nil, "override a key, as in --set tune.evaluations=300; may be repeated")
	cmd.Flags().IntVarP(&workers, "workers", "w", runtime.NumCPU(), "runs that go on side by side, one processor each; the search is the same for any number")
	return cmd
}

func runTune(ctx context.Context, file *scenarios.File, dir string, workers int, stdout io.Writer, console *console) error {
	program, err := currentVersion().Identity()
	if err != nil {
		return code(exitFailure, fmt.Errorf("the program cannot read itself, to name what it does: %w; start it from a file that can be read", err))
	}
	tellNotes(console.w, file)
	s := &tune.Search{Program: program, Sweep: newRunner(file, dir, workers)}
	stop := console.watch(func() string {
		p := s.Sweep.Progress()
		return fmt.Sprintf("%d runs, %d failed  %s so far", p.Before+p.Done, p.Failed, p.Elapsed.Round(time.Second))
	})
	release := limitProcessors(workers)
	result, err := s.Run(ctx)
	release()
	stop()
	var refusal tune.Refusal
	switch {
	case errors.Is(err, context.Canceled):
		return code(exitInterrupted, fmt.Errorf("interrupted; the same command goes on from the runs in %s", dir))
	case errors.As(err, &refusal):
		return code(exitScenario, err)
	case err != nil:
		return code(exitFailure, err)
	}
	if err := s.Write(result); err != nil {
		return errors.Join(code(exitFailure, err), tellTune(stdout, dir, file, result))
	}
	return tellTune(stdout, dir, file, result)
}

// newRunner is a sweep that makes single-threaded runs in a folder.
func newRunner(file *scenarios.File, dir string, workers int) *sweep.Sweep {
	return &sweep.Sweep{
		File: file, Dir: dir, Shard: sweep.Shard{Index: 0, Of: 1}, Workers: workers, Lock: lockFolder,
		Experiment: func(file *scenarios.File, dir string) *scenarios.Experiment { return newExperiment(file, dir, 1) },
		Now:        time.Now, CPU: processTime,
	}
}

// tellTune prints where each search ended and what judging it gave.
func tellTune(stdout io.Writer, dir string, file *scenarios.File, r *tune.Result) error {
	var b strings.Builder
	t, held := &file.Tune, false
	fmt.Fprintf(&b, "%s: %d points tried, %d of them on the front\n", filepath.Join(dir, tune.TraceFile), len(r.Trials), max(len(r.Front), 1))
	for i, found := range r.Found {
		for k, key := range t.Keys {
			fmt.Fprintf(&b, "  %s = %s", key.Key, found.Values[k])
		}
		judged := r.Judged[i]
		switch {
		case judged.Failed:
			b.WriteString("  failed")
		case judged.Violation > 0:
			fmt.Fprintf(&b, "  misses its constraints by %.3g", judged.Violation)
		default:
			held = true
		}
		for k, o := range t.Objectives {
			if !judged.Failed {
				fmt.Fprintf(&b, "  %s %s %.6g with fresh seeds (%.6g in the search)", o.Statistic, o.Metric, judged.Statistics[k], found.Statistics[k])
			}
		}
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(stdout, b.String()); err != nil {
		return code(exitFailure, err)
	}
	if !held {
		return code(exitFailure, errors.New("no point was found at which all constraints hold; widen the keys' ranges, or raise tune.evaluations"))
	}
	return nil
}
