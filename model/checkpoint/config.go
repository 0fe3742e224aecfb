package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"taolab/model/jsontext"
	"taolab/model/lm"
)

// maxConfigDepth bounds the nesting of a config.json.
const maxConfigDepth = 64

// config holds the fields of GPT2Config that affect what a model computes, in the order in which they
// are written.
type config struct {
	Architectures     []string `json:"architectures"`
	ModelType         string   `json:"model_type"`
	Vocab             int      `json:"vocab_size"`
	Positions         int      `json:"n_positions"`
	Context           int      `json:"n_ctx"`
	Width             int      `json:"n_embd"`
	Layers            int      `json:"n_layer"`
	Heads             int      `json:"n_head"`
	Inner             *int     `json:"n_inner"`
	Activation        string   `json:"activation_function"`
	Epsilon           float64  `json:"layer_norm_epsilon"`
	InitializerRange  float64  `json:"initializer_range"`
	AttentionDropout  float64  `json:"attn_pdrop"`
	EmbeddingDropout  float64  `json:"embd_pdrop"`
	ResidualDropout   float64  `json:"resid_pdrop"`
	ScaleWeights      bool     `json:"scale_attn_weights"`
	ScaleByLayer      bool     `json:"scale_attn_by_inverse_layer_idx"`
	TieWordEmbeddings bool     `json:"tie_word_embeddings"`
	UseCache          bool     `json:"use_cache"`
	BeginOfText       *int     `json:"bos_token_id"`
	EndOfText         *int     `json:"eos_token_id"`
	Numbers           string   `json:"torch_dtype"`
}

// AppendConfig appends the config.json of a model, as transformers' GPT2Config reads it. endOfText is
// the token that ends a text, -1 for none.
func AppendConfig(b []byte, c lm.Config, endOfText int) ([]byte, error) {
	f := config{
		Architectures: []string{"GPT2LMHeadModel"}, ModelType: "gpt2",
		Vocab: c.Vocab, Positions: c.Context, Context: c.Context,
		Width: c.Width, Layers: c.Layers, Heads: c.Heads,
		Activation: "gelu_new", Epsilon: 1e-5, InitializerRange: 0.02,
		ScaleWeights: true, TieWordEmbeddings: true, UseCache: true, Numbers: "float32",
	}
	if endOfText >= 0 {
		f.BeginOfText, f.EndOfText = &endOfText, &endOfText
	}
	text, err := json.MarshalIndent(f, "", "  ")
	return append(append(b, text...), '\n'), err
}

// ReadConfig reads the config.json of a GPT-2. It refuses every setting under which transformers
// would compute something else than package lm. A missing field has transformers' default; fields
// that do not affect what a model computes are ignored.
func ReadConfig(data []byte) (c lm.Config, err error) {
	if c, err = readConfig(data); err == nil {
		err = c.Validate()
	}
	if err != nil {
		return lm.Config{}, fmt.Errorf("config.json: %w", err)
	}
	return c, nil
}

func readConfig(data []byte) (c lm.Config, err error) {
	root, err := jsontext.Read(data, maxConfigDepth)
	switch {
	case err != nil:
		return c, err
	case root.Kind() != '{':
		return c, root.Expected("an object")
	}
	if kind := root.Member("model_type"); kind.Kind() != 0 && string(kind.Raw()) != `"gpt2"` {
		return c, fmt.Errorf("model_type is %.40s; this program has only models with \"gpt2\", as gpt2 and distilgpt2 are: "+
			"take a model of that kind", kind.Raw())
	}
	for _, f := range [...]struct {
		name string
		to   *int
	}{
		{"vocab_size", &c.Vocab}, {"n_positions", &c.Context}, {"n_embd", &c.Width},
		{"n_layer", &c.Layers}, {"n_head", &c.Heads},
	} {
		value := root.Member(f.name)
		if value.Kind() == 0 {
			return c, fmt.Errorf("no %s; expected the members of a GPT2Config", f.name)
		}
		n, err := value.Whole(1, math.MaxInt32)
		if err != nil {
			return c, err
		}
		*f.to = int(n)
	}
	for _, rule := range rules(c) {
		if value := root.Member(rule.name); value.Kind() != 0 && !rule.allows(value.Raw()) {
			return c, fmt.Errorf("%s is %.40s; this program has only models with %s", rule.name, value.Raw(),
				strings.Join(rule.allowed, " or "))
		}
	}
	return c, nil
}

// rule lists a field's allowed values, as JSON.
type rule struct {
	name    string
	allowed []string
}

func rules(c lm.Config) []rule {
	return []rule{
		{"n_ctx", []string{fmt.Sprint(c.Context)}},
		{"n_inner", []string{"null", fmt.Sprint(4 * c.Width)}},
		{"activation_function", []string{`"gelu_new"`, `"gelu_pytorch_tanh"`}},
		{"layer_norm_epsilon", []string{"1e-05"}},
		{"scale_attn_weights", []string{"true"}},
		{"scale_attn_by_inverse_layer_idx", []string{"false"}},
		{"tie_word_embeddings", []string{"true"}},
		{"add_cross_attention", []string{"false"}},
		{"is_encoder_decoder", []string{"false"}},
		{"pruned_heads", []string{"{}", "null"}},
		{"quantization_config", []string{"null"}},
	}
}

// allows compares values, not spellings: 1e-5 is 0.00001.
func (r rule) allows(value json.RawMessage) bool {
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return false
	}
	for _, allowed := range r.allowed {
		if compact.String() == allowed || sameNumber(value, allowed) {
			return true
		}
	}
	return false
}

func sameNumber(a json.RawMessage, b string) bool {
	x, y := math.NaN(), math.NaN()
	return json.Unmarshal(a, &x) == nil && json.Unmarshal([]byte(b), &y) == nil && x == y
}
