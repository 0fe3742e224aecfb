package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"taolab/report"
)

func newReport() *cobra.Command {
	var asJSON, metrics bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Draw the figures and the page of a run again from its tables",
		Long: `Read run.json and the tables of a run's folder and write figures/ and report.html into it.
Nothing else is needed, so that a run can be reported on by another machine or version. Of a run that
still goes on, or that was killed, the report says how far it went.`,
		Example: `  taolab report runs/quickstart
  taolab report runs/quickstart --json
  taolab report runs/quickstart --metrics     every number by the name that [[expect]] knows it by`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			summary, err := draw(args[0])
			if err != nil {
				return err
			}
			if err := sayHowFar(cmd.ErrOrStderr(), args[0]); err != nil {
				return err
			}
			switch {
			case asJSON && metrics:
				return writeJSON(cmd.OutOrStdout(), summary.Metrics())
			case asJSON:
				return writeJSON(cmd.OutOrStdout(), summary)
			case metrics:
				return code(exitFailure, printMetrics(cmd.OutOrStdout(), summary.Metrics()))
			}
			return code(exitFailure, printSummary(cmd.OutOrStdout(), args[0], summary))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the summary as JSON")
	cmd.Flags().BoolVar(&metrics, "metrics", false, "list every number by its name, with its unit")
	return cmd
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
