package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"taolab/report"
)

func newReport() *cobra.Command {
	var asJSON, metrics bool
	var epochs string
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Draw the figures and the page of a run again from its tables",
		Long: `Read run.json and the tables of a run's folder and write figures/, summary.json and report.html into
it. Nothing else is needed, so that a run can be reported on by another machine or version, and of a
run that still goes on, or that was killed, as far as it went. Statistics are taken over the last
quarter of the epochs, or over those that --epochs names.`,
		Example: `  taolab report runs/quickstart
  taolab report runs/quickstart --epochs 10:19
  taolab report runs/quickstart --json
  taolab report runs/quickstart --metrics     every number by the name that [[expect]] knows it by`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			window, err := parseWindow(epochs)
			if err != nil {
				return code(exitUsage, err)
			}
			summary, unwritten := draw(args[0], window)
			if summary == nil {
				return unwritten
			}
			if err := sayHowFar(cmd.ErrOrStderr(), args[0]); err != nil {
				return err
			}
			switch {
			case asJSON && metrics:
				err = writeJSON(cmd.OutOrStdout(), summary.Metrics())
			case asJSON:
				err = writeJSON(cmd.OutOrStdout(), summary)
			case metrics:
				err = code(exitFailure, printMetrics(cmd.OutOrStdout(), summary.Metrics()))
			default:
				err = code(exitFailure, errors.Join(printSummary(cmd.OutOrStdout(), args[0], summary),
					printVerdicts(cmd.OutOrStdout(), summary.Expectations)))
			}
			if err != nil {
				return err
			}
			return unwritten
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the summary as JSON")
	cmd.Flags().BoolVar(&metrics, "metrics", false, "list every number by its name, with its unit and meaning")
	cmd.Flags().StringVar(&epochs, "epochs", "", "window of the statistics, as FROM:UNTIL; both ends count (default: the last quarter)")
	return cmd
}

// parseWindow reads FROM:UNTIL; empty stands for the default.
func parseWindow(text string) (report.Window, error) {
	if text == "" {
		return report.Window{}, nil
	}
	var w report.Window
	if n, err := fmt.Sscanf(text+"\n", "%d:%d\n", &w.From, &w.Until); err != nil || n != 2 || w.From > w.Until || w == (report.Window{}) {
		return w, fmt.Errorf("--epochs %s: expected two numbers of epochs, the first not above the second, as in --epochs 10:19", text)
	}
	return w, nil
}

// sayHowFar says of a run that did not come to its end how far it went, and why no further.
func sayHowFar(w io.Writer, dir string) error {
	m, err := report.ReadManifest(dir)
	if err != nil {
		return unreadable(err)
	}
	if ending := m.Ending(); ending != "" {
		fmt.Fprintf(w, "%s: %s; what is there goes to block %d, %s of simulated time\n",
			dir, ending, m.Blocks, clock(m.VirtualNs))
	}
	return nil
}
