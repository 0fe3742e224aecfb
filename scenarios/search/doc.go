// Package search looks for the settings that a scenario does best with: CMA-ES, Nelder-Mead and a Gaussian-process
// surrogate over the unit cube, the order of outcomes under constraints, and the front of two objectives.
//
// It promises that a search proposes points and never runs them: the caller evaluates a point, notes it in the trace
// of the search, and hands back the outcome. All of it has the same bits on every machine, so that the seed and the
// outcomes repeat a search. All objectives are minimised.
//
// Sources: N. Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), with a Cholesky factor in place of
// eigenvectors; J. A. Nelder and R. Mead (1965), with the factors of F. Gao and L. Han (2012); D. R. Jones, M. Schonlau and
// W. J. Welch, "Efficient Global Optimization" (1998), with Gardner et al. (2014) for constraints.
package search
