// Package trace holds what a run leaves behind: typed rows, one struct per table, and the
// digests over them.
//
// It promises that equal runs give equal row digests: a row has one canonical byte form, floats
// are canonicalised before they are hashed, and rows are digested in the order in which they were
// recorded.
//
// It forbids itself any file format, any clock and any knowledge of who records or reads: writing
// parquet is the business of package report. Column names, units and descriptions stand in the
// struct tags, so that files and documentation are made from one source.
package trace
