package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"taolab/cmd/internal/command"
	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/virtual"
)

type checkFlags struct {
	sets     []string
	jobs     int
	budget   time.Duration
	junit    string
	github   bool
	json     bool
	update   bool
	paranoid bool
	keep     string
	adjust   func(*virtual.Config) // of tests: changes each network before it lives
}

func newCheck() *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:   "check SCENARIO...",
		Short: "Run scenarios and compare them with what they expect",
		Long: `Run scenarios side by side and judge the [[expect]] entries that each of them holds. A scenario is
the name of one that comes with the program, the path of a file, or a folder: every .toml below it.
Standard output gets one line a scenario in the order of the arguments, then what is to be said of
those that failed. The first failed expectation ends in exit code 4, an invalid scenario in 3.

With --update the digests that the files expect are rewritten; nothing else in them changes.`,
		Example: `  taolab check scenarios/regression
  taolab check my.toml --junit check.xml --budget 10m
  taolab check my.toml --update
  taolab check my.toml --set chain.kappa=0.6 --keep runs/changed`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeScenarios,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("github") {
				flags.github = os.Getenv("GITHUB_ACTIONS") == "true"
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return check(ctx, args, flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.sets, "set", nil, "override a key in every scenario; may be repeated")
	f.IntVarP(&flags.jobs, "jobs", "j", runtime.NumCPU(), "scenarios that run at a time")
	f.DurationVar(&flags.budget, "budget", 0,
		"time after which no further scenario is begun, as in 10m; what was not begun has failed (default none)")
	f.StringVar(&flags.junit, "junit", "", "write the results to this file as JUnit XML")
	f.BoolVar(&flags.github, "github", false,
		"print an annotation for each failed expectation; on by itself within GitHub Actions")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	f.BoolVar(&flags.update, "update", false, "write the digests of these runs into the scenario files")
	f.BoolVar(&flags.paranoid, "paranoid", false,
		"check every invariant of the ledger after each transaction and block")
	f.StringVar(&flags.keep, "keep", "", "keep the runs in this folder, each under the name of its scenario")
	return cmd
}

// Verdicts on a checked scenario.
const (
	statusOK          = "ok"
	statusFailed      = "FAIL"
	statusInvalid     = "invalid"
	statusError       = "error"
	statusNotRun      = "not run"
	statusInterrupted = "interrupted"
)

// checked is one scenario and what became of it.
type checked struct {
	Scenario  string           `json:"scenario"` // as it was named
	Status    string           `json:"status"`
	Met       int              `json:"met"`
	Seconds   float64          `json:"seconds"`
	Seed      uint64           `json:"seed"`
	RunDigest string           `json:"run_digest,omitempty"`
	Verdicts  []report.Verdict `json:"verdicts"`
	Lines     []int            `json:"lines"` // of each expectation in the file
	Updated   int              `json:"updated,omitempty"`
	Folder    string           `json:"folder,omitempty"`
	Fault     string           `json:"fault,omitempty"` // why there are no verdicts

	file *scenarios.File
	err  error
}

// check runs everything and says what became of it.
func check(ctx context.Context, args []string, flags checkFlags, stdout, stderr io.Writer) error {
	if err := flags.validate(args); err != nil {
		return code(exitUsage, err)
	}
	names, err := collect(args)
	if err != nil {
		return code(exitScenario, err)
	}
	list := make([]*checked, len(names))
	for i, name := range names {
		list[i] = load(name, flags.sets)
		if err := list[i].file.Writable(); flags.update && list[i].err == nil && err != nil {
			list[i].fail(statusError, err)
		}
	}
	if err := errors.Join(flags.makeFolders(list), flags.readyJUnit()); err != nil {
		return code(exitFailure, err)
	}
	out := checkOutput{checkFlags: flags, stdout: stdout, stderr: stderr}
	flags.runAll(ctx, list, out.line)
	return errors.Join(code(exitFailure, out.finish(list)), verdictOf(list))
}

func (f checkFlags) validate(args []string) error {
	switch {
	case f.jobs < 1 || f.jobs > 1024:
		return fmt.Errorf("--jobs %d: expected 1 to 1024", f.jobs)
	case f.budget < 0:
		return fmt.Errorf("--budget %s: expected a time that is not negative", f.budget)
	case f.update && len(f.sets) > 0:
		return errors.New("--update with --set: the digests would be those of other scenarios than the files; " +
			"leave one of the two out")
	}
	for _, name := range args {
		if f.update && slices.Contains(scenarios.Names(), name) {
			return fmt.Errorf("--update %s: it comes with the program and has no file to write to; "+
				"expected files and folders", name)
		}
	}
	return nil
}

// maxChecked bounds how many scenarios one command takes.
const maxChecked = 10_000

// collect lists the scenarios that the arguments name, each once, folders in order of the paths.
func collect(args []string) ([]string, error) {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || slices.Contains(scenarios.Names(), arg) {
			add(arg)
			continue
		}
		if arg = filepath.Clean(arg); !info.IsDir() {
			add(arg)
			continue
		}
		before := len(names)
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".toml") {
				add(path)
			}
			if len(names) > maxChecked {
				return fmt.Errorf("%s: more than %d scenarios; expected fewer; name smaller folders", arg, maxChecked)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(names) == before {
			return nil, fmt.Errorf("%s: no scenario in this folder; expected files that end in .toml", arg)
		}
	}
	return names, nil
}

// load reads a scenario, which must expect something.
func load(name string, sets []string) *checked {
	c := &checked{Scenario: name, Status: statusNotRun, Verdicts: []report.Verdict{}, Lines: []int{}}
	c.file, c.err = scenarios.Load(name, sets)
	if c.err == nil && len(c.file.Expect) == 0 {
		c.err = fmt.Errorf("%s: it expects nothing; expected at least one [[expect]] table; "+
			"write one, or run it with: taolab run %s", name, name)
	}
	if c.err != nil {
		c.fail(statusInvalid, c.err)
		return c
	}
	c.Seed = c.file.Seed
	for i := range c.file.Expect {
		c.Lines = append(c.Lines, c.file.Line(fmt.Sprintf("expect[%d]", i)))
	}
	return c
}

func (c *checked) fail(status string, err error) {
	c.Status, c.err, c.Fault = status, err, err.Error()
}

// makeFolders names each run's folder below --keep, and refuses what is there already.
func (f checkFlags) makeFolders(list []*checked) error {
	if f.keep == "" {
		return nil
	}
	if err := os.MkdirAll(f.keep, 0o755); err != nil {
		return fmt.Errorf("--keep %s: %w", f.keep, err)
	}
	taken := map[string]bool{}
	for _, c := range list {
		if c.err != nil {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(c.Scenario), ".toml")
		for k := 2; taken[name]; k++ {
			name = fmt.Sprintf("%s-%d", strings.TrimSuffix(filepath.Base(c.Scenario), ".toml"), k)
		}
		taken[name] = true
		c.Folder = filepath.Join(f.keep, name)
		if _, err := os.Lstat(c.Folder); err == nil {
			return fmt.Errorf("--keep %s: %s exists already; expected a folder without these runs; "+
				"name another one", f.keep, c.Folder)
		}
	}
	return nil
}

// readyJUnit makes the folder that the results go to, before hours of runs and not after them.
func (f checkFlags) readyJUnit() error {
	if f.junit == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.junit), 0o755); err != nil {
		return fmt.Errorf("--junit %s: %w", f.junit, err)
	}
	if info, err := os.Stat(f.junit); err == nil && info.IsDir() {
		return fmt.Errorf("--junit %s: it is a folder; expected the name of a file", f.junit)
	}
	return nil
}

// runAll runs the valid scenarios, jobs at a time, and tells done of each in the order of the list.
func (f checkFlags) runAll(ctx context.Context, list []*checked, done func(*checked)) {
	start := time.Now()
	workers := max(runtime.NumCPU()/f.jobs, 1)
	ended := make([]chan struct{}, len(list))
	for i := range ended {
		ended[i] = make(chan struct{})
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(f.jobs, len(list)) {
		group.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(list) {
					return
				}
				c := list[i]
				switch {
				case c.err != nil: // invalid, or a file that cannot be updated
				case ctx.Err() != nil:
					c.fail(statusInterrupted, errors.New("interrupted before it began"))
				case f.budget > 0 && time.Since(start) >= f.budget:
					c.fail(statusNotRun, fmt.Errorf("not begun within the budget of %s", f.budget))
				default:
					c.run(ctx, workers, f)
					if f.update {
						c.relearn()
					}
				}
				close(ended[i])
			}
		})
	}
	for i, c := range list {
		<-ended[i]
		done(c)
	}
	group.Wait()
}

// run makes the run and judges it. Without a folder to keep it in, it leaves nothing.
func (c *checked) run(ctx context.Context, workers int, flags checkFlags) {
	start := time.Now()
	defer func() { c.Seconds = time.Since(start).Seconds() }()
	dir := c.Folder
	if dir == "" {
		parent, err := os.MkdirTemp("", "taolab-check-")
		if err != nil {
			c.fail(statusError, err)
			return
		}
		defer os.RemoveAll(parent)
		dir = filepath.Join(parent, "run")
	}
	err := code(exitFailure, os.Mkdir(dir, 0o755))
	var manifest *report.Manifest
	e := newExperiment(c.file, dir, workers)
	e.Paranoid, e.Adjust = flags.paranoid, flags.adjust
	if err == nil {
		manifest, err = conduct(ctx, e, newConsole(io.Discard))
	}
	switch {
	case ctx.Err() != nil && (err != nil || manifest.Interrupted):
		c.fail(statusInterrupted, errors.New("interrupted"))
	case err != nil && command.CodeOf(err) == exitScenario:
		c.fail(statusInvalid, err)
	case err != nil:
		c.fail(statusError, err)
	default:
		c.judge(e, manifest)
	}
}

// judge compares the run with what the scenario expects.
func (c *checked) judge(e *scenarios.Experiment, manifest *report.Manifest) {
	verdicts, err := e.Judge()
	if err != nil {
		c.fail(statusError, err)
		return
	}
	c.RunDigest, c.Verdicts = manifest.RunDigest, verdicts
	c.count()
}

func (c *checked) count() {
	c.Met, c.Status = 0, statusOK
	for _, v := range c.Verdicts {
		if v.Met {
			c.Met++
		} else {
			c.Status = statusFailed
		}
	}
}

// relearn writes the digests of the run into the scenario's file.
func (c *checked) relearn() {
	if c.Status != statusOK && c.Status != statusFailed {
		return
	}
	digests := make([]string, len(c.Verdicts))
	for i, v := range c.Verdicts {
		if v.Expectation.Digest != "" && !v.Met {
			digests[i] = v.Have
			c.Updated++
		}
	}
	if c.Updated == 0 {
		return
	}
	if err := c.file.Relearn(digests); err != nil {
		c.Updated = 0
		c.fail(statusError, err)
		return
	}
	for i := range c.Verdicts {
		if digests[i] != "" {
			v := &c.Verdicts[i]
			v.Met, v.Want, v.Expectation.Digest = true, v.Have, v.Have
		}
	}
	c.count()
}

// verdictOf is the error that the whole check ends in: an interruption counts more than a fault, a
// fault more than an invalid scenario, that more than an expectation.
func verdictOf(list []*checked) error {
	var counts [statuses]int
	for _, c := range list {
		counts[rank(c.Status)]++
	}
	failed := len(list) - counts[0]
	say := func(what string) error { return fmt.Errorf("%d of %d scenarios %s", failed, len(list), what) }
	switch {
	case counts[4] > 0:
		return code(exitInterrupted, say("were not checked to the end: interrupted"))
	case counts[3] > 0:
		return code(exitFailure, say("failed, of which at least one could not run"))
	case counts[2] > 0:
		return code(exitScenario, say("failed, of which at least one is invalid"))
	case counts[1] > 0:
		return code(exitExpectation, say("did not do what they expect"))
	}
	return nil
}

const statuses = 5

// rank orders statuses by how much they count for the exit code.
func rank(status string) int {
	switch status {
	case statusOK:
		return 0
	case statusFailed, statusNotRun:
		return 1
	case statusInvalid:
		return 2
	case statusError:
		return 3
	}
	return 4
}
