// Package base makes what is made once and shared: a corpus' tokenizer and tokens, and the base models
// that miners and gates start from. What is costly is kept in a cache on disk.
//
// It promises equal bits for a cold, a warm, a foreign and a poisoned cache: an entry is named by
// everything that it was made from, its checksum covers that name, and before its use a part of the
// work is done again. Of a model that is the beginning of its training, and its end from a state that
// the entry keeps: weights that were changed, with a checksum to fit, are not those that the last steps
// give. Of a text that is the first document of each subset. An entry that does not pass is made again.
// Who forges tokens in the middle of a text, or a whole training with our own arithmetic, is found out
// by the digests of the contents, which the run digest begins with.
//
// A change of the arithmetic raises arithmeticVersion; TestArithmeticVersionNamesTheGoldenBits says when.
// The package reads no clock and forbids itself to know scenarios and agents.
package base
