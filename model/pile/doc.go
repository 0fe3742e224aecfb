// Package pile provides text. It reads shards in the format of the Pile (Gao et al. 2020) or makes up a
// corpus that has the Pile's subsets, weights and document sizes; tokenises it once into a [Store] that
// everybody shares; and draws windows from it by weight.
//
// Everything is deterministic: a source yields the same documents in the same order each time, a store
// is a function of source and tokenizer, and what a [Mix] draws depends on the stream it is handed and
// on nothing else. Memory is bounded: shards are read line by line, lines are bounded, and a source is
// capped in bytes.
//
// Text is divided three ways. Models learn from Train, validators ask about Score, and HeldOut measures;
// a document lies in one of them.
//
// The synthetic corpus is drawn from probabilistic grammars, one per subset, whose entropy rate follows
// from their own distributions by the chain rule (Shannon 1948; for context-free grammars Grenander
// 1967). Word frequencies follow Zipf and Mandelbrot. Every rate lies above 0.4958 nats per byte, which
// is the irreducible loss of text, 1.69 nats per token (Hoffmann et al. 2022), over the 3.409 bytes that
// a GPT-2 token is long; so no model can reach the floor at which the scaling law is cut off.
package pile
