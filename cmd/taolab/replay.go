package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

type replayFlags struct {
	out      string
	corpus   string
	workers  int
	paranoid bool
	json     bool
}

func newReplay() *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay RUN|RECORD",
		Short: "Repeat a run from its run.json, or a live chain from its blocks, and compare the digests",
		Long: `Repeat a run from the resolved scenario in its run.json, with the same seed and the same corpus, and
compare run digest, state digest and the digest of every table. A run that was interrupted or killed is
repeated up to the block and the event at which its run.json was last written.

Equal runs leave nothing behind. A run that differs is kept next to the first one, the first difference
is printed, and the exit code is 5.

A file is the record of a live chain, as taolabd export --blocks writes it: every block is done again through
the ledger, and its app hash compared.`,
		Example: `  taolab replay runs/quickstart
  taolab replay runs/pile --corpus /data/pile
  taolab replay chain.blocks                    the blocks of a live chain`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() {
				return replayRecord(args[0], flags.json, cmd.OutOrStdout())
			}
			return replay(ctx, filepath.Clean(args[0]), flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "out", "o", "",
		"folder for a run that differs; must not exist (default RUN-replay, numbered)")
	f.StringVar(&flags.corpus, "corpus", "", "where the shards are now; default: where run.json says they were")
	f.IntVarP(&flags.workers, "workers", "w", runtime.NumCPU(),
		"threads that compute; the results are the same bits for any number")
	f.BoolVar(&flags.paranoid, "paranoid", false,
		"check every invariant of the ledger after each transaction and block")
	f.BoolVar(&flags.json, "json", false, "print JSON")
	return cmd
}

// repeated is the outcome of a replay.
type repeated struct {
	Equal   bool               `json:"equal"`
	Compare []comparedDigest   `json:"digests"`
	Folder  string             `json:"folder,omitempty"` // of the new run, where it differs
	Diff    *report.Difference `json:"diff,omitempty"`
}

type comparedDigest struct {
	Of    string `json:"of"`
	Equal bool   `json:"equal"`
	Was   string `json:"was"`
	Is    string `json:"is"`
}

// replay repeats the run in dir.
func replay(ctx context.Context, dir string, flags replayFlags, stdout, stderr io.Writer) error {
	if err := checkWorkers(flags.workers); err != nil {
		return err
	}
	before, err := report.Open(dir)
	if err != nil {
		return unreadable(err)
	}
	m := &before.Manifest
	if m.Format < report.ManifestFormat {
		return code(exitDigest, fmt.Errorf("%s: made by an earlier release (%s), whose rules of names, random streams, "+
			"batches and tables have changed since; expected a run of this release; replay it with that one, "+
			"or run its scenario again: taolab run %s", dir, m.Versions.Module, filepath.Join(dir, report.ScenarioFile)))
	}
	if m.Parent != nil {
		return code(exitFailure, fmt.Errorf("%s: a fork of %s at block %d, and its beginning is there; expected a run from its beginning; "+
			"fork again and compare: taolab diff", dir, m.Parent.Folder, m.Parent.Block))
	}
	var until virtual.Position
	if !m.Finished {
		if until = (virtual.Position{Height: m.Blocks, Events: m.Events}); until == (virtual.Position{}) {
			return code(exitFailure, fmt.Errorf("%s: %s before anything was saved; "+
				"expected a run with events; nothing can be repeated", dir, m.Ending()))
		}
	}
	file, err := scenarios.FromManifest(dir, m, flags.corpus)
	if err != nil {
		return code(exitScenario, err)
	}
	file.Expect = nil // what was expected of the run changes nothing in it
	out, err := besideFolder(dir, flags.out, "replay")
	if err != nil {
		return code(exitFailure, err)
	}
	console := newConsole(stderr)
	e := newExperiment(file, out, flags.workers)
	e.Paranoid = flags.paranoid
	e.Killed = !m.Whole()
	e.Adjust = func(c *virtual.Config) { c.Until = until }
	again, err := conduct(ctx, e, console)
	if err != nil {
		return err
	}
	if again.CorpusDigest != m.CorpusDigest && m.CorpusDigest != "" {
		console.say("warning: the corpus is not the one of the run: digest %s, it was %s", again.CorpusDigest, m.CorpusDigest)
	}
	if ctx.Err() != nil && again.Interrupted {
		return code(exitInterrupted, errors.Join(fmt.Errorf("interrupted; %s is as it was", dir), e.Discard()))
	}
	return compareDigests(before, again, e, flags.json, stdout)
}

// besideFolder makes the folder for a new run, next to the old one unless it is named.
func besideFolder(dir, out, what string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if out != "" {
		place, err := filepath.Abs(out)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(place, absolute+string(filepath.Separator)) {
			return "", fmt.Errorf("--out %s: in the folder of the run %s, which stays as it is; expected a folder outside of it", out, dir)
		}
		return makeFolder(out, "")
	}
	return numberedFolder(filepath.Dir(dir), filepath.Base(absolute)+"-"+what)
}

// compareDigests reports whether the run came out as before, and takes an equal one away again: its
// rows are whole in the first one's folder.
func compareDigests(before *report.Run, again *report.Manifest, e *scenarios.Experiment, asJSON bool, stdout io.Writer) error {
	result := repeated{Equal: true}
	add := func(of, was, is string) {
		result.Compare = append(result.Compare, comparedDigest{of, was == is, was, is})
		result.Equal = result.Equal && was == is
	}
	add("run", before.Manifest.RunDigest, again.RunDigest)
	add("state", before.Manifest.LedgerDigest, again.LedgerDigest)
	for _, t := range report.Tables() {
		was, is := tableDigest(&before.Manifest, t), tableDigest(again, t)
		if was != "" || is != "" {
			add(string(t), was, is)
		}
	}
	var err error
	if result.Equal {
		err = e.Discard()
	} else {
		result.Folder = e.Dir
		result.Diff, err = diffRuns(before.Dir, e.Dir)
	}
	if err != nil {
		return code(exitFailure, err)
	}
	if asJSON {
		err = writeJSON(stdout, result)
	} else {
		err = code(exitFailure, result.print(stdout))
	}
	if err == nil && !result.Equal {
		return code(exitDigest, fmt.Errorf("the run came out differently; the new one is in %s", e.Dir))
	}
	return err
}

func tableDigest(m *report.Manifest, name trace.Table) string {
	for _, t := range m.Tables {
		if t.Table == name {
			return t.Digest
		}
	}
	return ""
}

func (r *repeated) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range r.Compare {
		if c.Equal {
			fmt.Fprintf(table, "%s\tequal\t%s\n", c.Of, c.Was)
		} else {
			fmt.Fprintf(table, "%s\tdiffers\twas %s\tis %s\n", c.Of, orNone(c.Was), orNone(c.Is))
		}
	}
	if err := table.Flush(); err != nil || r.Equal {
		return err
	}
	fmt.Fprintln(w)
	return printDiff(w, r.Diff)
}
