package axon

import (
	"context"

	"google.golang.org/grpc"

	"taolab/sim/host"
)

// What one message takes of a client, and what an open call may have sent before it is read.
const (
	messageBytes = replyHead + maxReason + chunkBytes
	windowBytes  = 128 << 10
	callBytes    = windowBytes + messageBytes
)

// reading is what one call reads of its answer, a reply at a time.
type reading struct {
	share
	memory *budget
	limits *Limits
	stream grpc.ClientStream
	held   int64 // bytes of the reply that is read, beyond those of every call
}

// begin takes what every open call may hold. ctx ends when the call has to give way.
func (c *Client) begin(ctx context.Context) (*reading, context.Context, error) {
	r := &reading{memory: c.memory, limits: &c.limits}
	ctx, r.end = context.WithCancelCause(ctx)
	return r, ctx, r.memory.take(ctx, &r.share, callBytes)
}

// close gives everything back.
func (r *reading) close() {
	r.end(nil)
	r.memory.give(&r.share, r.bytes)
}

// next reads a reply; the one before is no longer held.
func (r *reading) next(ctx context.Context) (Reply, error) {
	r.memory.keep(&r.share, false)
	r.memory.give(&r.share, r.held)
	r.held = 0
	var m message
	if err := r.stream.RecvMsg(&m); err != nil {
		return Reply{}, err
	}
	reply, body, err := decodeReply(m.body)
	switch {
	case err != nil:
		return refuse(host.InvalidResponse, "%v", err), nil
	case body > r.limits.BodyBytes:
		return refuse(host.InvalidResponse, "the peer sends an answer of %d bytes, more than a message may hold: %d", body, r.limits.BodyBytes), nil
	}
	for m.body = reply.Body; len(m.body) < body; {
		if m.body, err = r.grow(ctx, m.body, body); err != nil {
			return Reply{}, err
		}
		had := len(m.body)
		if err := r.stream.RecvMsg(&m); err != nil {
			return Reply{}, err
		}
		if len(m.body) == had {
			return refuse(host.InvalidResponse, "the answer goes on with a message of no bytes after %d of %d", had, body), nil
		}
	}
	if len(m.body) > body {
		return refuse(host.InvalidResponse, "the answer has %d bytes, %d were announced", len(m.body), body), nil
	}
	reply.Body = m.body
	r.memory.keep(&r.share, true)
	return reply, nil
}

// grow makes room for a message behind what there is of a body. Room doubles as bytes come: an announcement
// costs nothing.
func (r *reading) grow(ctx context.Context, body []byte, all int) ([]byte, error) {
	if cap(body)-len(body) >= messageBytes {
		return body, nil
	}
	room := min(2*len(body), all) + messageBytes
	if err := r.memory.take(ctx, &r.share, int64(room)); err != nil {
		return nil, err
	}
	body = append(make([]byte, 0, room), body...)
	r.memory.give(&r.share, r.held)
	r.held = int64(room)
	return body, nil
}
