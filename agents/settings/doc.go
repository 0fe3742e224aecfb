// Package settings reads tables of a TOML file into structs, and writes structs as such tables. The tags of a
// struct's fields are the one source of what a key means: `toml` is the key, `default` its value where the
// file does not set it, `min` and `max` bound numbers, `one` lists the allowed words, `unit` and `doc`
// explain, `was` is the key's name in an earlier release. The keys of an embedded struct stand among those of
// the struct around it. A key that is a pointer is unset where the file does not set it: a written 0 is 0.
//
// What is wrong with a file is said all at once, each fault with its place, what was expected and what to do.
package settings
