// Package checkpoint keeps a model in a folder as Hugging Face's libraries keep a GPT-2: the weights in
// model.safetensors, or in several files and an index, the shape in config.json, the tokenizer in
// tokenizer.json. This package reads the files they write, and they read those it writes, each in one file.
//
// It promises that a model comes back with the same bits, that a file is in its place whole or not at
// all, that one model has one form, and that no file, however broken, makes it panic or take more
// memory than twice its size and thirty times that of its header, which has 100 MB at most. It refuses
// what the models of package lm would compute differently from what the files ask, says which field or
// tensor it was and what to do, and passes over what changes no id and no logit. It forbids itself to
// run a model.
//
// The formats are those of the libraries' public documentation: safetensors (an eight-byte length, a
// header in JSON, the numbers), transformers' GPT2Config and GPT2LMHeadModel, whose linear layers
// store [in, out].
package checkpoint
