// Package kernel holds the arithmetic of the transformer: matrix products, and the operations on rows
// and elements between them (softmax, layer norm, GELU, cross-entropy, sums, the optimisers' steps).
// Each exists as assembly for AVX-512, AVX2 and NEON, and as a plain Go twin that runs everywhere and
// serves as its definition.
//
// It promises equal bits. Every element of a product is a chain of single-rounded fused multiply-adds in
// ascending k from a stated start, whatever the instruction set, the tile that the element falls into
// and the strides; kernels are parallel over elements, never over k. It does not matter where a chain is
// interrupted and stored to memory, for a stored float32 has the bits that the register held. Everything
// else rounds products and sums apart, and adds up in 16 lanes and a tree ([Sum]), which are one
// register, two or four. Only the payload and sign of a NaN may differ; what a kernel makes of a NaN
// that it is given is not defined.
//
// It never touches memory outside its operands: a vector that reaches beyond the last column is masked,
// and rows that do not fill a tile go through a lower one.
//
// The best instruction set of the processor is taken. The environment variable TAOLAB_ISA (avx512, avx2,
// neon or generic) names another; [Check] returns an error if that cannot be used.
//
// The assembly is written by the program in the folder gen: change that and run go generate.
// Elementwise kernels have one source for all sets. The shape of the tiles follows K. Goto and R. van de
// Geijn, "Anatomy of high-performance matrix multiplication" (2008), without packing: at the sizes of
// our models the operands stay in cache.
package kernel

//go:generate go run ./gen
