// Package actor is an agent for tests of hosts: it plays a script line by line, with a barrier after each,
// so that a play has the same outcome in any world that keeps the contract of sim/host. No outcome depends
// on durations.
package actor
