// Package conformance compares the ledger with other implementations, in two ways.
//
// Check reads a file of vectors, which says what another implementation computed, lets the rules of
// this ledger compute the same and names the first difference. Apply is one stateless transition: a
// state and a block go in, the state after it, events and a digest come out, all of it plain
// JSON, so that an implementation in any language can be compared block by block.
//
// It promises that nothing in a file is ignored: an unknown field, operation or format, a missing
// field, a key that appears twice, a number out of range or bytes after the end are errors that say
// where; that what is wrong with one case keeps no other from running; that every expected value is
// compared; that no input makes it panic; and that memory and work are bounded by limits that
// docs/reference/conformance.md names. It does no I/O.
//
// The rules themselves are those of sim/chain and the packages below it; here is only their use.
package conformance
