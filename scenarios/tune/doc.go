// Package tune searches for the settings of a scenario at which its objectives are best.
//
// It promises that a search is the same for any number of workers, and goes on where it was cut: each point is a
// point of a sweep, with the seeds and the log of results of one, and what the search proposes follows only from the
// results. The point found is judged by runs with seeds that the search has not seen, for the best of many
// noisy points owes some of its outcome to luck.
package tune
