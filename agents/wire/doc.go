// Package wire holds what travels between agents: the bodies of requests and answers of each synapse as
// bytes.
//
// Each body starts with a version byte and a byte that names its kind; then come its dimensions as
// uint16 in the order of the fields of its type, then its values, all little-endian. Decoders take
// bytes from anyone: they refuse what is not exactly of the expected shape, hold no more memory than a
// small multiple of the input, and never panic. Encoders take the shapes on trust and panic when a
// dimension does not fit.
package wire
