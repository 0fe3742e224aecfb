// Package search looks for the settings that a scenario does best with: CMA-ES and Nelder-Mead over the unit cube, the
// order of outcomes under constraints, and the front of two objectives.
//
// It promises that a search proposes points and never runs them: the caller evaluates a point, notes it in the trace
// of the search, and hands back the outcome. CMA-ES has the same bits on every machine, so that the seed and the
// outcomes repeat a search; a point of Nelder-Mead, whose arithmetic is gonum's, is rounded before it is used, so that
// the trace repeats it. All objectives are minimised.
//
// Sources: N. Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), with a Cholesky factor in place of
// eigenvectors; J. A. Nelder and R. Mead (1965).
package search
