// Package whole replaces files whole or not at all: a reader finds the old bytes or the new ones, even after a
// power cut.
package whole
