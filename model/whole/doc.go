// Package whole replaces files whole or not at all: whoever reads one, and whatever power cut comes, finds the old
// bytes or the new ones.
package whole
