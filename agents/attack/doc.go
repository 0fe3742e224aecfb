// Package attack holds the table of behaviours, and the agents and minds that cheat, one file each. They run on the
// same hosts and send the same messages as honest agents, whose code knows nothing of them.
//
// A new one is a file that declares its Behaviour, and a line in the table in behaviour.go. A cheating mind is a
// mind.Server, often a wrapper of the honest one; a cheating agent wraps an agent and its host.Env, where it sees
// and changes events and effects.
package attack
