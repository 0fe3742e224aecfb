// Package bridge keeps the books of a bridge: money that is locked on this chain and minted on another one,
// and the way back. It is plain data driven from outside, in whole rao.
//
// It promises that at any moment
//
//	Locked + Shortfall = Minted + PendingOut + PendingBack
//
// where Shortfall is 0 unless the other chain is reorganised deeper than the bridge waits, and that no
// transfer is minted or paid twice, whatever crashes or is reorganised.
//
// It forbids clocks, floats and randomness.
package bridge
