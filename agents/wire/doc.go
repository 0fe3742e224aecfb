// Package wire encodes the messages between agents: the bodies of requests and answers of each synapse
// as bytes.
//
// Each body starts with a version byte and a byte that names its kind; then come its dimensions as
// uint16 in the order of the fields of its type, then its values, all little-endian. Decoders trust no
// input: they refuse a body that does not have exactly the expected shape, hold at most a small
// multiple of the input in memory, and never panic. Encoders trust their caller and panic when a
// dimension does not fit.
package wire
