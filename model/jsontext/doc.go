// Package jsontext reads JSON that others wrote, by RFC 8259 and no more: UTF-8, one value and nothing
// after it, member names compared exactly, no name twice in an object. Code that reads a file through it
// sees what every other strict reader sees, or learns the place where readers could differ.
//
// It promises that no byte is replaced silently, with one exception that JSON itself leaves open: an
// escaped surrogate without its other half, such as "\ud800", reads as U+FFFD. A byte order mark at the
// beginning is skipped. No input makes it panic; its index takes twelve bytes per value or name, and its
// work grows as n log n. Errors give the place and what was expected there.
//
// [Describe] recognises files that are not what their names say: a pointer of Git LFS, a web page.
package jsontext
