// Package actor is an agent for tests of hosts: it plays a script line by line, each with a barrier behind
// it, so that a play ends alike in any world that keeps the contract of sim/host. It forbids itself to
// depend on how long anything takes.
package actor
