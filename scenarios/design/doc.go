// Package design makes the points of an experiment and evaluates its outputs: Latin hypercubes, Sobol sequences and
// Morris trajectories in the unit cube, and estimates of sensitivity from the outputs at their points.
//
// It promises that a design is a pure function of its seed and its keys, with the same bits on every machine, and
// that a key added at the end moves no other column: each key draws from its own stream, "design/lhs/<key>" or
// "design/sobol/<key>". It runs nothing and does no I/O. A point is one row, a key one column; a Scale turns a
// coordinate into a value of a setting.
//
// Sources: M. D. McKay, R. J. Beckman and W. J. Conover (1979) for the Latin hypercube; I. M. Sobol (1967) with the
// direction numbers of S. Joe and F. Y. Kuo (2008), and A. B. Owen (2020) on keeping the first point; M. D. Morris
// (1991) for elementary effects; A. Saltelli et al. (2010) and M. J. W. Jansen (1999) for the indices.
package design
