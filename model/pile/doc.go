// Package pile provides text. It reads shards in the format of the Pile (Gao et al. 2020) or synthesises
// a corpus with the Pile's subsets, weights and document sizes; tokenises it once into a [Store] that
// all agents share; and draws windows from it by weight.
//
// Everything is deterministic: a source yields the same documents in the same order each time, a store
// is a function of source and tokenizer, and a [Mix] draws from nothing but the stream it is given.
// Memory is bounded: shards are read line by line, lines are bounded, and a source is capped in bytes.
//
// Text is divided three ways. Models learn from Train, validators ask about Score, and HeldOut measures;
// each document belongs to one of them.
//
// The synthetic corpus is drawn from probabilistic grammars, one per subset, whose entropy rate follows
// from their own distributions by the chain rule (Shannon 1948; for context-free grammars Grenander
// 1967). Word frequencies follow Zipf and Mandelbrot. Every rate lies above 0.4958 nats per byte, which
// is the irreducible loss of text, 1.69 nats per token (Hoffmann et al. 2022), over the 3.409 bytes that
// a GPT-2 token is long; so no model can reach the floor where the scaling law ends.
package pile
