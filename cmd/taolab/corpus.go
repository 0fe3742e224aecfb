package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"taolab/model/pile"
)

func newCorpus() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "corpus",
		Short:   "Look at corpora",
		Example: "  taolab corpus inspect ../pile",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCorpusInspect())
	return cmd
}

func newCorpusInspect() *cobra.Command {
	var (
		asJSON    bool
		megabytes float64
		seed      uint64
		invalid   invalidUTF8
	)
	cmd := &cobra.Command{
		Use:   "inspect [PATH]",
		Short: "Count documents and bytes by subset, of shards or of the synthetic Pile",
		Long: `Read shards (.jsonl or .jsonl.zst, a folder or a file) and print what is in them by subset.
Without a path, the synthetic Pile is generated and inspected. "replaced" counts bytes of the lines read that
are not UTF-8 and read as U+FFFD.`,
		Example: `  taolab corpus inspect
  taolab corpus inspect shards/ --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(megabytes >= 0.5 && megabytes <= 1e6) {
				return code(exitUsage, fmt.Errorf("--megabytes %g: expected 0.5 to 1000000", megabytes))
			}
			var source pile.Source
			var err error
			limit := int64(float64(megabytes * 1e6))
			if len(args) == 1 {
				source, err = pile.Open(args[0], limit, nil, invalid.policy())
			} else {
				source, err = pile.NewSynthetic(seed, limit, nil)
			}
			if err != nil {
				return code(exitScenario, err)
			}
			counts, err := pile.Inspect(source)
			if err != nil {
				return code(exitScenario, err)
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), counts)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
			fmt.Fprintf(table, "subset\tweight %%\tdocuments\tbytes\tmean KiB\ttrain\tscore\theld out\treplaced\t\n")
			for _, c := range counts {
				fmt.Fprintf(table, "%s\t%.2f\t%d\t%d\t%.2f\t%d\t%d\t%d\t%d\t\n", c.Name, c.Weight, c.Documents, c.Bytes,
					float64(c.Bytes)/1024/float64(max(c.Documents, 1)), c.TrainBytes, c.ScoreBytes, c.HeldOutBytes, c.Replaced)
			}
			return code(exitFailure, table.Flush())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().Float64Var(&megabytes, "megabytes", 1e6, "text to read or generate at most")
	cmd.Flags().Var(&invalid, "invalid-utf8", invalidUTF8Help)
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the synthetic Pile")
	cmd.PreRun = func(cmd *cobra.Command, args []string) {
		if len(args) == 0 && !cmd.Flags().Changed("megabytes") {
			megabytes = 6
		}
	}
	return cmd
}
