// Package axon carries requests between peers: one question and its streamed answer per call, over gRPC and
// TLS 1.3, where each side is known by the ed25519 key of its self-signed certificate.
//
// It promises that a caller reaches the key it named or nobody, that every call ends by its deadline, and
// that every refusal comes with a reason: a server accepts any handshake and judges the caller within the
// call, where its words arrive. It bounds the bytes of a message, the bytes of all messages in memory, the
// open calls of all callers and of each, and the time for which a message may be on its way.
//
// It does not know the meaning of a body, anybody's stake, or when a request is served: that is for
// [Handler].
package axon
