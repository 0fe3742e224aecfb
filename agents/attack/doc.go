// Package attack holds agents that cheat, one file each. They stand on the same hosts and use the same
// messages as honest agents, whose behaviour knows nothing of them.
package attack
