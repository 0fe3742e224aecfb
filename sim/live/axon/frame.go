package axon

import (
	"encoding/binary"
	"fmt"

	"taolab/sim/host"
)

// version is that of the frames. A peer that speaks another is told so.
const version = 1

// Lengths of what stands before a body. A question is: version u8, synapse u8, direction u8, most replies
// u32, body. A reply is: version u8, flags u8, of which the lowest says that another part follows, code u8,
// length of the reason u16, length of the body u32, reason, body. Both travel in messages of chunkBytes of their
// bodies, the head with the first, so that nobody holds much of one that is longer than was said. All numbers are
// little-endian.
const (
	questionHead = 7
	chunkBytes   = 64 << 10
	replyHead    = 9
	maxReason    = 1024
	flagMore     = 1

	connectionBytes = 1 << 20  // that may be on their way on a connection
	maxHeader       = 16 << 10 // bytes of what gRPC says about a call
)

// Reply is one part of an answer. Reason says in words why the code is not Success; More announces
// that another part follows.
type Reply struct {
	host.Response
	Reason string
}

// refuse is a reply that says why there is no answer.
func refuse(code host.Code, format string, args ...any) Reply {
	return Reply{Response: host.Response{Code: code}, Reason: fmt.Sprintf(format, args...)}
}

// appendQuestion appends what stands before the body of a question.
func appendQuestion(b []byte, q host.Request) []byte {
	b = append(b, version, byte(q.Synapse), byte(q.Dir))
	return binary.LittleEndian.AppendUint32(b, q.MaxReplies)
}

// decodeQuestion reads a question. Its body is part of b.
func decodeQuestion(b []byte) (host.Request, error) {
	if len(b) > 0 && b[0] != version {
		return host.Request{}, fmt.Errorf("the question is in version %d of the wire; this node speaks version %d: the older one of us needs an update", b[0], version)
	}
	if len(b) < questionHead {
		return host.Request{}, fmt.Errorf("the question has %d bytes; expected %d and a body", len(b), questionHead)
	}
	q := host.Request{
		Synapse: host.Synapse(b[1]), Dir: host.Dir(b[2]), MaxReplies: binary.LittleEndian.Uint32(b[3:]),
		Body: b[questionHead:],
	}
	if q.Dir != host.Forward && q.Dir != host.Backward {
		return host.Request{}, fmt.Errorf("the question has direction %d; expected %d, forward, or %d, backward", q.Dir, host.Forward, host.Backward)
	}
	return q, nil
}

// appendReply appends what stands before the body of a reply. A longer reason than the wire bears is cut.
func appendReply(b []byte, r Reply) []byte {
	var flags byte
	if r.More {
		flags = flagMore
	}
	reason := r.Reason[:min(len(r.Reason), maxReason)]
	b = append(b, version, flags, byte(r.Code))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(reason)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.Body)))
	return append(b, reason...)
}

// decodeReply reads a reply. Its body, or what there is of the body bytes that it announces, is part of b.
func decodeReply(b []byte) (r Reply, body int, err error) {
	if len(b) > 0 && b[0] != version {
		return r, 0, fmt.Errorf("the reply is in version %d of the wire; this node speaks version %d: the older one of us needs an update", b[0], version)
	}
	if len(b) < replyHead {
		return r, 0, fmt.Errorf("the reply has %d bytes; expected %d at least", len(b), replyHead)
	}
	if b[1] > flagMore {
		return r, 0, fmt.Errorf("the reply has flags %#x; expected 0 or %d", b[1], flagMore)
	}
	n := int(binary.LittleEndian.Uint16(b[3:]))
	if n > maxReason || n > len(b)-replyHead {
		return r, 0, fmt.Errorf("the reply has %d bytes and a reason of %d; expected at most %d", len(b), n, min(maxReason, len(b)-replyHead))
	}
	reason := b[replyHead : replyHead+n]
	r = Reply{
		Response: host.Response{Code: host.Code(b[2]), More: b[1] == flagMore, Body: b[replyHead+n:]},
		Reason:   string(reason),
	}
	return r, int(binary.LittleEndian.Uint32(b[5:])), nil
}
