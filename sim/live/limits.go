package live

import "taolab/sim/live/axon"

// Limits of one node, besides those of the wire. A caller that would exceed one gets the answer stated
// here; nothing is dropped silently.
const (
	maxCalls    = 8192            // open calls; the next is answered Backoff at once
	maxTimers   = 8192            // timers; the next ends the world with an error
	maxStreams  = 64              // random streams; the next ends the world with an error
	maxReplies  = axon.MaxReplies // parts of a streamed answer, whatever the request allows
	maxRequests = 1024            // requests that the agent has not looked at; the next is answered Backoff
	maxInputs   = 1024            // answers and the like that wait for the agent; who brings another waits too
	maxNews     = 256             // blocks that the agent has not looked at; a later one takes the last one's place
	maxUnread   = 64 << 20        // bytes of an answer that its caller has not taken; one more part ends it
	maxAnswers  = 128 << 20       // bytes of all answers of a node that their callers have not taken; one more part ends its answer
)
