// Package retention asks how much utility an honest majority needs so that a cabal cannot take more of the
// emission than its stake: the published study of subtensor's consensus, for any rule of the family.
//
// In a network of honest neurons and a cabal, honest validators give a share W_H of their weights to honest
// servers, their utility, and cabal validators a share W_C to those of the cabal. One epoch is run without
// bonds; the honest side retains its stake S_H where its share of the emission, E_H, is at least S_H. The
// contour of a stake is the least W_H that retains it, as a function of W_C; the needed utility is the
// contour's highest point.
//
// It promises that a draw has the same random numbers for every setting, stake and point, so that settings
// compare draw by draw, and that results are the same for any number of workers.
package retention
