package main

import (
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	var asJSON, metrics bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Draw the figures and the page of a run again from its tables",
		Long: `Read run.json and the tables of a run's folder and write figures/ and report.html into it.
Nothing else is needed, so that a run can be reported on by another machine or version.`,
		Example: `  taolab report runs/quickstart
  taolab report runs/quickstart --json
  taolab report runs/quickstart --metrics     every number by the name that [[expect]] knows it by`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			summary, err := draw(args[0])
			if err != nil {
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
