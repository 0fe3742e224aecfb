// Package attack holds the table of behaviours, and the agents and minds that cheat, one file each. They stand on
// the same hosts and use the same messages as honest agents, whose behaviour knows nothing of them.
//
// A new one is a file that declares its Behaviour, and its name in the table in behaviour.go. A cheating mind is a
// mind.Server, often one around the honest one; a cheating agent stands between an agent and its host, where it sees
// and changes events and, as the agent's host.Env, effects.
package attack
