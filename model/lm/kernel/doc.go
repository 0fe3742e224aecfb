// Package kernel holds the inner loops of the transformer.
package kernel
