// Package report makes everything that comes after a run from what the run recorded: parquet
// tables, the manifest run.json, statistics, figures and one page.
//
// It promises that a report is made only from a finished run's folder, that the folder never
// holds a half-written table under its final name, that columns, units and descriptions come from
// the row structs of package trace, and that writing costs the same memory however long the run.
// Equal rows give equal files, figures and pages.
//
// It cannot influence a run: Record returns nothing, and Err and Close report a full disk. It knows
// nothing of agents or of how a world runs.
//
// The folder of a run:
//
//	run.json           how the run was made, and what it left (type Manifest)
//	<table>.parquet    one file per recorded table that got a row; zstd, row groups of 16,384 rows
//	summary.json       the numbers (type Summary), written by Write
//	figures/*.svg|png  figures for a paper, the data of each next to it as CSV, written by Write
//	report.html        all of it on one self-contained page, written by Write
//
// Statistics are the textbook ones: Spearman's rank correlation with mean ranks for ties, sample
// quantiles by linear interpolation (Hyndman and Fan's type 7), percentile bootstrap intervals
// (Efron). Colours are the palette of Okabe and Ito and the perceptual map "viridis" of van der
// Walt and Smith.
package report
