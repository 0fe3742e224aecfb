// Package whole replaces files atomically: a reader finds the old bytes or the new ones, even after a power
// cut.
package whole
