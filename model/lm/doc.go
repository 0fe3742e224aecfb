// Package lm is the learner: a transformer in the shape of GPT-2 (pre-norm, learned positions, GELU in
// its tanh form, embedding tied to the head), forward and backward, with AdamW, and the router that a
// validator trains to rank its peers.
package lm
