// Package token is the standard tokenizer of a run: byte-level byte-pair encoding as GPT-2 has it
// (Radford et al. 2019; Sennrich, Haddow and Birch 2016), trained on the run's own text.
//
// Text is cut into pretokens by GPT-2's rule, and merges are applied inside each pretoken, the one
// learned first before the others. Every byte string can be encoded, valid UTF-8 or not, and decoding
// gives back the same bytes. Training breaks ties by (count, smallest pair), so a tokenizer depends
// only on its text and its size. Files are Hugging Face's tokenizer.json.
//
// A Tokenizer is immutable and may be shared; an Encoder holds a cache and belongs to one goroutine.
package token
