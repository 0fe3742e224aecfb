// Package base makes the material that a run's agents share: the tokenizer and tokens of a corpus, and
// the base models that miners and gates start from. It caches the expensive parts on disk.
//
// It promises equal bits whether the cache is cold, warm, foreign or poisoned. An entry's name is the
// hash of all its inputs, its checksum covers that name, and before an entry is used part of its work is
// repeated: for a model the first training steps, and the last ones from a state stored in the entry, so
// that altered weights with a matching checksum are still caught; for a text the first document of each
// subset. An entry that fails is rebuilt. Forged tokens in the middle of a text, or a whole training
// forged with our own arithmetic, change the digests of the contents, with which the run digest begins.
//
// A change of the arithmetic raises arithmeticVersion; TestArithmeticVersionNamesTheGoldenBits says when.
// The package reads no clock and knows neither scenarios nor agents.
package base
