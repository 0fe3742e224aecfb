// Package scenarios holds the experiments that come with the program, and the code that loads,
// validates, explains, builds and runs experiments.
//
// It promises strictness: a faulty scenario file is refused with file, line, key, the expectation
// and the nearest valid key, before anything is computed or written. It promises that a scenario,
// its seed and the bytes of its corpus fix every bit of a run, with a cold cache or a warm one.
//
// It knows nothing of the live world, and of the protocol only names and limits; the packages that
// it assembles hold the arithmetic.
package scenarios
