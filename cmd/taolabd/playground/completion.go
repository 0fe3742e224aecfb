package playground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"taolab/agents/wire"
	"taolab/sim/host"
)

// completion is an answer, or a part of one, as OpenAI's clients read it, and besides it how the miners
// answered.
type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   *usage   `json:"usage,omitempty"`
	Taolab  *round   `json:"taolab,omitempty"`
}

type choice struct {
	Text         string  `json:"text"`
	Index        int     `json:"index"`
	Logprobs     any     `json:"logprobs"` // always null
	FinishReason *string `json:"finish_reason"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// round is what one round of questions to the miners gave.
type round struct {
	Token       bool    `json:"token"`                 // whether the text got a token
	Probability float32 `json:"probability,omitempty"` // of the token, as the miners together have it
	Peers       []peer  `json:"peers"`
}

// peer is one miner's answer.
type peer struct {
	UID       uint16   `json:"uid"`
	Code      string   `json:"code"`
	LatencyMs float64  `json:"latency_ms"`
	Loss      *float32 `json:"loss"` // nats, of the token that the text got; null without one
	Why       string   `json:"why,omitempty"`
}

// finishes are the ends of a completion. The last one OpenAI does not have: the miners fell silent.
var finishes = map[wire.Finish]string{wire.EndOfText: "stop", wire.Length: "length", wire.NoAnswer: "no_answer"}

var serial atomic.Uint64 // of completions

// completions answers POST /v1/completions.
func (s *Server) completions(w http.ResponseWriter, r *http.Request) {
	to := http.NewResponseController(w)
	to.SetReadDeadline(time.Now().Add(s.limits.Slowest)) // of the body only: then the answer takes its time
	wish, p := s.read(r.Body)
	to.SetReadDeadline(time.Time{})
	if p != nil {
		s.refuse(w, p)
		return
	}
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	default:
		s.refuse(w, &problem{http.StatusTooManyRequests, overloaded, "", fmt.Sprintf("%d completions are open, which is all that "+
			"this page works on at once; come back when one has ended", cap(s.open))})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.Longest)
	defer cancel()
	a := &answer{
		server: s, wish: wish, cancel: cancel, words: words{stops: wish.stop},
		head: completion{ID: fmt.Sprintf("cmpl-%x-%d", time.Now().UnixNano(), serial.Add(1)), Object: "text_completion",
			Created: time.Now().Unix(), Model: wish.model},
	}
	if wish.stream {
		a.stream = &stream{w: w, to: to, slowest: s.limits.Slowest}
	}
	ask := host.Request{
		Synapse: host.Continuation, Dir: host.Forward, Body: wire.EncodePrompt(wish.Prompt),
		MaxReplies: uint32(4 * wish.MaxTokens),
	}
	err := s.app.Ask(ctx, ask, a.part)
	a.finish(w, ctx, err)
}

// answer is a completion that goes on.
type answer struct {
	server *Server
	wish   *wish
	cancel context.CancelFunc
	head   completion
	words  words
	stream *stream // nil: the answer goes out as a whole

	text   strings.Builder
	usage  usage
	rounds []round // of the newest maxRounds, for an answer as a whole
	ended  string
	failed *problem
}

// maxRounds bounds the rounds that an answer as a whole tells about.
const maxRounds = 256

// part takes one reply of the application.
func (a *answer) part(r host.Response) {
	if a.ended != "" || a.failed != nil {
		return
	}
	if r.Code != host.Success {
		a.failed = refused(r)
		return
	}
	p, err := wire.DecodePromptPart(r.Body)
	if err != nil {
		a.failed = &problem{http.StatusInternalServerError, unavailable, "", "the application's answer cannot be read: " + err.Error()}
		return
	}
	a.server.heard.hear(p.Peers)
	told := roundOf(p)
	if a.rounds = append(a.rounds, told); len(a.rounds) > maxRounds {
		a.rounds = slices.Delete(a.rounds, 0, 1)
	}
	a.usage.Prompt = max(a.usage.Prompt, p.PromptTokens)
	if p.HasToken {
		a.usage.Completion++
	}
	text := a.words.add(p.Token)
	switch {
	case a.words.ended:
		a.ended = "stop"
		a.cancel() // nobody needs what would follow
	case p.Finish == wire.NoAnswer && a.usage.Completion == 0:
		a.failed = a.server.silence(p.Peers)
		return
	case p.Finish != wire.GoesOn:
		text += a.words.rest()
		a.ended = finishes[p.Finish]
	}
	a.text.WriteString(text)
	a.send(text, &told)
}

// send streams one part.
func (a *answer) send(text string, told *round) {
	if a.stream == nil {
		return
	}
	if !a.stream.begun && a.wish.echo {
		text = string(a.wish.Text) + text
	}
	c := a.head
	c.Taolab, c.Choices = told, []choice{a.choice(text)}
	if !a.stream.send(c) {
		a.cancel() // the reader left
	}
}

func (a *answer) choice(text string) choice {
	c := choice{Text: text}
	if a.ended != "" {
		c.FinishReason = &a.ended
	}
	return c
}

// finish ends the answer after the last part.
func (a *answer) finish(w http.ResponseWriter, ctx context.Context, err error) {
	if a.failed == nil && a.ended == "" {
		a.failed = unfinishedBy(ctx, err)
	}
	a.usage.Total = a.usage.Prompt + a.usage.Completion
	switch {
	case a.failed != nil && (a.stream == nil || !a.stream.begun):
		a.server.refuse(w, a.failed)
	case a.failed != nil:
		a.stream.send(a.failed.body())
	case a.stream == nil:
		text := a.text.String()
		if a.wish.echo {
			text = string(a.wish.Text) + text
		}
		c := a.head
		c.Choices, c.Usage, c.Taolab = []choice{a.choice(text)}, &a.usage, merged(a.rounds)
		a.server.write(w, http.StatusOK, c)
	default:
		if a.wish.usage {
			c := a.head
			c.Choices, c.Usage = []choice{}, &a.usage
			a.stream.send(c)
		}
		a.stream.done()
	}
}

// unfinishedBy says why no last part came.
func unfinishedBy(ctx context.Context, err error) *problem {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &problem{http.StatusGatewayTimeout, unavailable, "", "the completion took longer than this page allows; ask for fewer tokens"}
	case err != nil:
		return &problem{http.StatusServiceUnavailable, unavailable, "", "the application did not answer to the end: " + err.Error()}
	}
	return &problem{http.StatusInternalServerError, unavailable, "", "the application ended its answer without saying why"}
}

// refused is the application's own refusal.
func refused(r host.Response) *problem {
	p := &problem{http.StatusServiceUnavailable, unavailable, "", string(r.Body)}
	switch r.Code {
	case host.InvalidRequest:
		p.status, p.kind = http.StatusBadRequest, invalidRequest
	case host.Backoff:
		p.status, p.kind = http.StatusTooManyRequests, overloaded
	case host.NotImplemented:
		p.status, p.kind = http.StatusNotImplemented, invalidRequest
	}
	if p.message == "" {
		p.message = "the application refused the prompt: " + explain(r.Code, "")
	}
	return p
}

// roundOf tells of a part.
func roundOf(p wire.PromptPart) round {
	told := round{Token: p.HasToken, Probability: p.Prob, Peers: []peer{}}
	for _, x := range p.Peers {
		one := peer{UID: x.UID, Code: host.Code(x.Code).String(), LatencyMs: float64(x.LatencyNs) / 1e6}
		if x.Loss != wire.NoLoss {
			one.Loss = &x.Loss
		}
		if host.Code(x.Code) != host.Success {
			one.Why = explain(host.Code(x.Code), x.Reason)
		}
		told.Peers = append(told.Peers, one)
	}
	return told
}

// merged is each miner's newest answer of several rounds, with its mean loss and latency, in uid order.
func merged(rounds []round) *round {
	var all round
	type sum struct {
		peer
		latency, loss   float64
		answers, losses int
	}
	var sums []sum
	for _, r := range rounds {
		all.Token = all.Token || r.Token
		for _, p := range r.Peers {
			at, found := slices.BinarySearchFunc(sums, p.UID, func(s sum, uid uint16) int { return int(s.UID) - int(uid) })
			if !found {
				sums = slices.Insert(sums, at, sum{})
			}
			s := &sums[at]
			s.peer = p
			s.latency, s.answers = s.latency+p.LatencyMs, s.answers+1
			if p.Loss != nil {
				s.loss, s.losses = s.loss+float64(*p.Loss), s.losses+1
			}
		}
	}
	for _, s := range sums {
		s.LatencyMs = s.latency / float64(s.answers)
		if s.losses > 0 {
			mean := float32(s.loss / float64(s.losses))
			s.Loss = &mean
		}
		all.Peers = append(all.Peers, s.peer)
	}
	return &all
}

// stream sends parts as server-sent events.
type stream struct {
	w       http.ResponseWriter
	to      *http.ResponseController
	slowest time.Duration
	begun   bool
	gone    bool // the reader
}

// send sends one event and reports whether the reader is still there.
func (s *stream) send(value any) bool {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // all values are plain
	}
	return s.event(data)
}

func (s *stream) done() { s.event([]byte("[DONE]")) }

func (s *stream) event(data []byte) bool {
	if s.gone {
		return false
	}
	if !s.begun {
		s.begun = true
		s.w.Header().Set("Content-Type", "text/event-stream")
		s.w.WriteHeader(http.StatusOK)
	}
	deadline := s.to.SetWriteDeadline(time.Now().Add(s.slowest))
	_, err := fmt.Fprintf(s.w, "data: %s\n\n", data)
	s.gone = errors.Join(err, s.to.Flush()) != nil || deadline != nil && !errors.Is(deadline, http.ErrNotSupported)
	return !s.gone
}
