// Package sweep runs the variants of a scenario that its [sweep] describes, on one machine or on many, and
// joins what they come to into one table.
//
// It promises that the design is on disk before the first run begins; that each run whose result is on disk
// is never made again, whatever ended the program; that the table of a finished sweep has the same bytes for
// any number of workers, shards and restarts; and that memory does not grow with the length of the runs.
//
// It forbids itself to hide a run: one that fails or that the scenario refuses is a row with its error.
//
// The folder of a sweep:
//
//	design.json            the points, the seeds and the keys of all runs (type Design)
//	results/I-of-N.log     what the runs of a shard came to, in the order in which they ended
//	table.parquet          a row per run, in the order of the design
//	costs.parquet          wall and CPU seconds of each run, by key
//	runs/KEY/              the folder of each run, where traces are kept
//	figures/               fans of the metrics that [sweep] names
package sweep
