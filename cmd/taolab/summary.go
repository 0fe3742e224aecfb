package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"taolab/report"
)

// draw writes figures and page of a run over a window of epochs and returns its numbers, also where
// the folder cannot be written.
func draw(dir string, window report.Window) (*report.Summary, error) {
	run, err := report.Open(dir)
	if err != nil {
		return nil, unreadable(err)
	}
	run.Window = window
	summary, err := run.Write()
	if summary != nil && err != nil {
		err = fmt.Errorf("%s: the report cannot be written: %w; free space there or copy the folder elsewhere, then: taolab report %s", dir, err, dir)
	}
	return summary, code(exitFailure, err)
}

// printSummary shows what the run came to, in sentences and by group.
func printSummary(w io.Writer, dir string, s *report.Summary) error {
	fmt.Fprintf(w, "%s, seed %d, run digest %s\n\n", s.Name, s.Seed, s.RunDigest)
	for _, sentence := range s.Verdict() {
		fmt.Fprintln(w, sentence)
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
	fmt.Fprintln(w)
	if err := s.WriteGroups(w); err != nil {
		return err
	}
	page := filepath.Join(dir, report.PageFile)
	if _, err := os.Stat(page); err != nil {
		return nil // it could not be written, which is said elsewhere
	}
	_, err := fmt.Fprintf(w, "\n%s\n", page)
	return err
}

// printMetrics lists numbers with all their digits, so that they can be copied into a scenario.
func printMetrics(w io.Writer, metrics []report.Metric) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range metrics {
		fmt.Fprintf(table, "%s\t%v\t%s\t%s\n", m.Name, m.Value, m.Unit, m.Doc)
	}
	return table.Flush()
}
