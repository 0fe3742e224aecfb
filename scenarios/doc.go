// Package scenarios holds the experiments that come with the program and the code that loads,
// validates, explains and builds any experiment that somebody writes.
//
// It promises strictness: a scenario file is refused with file, line, key, what was expected and
// the nearest valid key before anything is computed or written. It promises that a scenario, its
// seed and the bytes of its corpus fix every bit of a run: what it reads from the disk cache is
// checked against the hash of what went into it, so that a warm cache and a cold one give the
// same run.
//
// It forbids itself the live world. Of the protocol it knows only names and limits; the arithmetic
// stands in the packages that it puts together.
package scenarios
