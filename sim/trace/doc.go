// Package trace defines the record of a run: typed rows, one struct per table, and the digests
// over them.
//
// It promises that equal runs give equal row digests: a row has one canonical byte form, floats
// are canonicalised before they are hashed, and rows are digested in the order in which they were
// recorded.
//
// It knows no file format, no clock, and neither the recorders nor the readers: package report
// writes parquet. Struct tags hold column names, units and descriptions, so that files and
// documentation have one source.
package trace
