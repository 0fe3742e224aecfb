package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"taolab/report"
)

func newDiff() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff RUN_A RUN_B",
		Short: "Name the first block, table, row and field in which two runs differ",
		Long: `Compare the folders of two runs. How they were made comes first: seed, versions, keys of the
scenario. Then every table that both have is read to its end; its digest is computed from the rows,
not taken from run.json. Tables are compared in the order weights, epochs, bonds, ledger, blocks,
faults, training, queries, applications: of two that differ first at the same block, the one listed
earlier is nearer to the cause. Runs of different length are compared as far as both go.

Runs are equal when run digest, state digest and every row of the tables that both have are equal,
whatever else was recorded and by whichever version. Exit code 5 says that they differ.`,
		Example: `  taolab diff runs/quickstart runs/quickstart-2
  taolab diff runs/before runs/after --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := diffRuns(args[0], args[1])
			if err != nil {
				return unreadable(err)
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), d)
			} else {
				err = code(exitFailure, printDiff(cmd.OutOrStdout(), d))
			}
			if err == nil && !d.Equal {
				return code(exitDigest, errors.New("the runs differ"))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// unreadable gives an error of reading a run's folder its exit code: files that are not there or
// cannot be read are a failure, those that are not what they should be are invalid.
func unreadable(err error) error {
	var place *fs.PathError
	if errors.As(err, &place) {
		return code(exitFailure, err)
	}
	return code(exitScenario, err)
}

func diffRuns(a, b string) (*report.Difference, error) {
	left, err := report.Open(a)
	if err != nil {
		return nil, err
	}
	right, err := report.Open(b)
	if err != nil {
		return nil, err
	}
	return report.Diff(left, right)
}

// printDiff tells a difference to people: A in the first column, B in the second.
func printDiff(w io.Writer, d *report.Difference) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "A\t%s\nB\t%s\n", d.A, d.B)
	if len(d.Made) > 0 {
		fmt.Fprint(table, "\nmade differently\tA\tB\n")
		printChanges(table, d.Made)
	}
	fmt.Fprint(table, "\ntable\tis\trows A\trows B\n")
	for _, t := range d.Tables {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", t.Table, t.Status, t.RowsA, t.RowsB)
		for _, folder := range t.Damaged {
			fmt.Fprintf(table, "  the rows in %s are not those that its run.json lists: changed after the run\n",
				folder)
		}
	}
	if len(d.Digests) > 0 {
		fmt.Fprint(table, "\ndigest\tA\tB\n")
		printChanges(table, d.Digests)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return printFirst(w, d)
}

func printChanges(w io.Writer, changes []report.Change) {
	for _, c := range changes {
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Key, orNone(c.A), orNone(c.B))
	}
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// printFirst tells the earliest difference of all tables.
func printFirst(w io.Writer, d *report.Difference) error {
	var b strings.Builder
	switch {
	case d.Equal:
		b.WriteString("\nequal\n")
	case d.First == nil && len(d.Digests) > 0:
		b.WriteString("\nno row differs: record more tables to see where the runs part\n")
	}
	if d.FirstBlock != nil {
		fmt.Fprintf(&b, "\nfirst differing block  %d\n", *d.FirstBlock)
	}
	if r := d.First; r != nil {
		fmt.Fprintf(&b, "\nfirst difference  block %d, table %s, row %d: %s\n", r.Block, r.Table, r.Row, r.Key)
		if r.Ended != "" {
			fmt.Fprintf(&b, "  %s has no such row: its table ends before\n", r.Ended)
		}
		for _, c := range r.Fields {
			fmt.Fprintf(&b, "  %s  %s  %s\n", c.Key, orNone(c.A), orNone(c.B))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
