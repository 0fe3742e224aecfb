// Package hub hands the runs of a sweep to workers on any machines, over NATS JetStream in the hub's own process.
//
// It promises that each run's result is written once, into the log that taolab sweep writes, no matter which workers die and
// however often a run is delivered; and that the table has the same bytes as that of a sweep without workers.
//
// The queue can be made again at any time from the design and the log, so nothing of it is kept. A job is a run's place
// in the design. A worker takes one at a time, tells the hub which run it begins, and twice in an ack wait that it is
// alive, creates the result under the run's key, which only the first can, and acknowledges last.
package hub

import "time"

const (
	jobs       = "jobs"       // stream and subject of the queue
	results    = "results"    // bucket: a result by the run's key
	about      = "about"      // bucket: design and scenario
	beginnings = "beginnings" // subject: which worker begins which run
	ackWait    = 2 * time.Second
)
