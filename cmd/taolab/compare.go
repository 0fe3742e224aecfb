package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"taolab/report"
	"taolab/scenarios/sweep"
)

// compared are the metrics that a comparison shows where nobody asks for others.
var compared = []string{
	"loss.median", "spearman.loss_incentive", "incentive.*.ratio", "group.*.incentive", "group.*.loss",
	"dividends.*.ratio", "dividends.*.ratio.whole", "query.success", "query.loss.window", "query.bias",
	"routing.loss.last", "routing.specialists", "application.admitted", "application.loss", "seats.changes",
	"supply.minted_rao", "supply.burned_rao",
}

func newCompare() *cobra.Command {
	var asJSON, all bool
	var out, epochs string
	var metrics, figures []string
	cmd := &cobra.Command{
		Use:   "compare RUN...",
		Short: "Put runs side by side: their numbers, differences and intervals",
		Long: `Read the folders of two runs or more and put their numbers side by side. Runs of one scenario that
differ in their seeds alone are one arm: its numbers are means over seeds, with 95 % intervals from
three seeds on. Differences are to the first arm, of runs with equal seeds where there are such.
With --out a folder gets the table as parquet and JSON, a figure for each metric, and a page; --figure
puts one that the reports of the runs have there too, with a column of panels for each run; topics of
several seeds is one figure of all arms, with intervals. The folder of a sweep that kept its traces
stands for its runs.`,
		Example: `  taolab compare runs/honest-1 runs/honest-2 runs/honest-3
  taolab compare runs/a-1 runs/a-2 runs/a-3 runs/b-1 runs/b-2 runs/b-3 --out compared
  taolab compare runs/a runs/b --metric 'loss.*' --metric query.success --json
  taolab compare sweeps/credit --metric 'mix.*' --figure topics --out compared`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			window, err := parseWindow(epochs)
			if err != nil {
				return code(exitUsage, err)
			}
			keep, err := chosen(metrics, all)
			if err != nil {
				return code(exitUsage, err)
			}
			runs, err := opened(args, window)
			if err != nil {
				return err
			}
			comparison, err := report.Compare(runs)
			if err != nil {
				return code(exitFailure, err)
			}
			comparison.Keep(keep)
			if len(comparison.Metrics) == 0 {
				return code(exitUsage, fmt.Errorf("--metric %s: no run has such a number; taolab report RUN --metrics lists them",
					strings.Join(metrics, " --metric ")))
			}
			if err := joinFigures(comparison, runs, figures, out); err != nil {
				return err
			}
			if out != "" {
				if err := comparison.Write(out); err != nil {
					return code(exitFailure, fmt.Errorf("--out %s: %w", out, err))
				}
			}
			for _, note := range comparison.Notes() {
				fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", note)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), comparison)
			}
			return code(exitFailure, comparison.WriteTable(cmd.OutOrStdout()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the comparison as JSON")
	cmd.Flags().BoolVar(&all, "all", false, "compare every number, not the most telling ones")
	cmd.Flags().StringArrayVar(&metrics, "metric", nil, "compare the numbers whose names match, as in --metric 'loss.*'; may be repeated")
	cmd.Flags().StringArrayVar(&figures, "figure", nil, "show a figure of the runs' reports, such as loss, side by side; needs --out, may be repeated")
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder for the table as parquet and JSON, the figures and the page")
	cmd.Flags().StringVar(&epochs, "epochs", "", "window of the statistics, as FROM:UNTIL; both ends count (default: the last quarter of each run)")
	return cmd
}

// opened opens the runs in folders of runs and of sweeps, two at least.
func opened(dirs []string, window report.Window) ([]*report.Run, error) {
	var runs []*report.Run
	for _, dir := range dirs {
		places, err := sweep.KeptRuns(dir)
		switch {
		case err != nil:
			return nil, code(exitFailure, err)
		case places == nil:
			places = []sweep.KeptRun{{Dir: dir}}
		}
		for _, place := range places {
			run, err := report.Open(place.Dir)
			if err != nil {
				return nil, unreadable(err)
			}
			run.Arm, run.Window = place.Point, window
			runs = append(runs, run)
		}
	}
	if len(runs) < 2 {
		return nil, code(exitUsage, fmt.Errorf("%s: one run; expected two or more, or the folder of a sweep that kept its traces", dirs[0]))
	}
	return runs, nil
}

// joinFigures adds figures of the runs' reports to what a comparison writes.
func joinFigures(c *report.Comparison, runs []*report.Run, names []string, out string) error {
	for _, name := range names {
		if out == "" {
			return code(exitUsage, fmt.Errorf("--figure %s: no folder for it; expected --out", name))
		}
		if err := c.AddFigure(runs, name); err != nil {
			return code(exitFailure, err)
		}
	}
	return nil
}

// chosen tells the metrics to compare by the patterns of the user.
func chosen(patterns []string, all bool) (func(string) bool, error) {
	if all && len(patterns) > 0 {
		return nil, fmt.Errorf("--all with --metric: expected one of the two")
	}
	if len(patterns) == 0 {
		patterns = compared
	}
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("--metric %s: a bracket or a backslash without its end; expected a name in which * stands for any letters", p)
		}
	}
	return func(name string) bool {
		if all {
			return true
		}
		for _, p := range patterns {
			if ok, _ := path.Match(p, name); ok && !strings.HasSuffix(name, ".low") && !strings.HasSuffix(name, ".high") {
				return true
			}
		}
		return false
	}, nil
}
