package main

import (
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Draw the figures and the page of a run again from its tables",
		Long: `Read run.json and the tables of a run's folder and write figures/ and report.html into it.
Nothing else is needed, so that a run can be reported on by another machine or version.`,
		Example: `  taolab report runs/quickstart
  taolab report runs/quickstart --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			summary, err := draw(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), summary)
			}
			return code(exitFailure, printSummary(cmd.OutOrStdout(), args[0], summary))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the summary as JSON")
	return cmd
}
