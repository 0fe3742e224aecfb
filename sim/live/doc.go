// Package live is the host that runs agents on the wall clock: sockets, keys, disk and the
// replicated chain between real processes.
//
// It will promise what sim/virtual promises except for time: agents cannot tell the two apart.
// It forbids itself any protocol rule; those stand in sim/chain, sim/host and the agents.
package live
