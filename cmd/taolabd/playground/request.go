package playground

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"taolab/agents/wire"
)

// ensembles are the models that the interface names: ways to make one answer of several miners'.
var ensembles = []struct {
	name, doc string
	mean      bool
}{
	{"mean", "each token from the mean of the best miners' predictions", true},
	{"best", "each token from the best miner that answered", false},
}

// request is the body of POST /v1/completions.
type request struct {
	Model         string          `json:"model"`
	Prompt        json.RawMessage `json:"prompt"`
	MaxTokens     *int            `json:"max_tokens"`
	Temperature   *float64        `json:"temperature"`
	TopP          *float64        `json:"top_p"`
	Seed          *int64          `json:"seed"`
	Stop          json.RawMessage `json:"stop"`
	Stream        bool            `json:"stream"`
	StreamOptions *streamOptions  `json:"stream_options"`
	Echo          bool            `json:"echo"`
	User          string          `json:"user"` // nobody looks at it
	Peers         int             `json:"peers"`

	// What this network does not have, and takes only at its neutral value.
	N                *int             `json:"n"`
	BestOf           *int             `json:"best_of"`
	Logprobs         *int             `json:"logprobs"`
	Suffix           *string          `json:"suffix"`
	PresencePenalty  *float64         `json:"presence_penalty"`
	FrequencyPenalty *float64         `json:"frequency_penalty"`
	LogitBias        map[string]int64 `json:"logit_bias"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// wish is a request that was found good.
type wish struct {
	wire.Prompt
	model string
	stop  []string
	stream, usage,
	echo bool
}

// read decodes and checks a request.
func (s *Server) read(body io.Reader) (*wish, *problem) {
	bad := func(param, format string, args ...any) (*wish, *problem) {
		return nil, &problem{http.StatusBadRequest, invalidRequest, param, fmt.Sprintf(format, args...)}
	}
	data, err := io.ReadAll(body)
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, &problem{http.StatusRequestEntityTooLarge, invalidRequest, "", fmt.Sprintf("the request has more than %d bytes; "+
			"expected a prompt of at most %d", tooLarge.Limit, wire.MaxPromptBytes)}
	} else if err != nil {
		return bad("", "the request could not be read to its end: %v", err)
	}
	var r request
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return bad("", "the body is not the JSON of a completion: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if decoder.More() {
		return bad("", "something follows the JSON of the completion; expected one object")
	}
	w := &wish{model: r.Model, stream: r.Stream, echo: r.Echo, usage: r.StreamOptions != nil && r.StreamOptions.IncludeUsage}
	i := slices.IndexFunc(ensembles, func(e struct {
		name, doc string
		mean      bool
	}) bool {
		return e.name == r.Model
	})
	if i < 0 {
		return nil, &problem{http.StatusNotFound, invalidRequest, "model", fmt.Sprintf("there is no model %q; expected %s", r.Model, modelNames())}
	}
	w.Mean = ensembles[i].mean
	if p := r.neutral(); p != nil {
		return nil, p
	}
	var p *problem
	if w.Text, p = promptOf(r.Prompt); p != nil {
		return nil, p
	}
	if w.stop, p = stopsOf(r.Stop); p != nil {
		return nil, p
	}
	return w, s.numbers(&r, &w.Prompt)
}

// numbers takes the numbers of a request, or their defaults.
func (s *Server) numbers(r *request, p *wire.Prompt) *problem {
	p.MaxTokens, p.Temperature, p.TopP, p.Peers = 16, 1, 1, r.Peers
	if r.MaxTokens != nil {
		p.MaxTokens = *r.MaxTokens
	}
	temperature, topP := 1.0, 1.0
	if r.Temperature != nil {
		temperature = *r.Temperature
	}
	if r.TopP != nil {
		topP = *r.TopP
	}
	bad := func(param string, have any, want string) *problem {
		return &problem{http.StatusBadRequest, invalidRequest, param, fmt.Sprintf("%s is %v; expected %s", param, have, want)}
	}
	switch {
	case p.MaxTokens < 1 || p.MaxTokens > s.limits.MaxTokens:
		return bad("max_tokens", p.MaxTokens, fmt.Sprintf("1 to %d", s.limits.MaxTokens))
	case !(temperature >= 0 && temperature <= 2):
		return bad("temperature", temperature, "0 to 2")
	case !(topP > 0 && topP <= 1):
		return bad("top_p", topP, "above 0, to 1")
	case p.Peers < 0 || p.Peers > wire.MaxPromptPeers:
		return bad("peers", p.Peers, fmt.Sprintf("1 to %d miners, or 0 for the application's own number", wire.MaxPromptPeers))
	}
	p.Temperature, p.TopP = float32(temperature), max(float32(topP), 1e-30)
	if r.Seed != nil {
		p.Seed = uint64(*r.Seed)
		return nil
	}
	var b [8]byte
	rand.Read(b[:]) // it never fails
	p.Seed = binary.LittleEndian.Uint64(b[:])
	return nil
}

// neutral refuses what this network does not have.
func (r *request) neutral() *problem {
	for _, c := range []struct {
		param string
		fine  bool
		want  string
	}{
		{"n", r.N == nil || *r.N == 1, "1: each answer costs the miners' time; ask again for another"},
		{"best_of", r.BestOf == nil || *r.BestOf == 1, "1"},
		{"logprobs", r.Logprobs == nil, "none; the field taolab of the answer tells each miner's loss"},
		{"suffix", r.Suffix == nil || *r.Suffix == "", "none: texts are continued at their end"},
		{"presence_penalty", r.PresencePenalty == nil || *r.PresencePenalty == 0, "0"},
		{"frequency_penalty", r.FrequencyPenalty == nil || *r.FrequencyPenalty == 0, "0"},
		{"logit_bias", len(r.LogitBias) == 0, "none"},
	} {
		if !c.fine {
			return &problem{http.StatusBadRequest, invalidRequest, c.param, c.param + " is not supported; expected " + c.want}
		}
	}
	return nil
}

// promptOf is a text, or a list of one.
func promptOf(raw json.RawMessage) ([]byte, *problem) {
	bad := func(format string, args ...any) ([]byte, *problem) {
		return nil, &problem{http.StatusBadRequest, invalidRequest, "prompt", fmt.Sprintf(format, args...)}
	}
	var one string
	var list []string
	switch {
	case len(raw) == 0:
		return bad("prompt is missing; expected a text")
	case json.Unmarshal(raw, &one) == nil:
	case json.Unmarshal(raw, &list) == nil && len(list) == 1:
		one = list[0]
	default:
		return bad("prompt is not one text; expected a string, or a list of one: tokens depend on the network's tokenizer")
	}
	if len(one) > wire.MaxPromptBytes {
		return bad("prompt has %d bytes; expected at most %d", len(one), wire.MaxPromptBytes)
	}
	return []byte(one), nil
}

// Limits of texts that end a completion.
const (
	maxStops     = 4
	maxStopBytes = 256
)

// stopsOf are the texts before which a completion ends.
func stopsOf(raw json.RawMessage) ([]string, *problem) {
	var one string
	var list []string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case json.Unmarshal(raw, &one) == nil:
		list = []string{one}
	case json.Unmarshal(raw, &list) == nil:
	default:
		list = []string{""}
	}
	if len(list) > maxStops || slices.ContainsFunc(list, func(s string) bool { return s == "" || len(s) > maxStopBytes }) {
		return nil, &problem{http.StatusBadRequest, invalidRequest, "stop", fmt.Sprintf("stop is not a text or up to %d of them; "+
			"expected each with 1 to %d bytes", maxStops, maxStopBytes)}
	}
	return list, nil
}

func modelNames() string {
	var names []string
	for _, e := range ensembles {
		names = append(names, e.name)
	}
	return strings.Join(names, " or ")
}

// listed is a model as lists of models show it.
func listed(name, doc string) map[string]any {
	return map[string]any{"id": name, "object": "model", "created": 0, "owned_by": "the network", "description": doc}
}

func (s *Server) models(w http.ResponseWriter, _ *http.Request) {
	var list []any
	for _, e := range ensembles {
		list = append(list, listed(e.name, e.doc))
	}
	s.write(w, http.StatusOK, map[string]any{"object": "list", "data": list})
}

func (s *Server) model(w http.ResponseWriter, r *http.Request) {
	for _, e := range ensembles {
		if e.name == r.PathValue("name") {
			s.write(w, http.StatusOK, listed(e.name, e.doc))
			return
		}
	}
	s.refuse(w, &problem{http.StatusNotFound, invalidRequest, "model",
		fmt.Sprintf("there is no model %q; expected %s", r.PathValue("name"), modelNames())})
}
