package virtual

import "taolab/sim/host"

// Limits of one world. An agent that would pass one of the limits per node gets the answer that
// is said here; nothing is dropped silently.
const (
	maxNodes       = 1 << 20
	maxBlocks      = 1 << 40
	maxTime        = 4_000_000_000 * host.Second // 126 years, to which any time is added once
	maxDuration    = host.Time(1) << 59          // 18 years, of one message or job
	maxDelay       = host.Time(1) << 53          // 104 days
	maxDelayBlocks = 256                         // that a node may see blocks late
	maxWorkers     = 1024

	maxCalls     = 8192 // open calls of a node; the next is answered Backoff at once
	maxTimers    = 8192 // timers of a node; the next ends the run with an error
	maxFaults    = 1 << 16
	maxStreams   = 64       // random streams of a node; the next ends the run with an error
	maxReplies   = 256      // parts of a streamed reply, whatever the request allows
	maxBodyBytes = 64 << 20 // of a message; a longer one is answered InvalidRequest or InvalidResponse
)
