// Package twins holds the tests that compare the two hosts: one play, in virtual time and in real time on a
// replicated ledger, ends in one state; and each agent does again what its journal says, wherever it was
// kept.
package twins
