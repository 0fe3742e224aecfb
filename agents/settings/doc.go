// Package settings reads tables of a TOML file into structs, and writes structs as such tables. The tags of a
// struct's fields are the only definition of a key: `toml` is the key, `default` its value where the file
// does not set it, `min` and `max` bound numbers, `one` lists the allowed words, `unit` and `doc` explain,
// `was` is the key's name in an earlier release. The keys of an embedded struct belong to the struct around
// it. A pointer is nil where the file does not set the key, so that a written 0 is 0.
//
// All faults of a file are reported together, each with its place, the expected value and the remedy.
package settings
