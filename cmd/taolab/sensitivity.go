package main

import (
	"fmt"
	"io"

	"taolab/scenarios/sweep"
)

// tellSensitivity estimates the sensitivities that a sweep asks for, writes them, and prints one line a key.
func tellSensitivity(stdout io.Writer, s *sweep.Sweep, table *sweep.Table) error {
	if table.Counts.Missing > 0 {
		return nil // concludeSweep says so
	}
	list, err := table.Sensitivities(s.File.Scenario)
	if err != nil {
		return code(exitFailure, err)
	}
	if err := sweep.WriteSensitivities(s.Dir, list); err != nil {
		return code(exitFailure, err)
	}
	for i := range list {
		if err := printSensitivity(stdout, &list[i]); err != nil {
			return code(exitFailure, err)
		}
	}
	return nil
}

func printSensitivity(stdout io.Writer, s *sweep.Sensitivity) error {
	var err error
	say := func(format string, values ...any) {
		if err == nil {
			_, err = fmt.Fprintf(stdout, format+"\n", values...)
		}
	}
	if x := s.Indices; x != nil {
		say("%s: first-order and total indices, %d rows, %s", s.Metric, x.Rows, x.Interval)
		for i := range x.First {
			f, t := x.First[i], x.Total[i]
			say("  %-40s %7.3f (%.3f to %.3f)  %7.3f (%.3f to %.3f)", s.Keys[i], f.Value, f.Low, f.High, t.Value, t.Low, t.High)
		}
	} else {
		say("%s: mu, mu* and sigma of elementary effects", s.Metric)
		for i, e := range s.Effects {
			say("  %-40s %12.5g %12.5g %12.5g", s.Keys[i], e.Mean, e.MeanAbs, e.SD)
		}
	}
	for _, w := range s.Warnings() {
		say("  warning: %s", w)
	}
	return err
}
