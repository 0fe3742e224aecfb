// Package sweep runs the variants of a scenario that its [sweep] describes, on one machine or on many, and
// joins their results in one table.
//
// It promises that the design is on disk before the first run begins; that a run whose result is on disk is
// never repeated, however the program ended; that the table of a finished sweep has the same bytes for any
// number of workers, shards and restarts; and that memory does not grow with the length of the runs.
//
// It hides no run: one that fails, or whose settings are refused, is a row with its error.
//
// The folder of a sweep:
//
//	design.json            the points, the seeds and the keys of all runs (type Design)
//	results/I-of-N.log     the results of a shard's runs, in the order in which they ended
//	table.parquet          a row per run, in the order of the design
//	costs.parquet          wall and CPU seconds of each run, by key
//	runs/KEY/              the folder of each run, where traces are kept
//	figures/               fans of the metrics that [sweep] names
package sweep
