// Package kernel holds the matrix products of the transformer: assembly for AVX-512 and AVX2, and a
// plain Go twin that runs everywhere.
//
// It promises equal bits. Every element of a product is a chain of single-rounded fused
// multiply-adds in ascending k from a stated start, whatever the instruction set, the tile that the
// element falls into and the strides; kernels are parallel over elements, never over k. Where a chain
// is cut and stored to memory in between changes nothing, for a stored float32 is the float32 that a
// register held. Only the payload of a NaN may differ.
//
// It forbids itself to touch memory outside the matrices: a tile that reaches over the last column
// masks the lanes beyond it, a row that does not fill a tile goes through a lower one.
//
// The best instruction set of the processor is taken. The environment variable TAOLAB_ISA (avx512,
// avx2 or generic) names another; [Check] says whether it was understood.
//
// The assembly is written by the program in the folder gen: change that and run go generate. The
// shape of the tiles follows K. Goto and R. van de Geijn, "Anatomy of high-performance matrix
// multiplication" (2008), without packing: at the sizes of our models the operands stay in cache.
package kernel

//go:generate go run ./gen
