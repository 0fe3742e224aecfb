package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/spf13/cobra"

	"taolab/scenarios"
	"taolab/scenarios/hub"
	"taolab/scenarios/sweep"
)

func newSweepHub() *cobra.Command {
	var (
		flags  sweepFlags
		listen string
	)
	cmd := &cobra.Command{
		Use:   "hub SCENARIO",
		Short: "Hand the runs of a sweep to workers on other machines",
		Long: `Wait for workers (taolab sweep work), hand out the runs of the sweep that have no result yet, one at a
time, and end when all are made, as taolab sweep does: with the same table. A worker that dies loses
nothing: its runs go to others after two seconds. The hub may be stopped and started again at any time.

Anyone who reaches the address can hand in results: listen on other than the loopback address in a network
that you trust only, or through a tunnel.

Exit codes are those of taolab sweep.`,
		Example: `  taolab sweep hub my.toml --out sweeps/my
  taolab sweep hub my.toml --out sweeps/my --listen 10.0.0.5:4222`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return runHub(ctx, args[0], flags, listen, cmd.OutOrStdout(), newConsole(cmd.ErrOrStderr()))
		},
	}
	cmd.Flags().StringVarP(&flags.out, "out", "o", "", "folder for the results; the sweep in it goes on (default sweeps/NAME)")
	cmd.Flags().StringArrayVar(&flags.sets, "set", nil, "override a key, as in --set sweep.replications=40; may be repeated")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4222", "address and port to wait on; port 0 takes any that is free")
	cmd.Flags().StringVar(&flags.retry, "retry", "nothing", "nothing, or failed: make runs that failed again")
	return cmd
}

func runHub(ctx context.Context, name string, flags sweepFlags, listen string, stdout io.Writer, console *console) error {
	host, text, err := net.SplitHostPort(listen)
	port, err2 := strconv.Atoi(text)
	if err = errors.Join(err, err2); err != nil || port < 0 || port > 65535 {
		return code(exitUsage, fmt.Errorf("--listen %s: expected an address and a port, as in 127.0.0.1:4222", listen))
	}
	if port == 0 {
		port = -1
	}
	flags.shard, flags.keep, flags.workers = "0/1", "nothing", 1
	s, err := flags.prepare(name, console)
	if err != nil {
		return err
	}
	h := hub.Hub{Sweep: s, Host: host, Port: port, Ready: func(url string) { console.say("workers: taolab sweep work %s", url) }}
	stop := console.watch(func() string { return describeSweep(s.Progress()) })
	err = h.Run(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		return code(exitFailure, err)
	}
	return concludeSweep(ctx, s, stdout, console)
}

func newSweepWork() *cobra.Command {
	var workers int
	cmd := &cobra.Command{
		Use:   "work URL",
		Short: "Make runs that a hub hands out",
		Long: `Make runs of the sweep of a hub until it has no more. The program must be the hub's, and files that the
scenario names must be there under the same absolute paths. A worker that is killed leaves nothing; its
runs go to other workers.`,
		Example: `  taolab sweep work nats://10.0.0.5:4222`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			if err := checkWorkers(workers); err != nil {
				return err
			}
			program, err := currentVersion().Identity()
			if err != nil {
				return code(exitFailure, fmt.Errorf("the program cannot read itself, to name what it does: %w; start it from a file that can be read", err))
			}
			dir, err := os.MkdirTemp("", "taolab-work-")
			if err != nil {
				return code(exitFailure, fmt.Errorf("a folder for the runs cannot be made: %w; TMPDIR names where they go", err))
			}
			defer os.RemoveAll(dir)
			w := hub.Worker{URL: args[0], Program: program, Dir: dir, Workers: workers, Sweep: func(file *scenarios.File, dir string) *sweep.Sweep {
				return newRunner(file, dir, workers)
			}}
			defer limitProcessors(workers)()
			made, err := w.Run(ctx)
			newConsole(cmd.ErrOrStderr()).say("%d runs made for %s", made, args[0])
			if errors.Is(err, context.Canceled) {
				return code(exitInterrupted, errors.New("interrupted; the runs under way go to other workers"))
			}
			return code(exitFailure, err)
		},
	}
	cmd.Flags().IntVarP(&workers, "workers", "w", runtime.NumCPU(), "runs that go on side by side, one processor each")
	return cmd
}

// prepare makes the sweep that the flags describe, with a folder that is there.
func (f *sweepFlags) prepare(name string, console *console) (*sweep.Sweep, error) {
	shard, err := f.check()
	if err != nil {
		return nil, err
	}
	file, err := scenarios.Load(name, f.sets)
	if err != nil {
		return nil, code(exitScenario, err)
	}
	tellNotes(console.w, file)
	program, err := currentVersion().Identity()
	if err != nil {
		return nil, code(exitFailure, fmt.Errorf("the program cannot read itself, to name what it does: %w; start it from a file that can be read", err))
	}
	design, err := sweep.New(file, program)
	if err != nil {
		return nil, code(exitScenario, err)
	}
	dir := f.out
	if dir == "" {
		dir = filepath.Join("sweeps", file.Scenario.Name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, code(exitFailure, fmt.Errorf("--out %s: %w; expected a folder that can be written", dir, err))
	}
	s := newRunner(file, dir, f.workers)
	s.Design, s.Shard, s.Keep, s.Retry = design, shard, f.keep == "traces", f.retry == "failed"
	return s, nil
}
