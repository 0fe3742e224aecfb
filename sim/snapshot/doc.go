// Package snapshot writes a world between two events as bytes, and reads it back. A [Coder] codes one
// record in both directions; a [Writer] puts sections of such bytes into a file with a version and a
// checksum, and a [Reader] reads them in the same order.
//
// The layout of a file: the text "taolab snapshot\n", the version, the sections, and the SHA-256 of all
// that. A section is its length in eight bytes, little-endian, and its bytes. The sections end with
// an empty one.
package snapshot
