package axon

import (
	"fmt"

	"google.golang.org/grpc/mem"
)

// message is what travels: a head and a body, sent one after the other without a copy of the body. What is
// received has no head.
type message struct{ head, body []byte }

// codec hands bytes to gRPC as they are.
type codec struct{}

// Name is the last part of the content type.
func (codec) Name() string { return "taolab" }

// Marshal gives gRPC the two parts of a message, which nobody may change any more.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*message)
	if !ok {
		return nil, fmt.Errorf("a message of type %T; expected one of this package", v)
	}
	out := mem.BufferSlice{mem.SliceBuffer(m.head)}
	if len(m.body) > 0 {
		out = append(out, mem.SliceBuffer(m.body))
	}
	return out, nil
}

// Unmarshal copies the bytes of a message once, as gRPC takes its own back: behind those of a body that has begun.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*message)
	if !ok {
		return fmt.Errorf("a message of type %T; expected one of this package", v)
	}
	if m.body == nil {
		m.body = data.Materialize()
		return nil
	}
	for _, part := range data {
		m.body = append(m.body, part.ReadOnlyData()...)
	}
	return nil
}
