// Package checkpoint keeps a model in a folder as Hugging Face's libraries keep a GPT-2: the weights in
// model.safetensors, or in several files and an index, the shape in config.json, the tokenizer in
// tokenizer.json. This package reads the files they write, and they read the files it writes; it writes
// each part to one file.
//
// It promises that a model comes back with the same bits, that a file is replaced whole or not at all, that
// one model has one form, and that no file, however broken, makes it panic or use more memory than twice
// the file's size plus thirty times that of its header, which has at most 100 MB. It refuses files that
// package lm would compute differently, names the field or tensor and the remedy, and ignores settings that
// change neither a token id nor a logit. It never runs a model.
//
// The formats are those of the libraries' public documentation: safetensors (an eight-byte length, a
// header in JSON, the numbers), transformers' GPT2Config and GPT2LMHeadModel, whose linear layers
// store [in, out].
package checkpoint
