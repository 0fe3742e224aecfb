package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"taolab/report"
)

// draw writes figures and page of a run and returns its numbers.
func draw(dir string) (*report.Summary, error) {
	run, err := report.Open(dir)
	if err != nil {
		return nil, unreadable(err)
	}
	if err := report.Write(dir); err != nil {
		return nil, code(exitFailure, err)
	}
	summary, err := report.Summarise(run)
	return summary, code(exitFailure, err)
}

// headlines are the beginnings of the metrics' names that are worth a line on a terminal.
var headlines = []string{
	"run.blocks", "run.epochs", "run.wall_seconds", "loss.bigram", "loss.base", "loss.median", "loss.honest", "spearman.loss",
	"incentive.", "dividends.", "query.success", "query.loss.late", "routing.", "application.admitted",
	"application.loss", "supply.minted", "supply.difference",
}

// printSummary shows the numbers that people look for first.
func printSummary(w io.Writer, dir string, s *report.Summary) error {
	fmt.Fprintf(w, "%s, seed %d, run digest %s\n\n", s.Name, s.Seed, s.RunDigest)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, metric := range s.Metrics() {
		if strings.HasSuffix(metric.Name, ".low") || strings.HasSuffix(metric.Name, ".high") {
			continue
		}
		for _, headline := range headlines {
			if strings.HasPrefix(metric.Name, headline) {
				fmt.Fprintf(table, "%s\t%.6g\t%s\n", metric.Name, metric.Value, metric.Unit)
				break
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", filepath.Join(dir, "report.html"))
	return err
}

// printMetrics lists numbers with all their digits, so that they can be copied into a scenario.
func printMetrics(w io.Writer, metrics []report.Metric) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range metrics {
		fmt.Fprintf(table, "%s\t%v\t%s\n", m.Name, m.Value, m.Unit)
	}
	return table.Flush()
}
