// Package journal keeps what an agent was given and what it did, and does it again.
//
// A journal begins with an agent's state and has a turn for each event: the event, the time and the height of
// the view at which it was handled, and every act of the agent within it, in words. [Record] wraps an agent
// and writes the journal of it, in any world. [Replay] hands the same events to another agent that begins
// from the same state, shows it the same views, and compares all that it does, results of its jobs
// included: the first difference is an error that names both.
//
// It promises that a journal which ends early, as that of a killed process does, is good up to its last whole
// turn, and that a damaged one is an error. It does not know how time passes or where views come from.
package journal
