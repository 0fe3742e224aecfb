// Package decide is what the owner of a node wants: to learn what pays, to enter where a seat is worth its
// price and leave where it is not, to put its stake where it earns. It holds functions from what an owner
// sees and owns to what it does next, and the little state that such functions carry on; agents call them at
// stated heights and turn their results into transactions and rows.
//
// It promises that a decision depends on its arguments only, that money is rounded down to whole rao
// where it becomes a transaction, and that arithmetic gives the same bits everywhere (model/num).
//
// It forbids clocks, hosts and randomness other than the stream that a caller hands in.
//
// Where many owners answer one signal, how strongly each answers decides whether the network comes to rest:
// see GainLimit.
package decide
