package playground

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"taolab/agents/wire"
	"taolab/sim/host"
)

func TestACompletionIsTheTextAndHowTheMinersAnswered(t *testing.T) {
	f := newFake(t, 0)
	f.parts = said(wire.Length, " is", " \xc3", "\xa9t", "\xff")
	w := post(New(f, Limits{}, nil), `{"model":"mean","prompt":"The sea","max_tokens":4,"temperature":0.5,"seed":7,"peers":2,"echo":true}`)
	var c completion
	if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got := c.Choices[0].Text; got != "The sea is ét\uFFFD" || *c.Choices[0].FinishReason != "length" {
		t.Errorf("text %q, end %s", got, *c.Choices[0].FinishReason)
	}
	if *c.Usage != (usage{3, 4, 7}) {
		t.Errorf("usage %+v", *c.Usage)
	}
	if p := c.Taolab.Peers; len(p) != 2 || p[0].UID != 1 || p[0].LatencyMs != 11.5 || *p[0].Loss != 0.5 ||
		p[1].Loss != nil || p[1].Why != "refused this caller: too little stake" {
		t.Errorf("peers %+v", p)
	}
	if a := f.asked; a.MaxTokens != 4 || a.Peers != 2 || !a.Mean || a.Temperature != 0.5 || a.TopP != 1 || a.Seed != 7 || string(a.Text) != "The sea" {
		t.Errorf("the application was asked for %+v", a)
	}
}

func TestAStreamHasAPartForEachTokenAndEndsAsOpenAIsDoes(t *testing.T) {
	f := newFake(t, 0)
	f.parts = said(wire.EndOfText, "a", "\xe2\x82", "\xac", "")
	body := post(New(f, Limits{}, nil), `{"model":"best","prompt":["x"],"max_tokens":9,"stream":true,"stream_options":{"include_usage":true}}`).Body.String()
	if f.asked.Mean || !strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Errorf("asked %+v, answered %s", f.asked, body)
	}
	var texts []string
	for _, event := range strings.Split(strings.TrimSuffix(body, "\n\ndata: [DONE]\n\n"), "\n\n") {
		var c completion
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &c); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		for _, x := range c.Choices {
			texts = append(texts, x.Text)
		}
		if last := c.Usage != nil; last != (len(c.Choices) == 0) || last && c.Usage.Completion != 4 {
			t.Errorf("usage in %s", event)
		}
	}
	if fmt.Sprint(texts) != "[a  € ]" {
		t.Errorf("texts %q", texts)
	}
}

func TestTextEndsBeforeAStop(t *testing.T) {
	for _, c := range []struct{ stop, want, end string }{
		{`"END"`, "one t", "stop"}, {`["zzz"]`, "one tEN-two ENDS", "length"}, {`["-t", "two"]`, "one tEN", "stop"}, {`["S"]`, "one tEN-two END", "stop"},
		{`"tE"`, "one ", "stop"},
	} {
		f := newFake(t, 0)
		f.parts = said(wire.Length, "one t", "EN", "-two E", "ND", "S")
		if c.stop == `"END"` {
			f.parts = said(wire.Length, "one t", "E", "N", "D", "S")
		}
		for _, stream := range []bool{false, true} {
			body := post(New(f, Limits{}, nil), fmt.Sprintf(`{"model":"mean","prompt":"x","stop":%s,"stream":%t}`, c.stop, stream)).Body.String()
			text, end := "", ""
			for _, line := range strings.Split(body, "\n") {
				var part completion
				if json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &part) == nil {
					text += part.Choices[0].Text
					if part.Choices[0].FinishReason != nil {
						end = *part.Choices[0].FinishReason
					}
				}
			}
			if text != c.want || end != c.end {
				t.Errorf("stop %s, stream %t: %q ended by %s, want %q by %s", c.stop, stream, text, end, c.want, c.end)
			}
		}
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	poor := wire.PromptPeer{UID: 1, Code: uint8(host.Unauthenticated), Loss: wire.NoLoss}
	slow := wire.PromptPeer{UID: 2, Code: uint8(host.Timeout), Loss: wire.NoLoss}
	const fine = `{"model":"mean","prompt":"x"}`
	for _, c := range []struct {
		name    string
		parts   []wire.PromptPart
		refusal *host.Response
		body    string
		code    int
		want    string
	}{
		{"all refuse", silent(poor), nil, fine, 403, "uid 1 refused this caller: too little stake, no uid, or too soon after its last question. Your hotkey 5"},
		{"some are silent", silent(poor, slow), nil, fine, 503, "uid 2 no answer in time"},
		{"nobody is there", silent(), nil, fine, 503, "there is no miner to ask"},
		{"busy", nil, &host.Response{Code: host.Backoff, Body: []byte("4 texts are being continued")}, fine, 429, "4 texts are being continued"},
		{"no text", nil, &host.Response{Code: host.NotImplemented, Body: []byte("nobody has a model")}, fine, 501, "nobody has a model"},
		{"silent application", []wire.PromptPart{{}}, nil, fine, 500, "without saying why"},
		{"model", nil, nil, `{"model":"gpt-4","prompt":"x"}`, 404, `there is no model \"gpt-4\"; expected mean or best`},
		{"tokens", nil, nil, `{"model":"mean","prompt":"x","max_tokens":2000}`, 400, "max_tokens is 2000; expected 1 to 1024"},
		{"heat", nil, nil, `{"model":"mean","prompt":"x","temperature":3}`, 400, "temperature is 3; expected 0 to 2"},
		{"share", nil, nil, `{"model":"mean","prompt":"x","top_p":0}`, 400, "top_p is 0; expected above 0"},
		{"peers", nil, nil, `{"model":"mean","prompt":"x","peers":65}`, 400, "peers is 65; expected 1 to 64"},
		{"several", nil, nil, `{"model":"mean","prompt":"x","n":2}`, 400, "n is not supported; expected 1"},
		{"logprobs", nil, nil, `{"model":"mean","prompt":"x","logprobs":0}`, 400, "logprobs is not supported"},
		{"prompts", nil, nil, `{"model":"mean","prompt":["x","y"]}`, 400, "prompt is not one text"},
		{"numbers", nil, nil, `{"model":"mean","prompt":[1,2]}`, 400, "prompt is not one text"},
		{"no prompt", nil, nil, `{"model":"mean"}`, 400, "prompt is missing"},
		{"long prompt", nil, nil, `{"model":"mean","prompt":"` + strings.Repeat("x", wire.MaxPromptBytes+1) + `"}`, 400, "prompt has 32769 bytes"},
		{"too much", nil, nil, `{"model":"mean","prompt":"` + strings.Repeat("x", maxRequest) + `"}`, 413, "more than 266240 bytes"},
		{"stops", nil, nil, `{"model":"mean","prompt":"x","stop":["a","b","c","d","e"]}`, 400, "stop is not a text or up to 4"},
		{"empty stop", nil, nil, `{"model":"mean","prompt":"x","stop":""}`, 400, "expected each with 1 to 256 bytes"},
		{"unknown", nil, nil, `{"model":"mean","prompt":"x","speed":9}`, 400, `unknown field \"speed\"`},
		{"no JSON", nil, nil, `hello`, 400, "is not the JSON of a completion"},
		{"more JSON", nil, nil, fine + fine, 400, "something follows"},
	} {
		f := newFake(t, 0)
		f.parts, f.refusal = c.parts, c.refusal
		w := post(New(f, Limits{}, nil), c.body)
		if body := w.Body.String(); w.Code != c.code || !strings.Contains(body, c.want) || !strings.Contains(body, `{"error":{`) {
			t.Errorf("%s: %d %s\nwant %d with %q", c.name, w.Code, body, c.code, c.want)
		}
	}
}

func TestAnErrorInTheMidstOfAStreamIsAnEvent(t *testing.T) {
	f := newFake(t, 0)
	f.parts = said(wire.GoesOn, "a")
	body := post(New(f, Limits{}, nil), `{"model":"mean","prompt":"x","stream":true}`).Body.String()
	if !strings.Contains(body, `data: {"error":{`) || strings.Contains(body, "[DONE]") {
		t.Error(body)
	}
	f.parts = append(said(wire.GoesOn, "a"), silent()[1])
	body = post(New(f, Limits{}, nil), `{"model":"mean","prompt":"x"}`).Body.String()
	if !strings.Contains(body, `"finish_reason":"no_answer"`) || !strings.Contains(body, `"text":"a"`) {
		t.Error(body)
	}
}

func TestOnlyItsOwnMachineIsAnswered(t *testing.T) {
	s := New(newFake(t, 0), Limits{}, nil)
	for _, c := range []struct {
		method, url, origin, kind string
		code                      int
	}{
		{"GET", "http://127.0.0.1:8080/", "", "", 200},
		{"GET", "http://localhost/page.js", "", "", 200},
		{"GET", "http://[::1]:80/v1/models", "http://[::1]:80", "", 200},
		{"GET", "http://localhost/v1/models/best", "", "", 200},
		{"GET", "http://localhost/v1/models/other", "", "", 404},
		{"GET", "http://localhost/v1/chat", "", "", 404},
		{"GET", "http://localhost/nothing", "", "", 404},
		{"GET", "http://rebound.example/api/caller", "", "", 403},
		{"GET", "http://10.0.0.1/", "", "", 403},
		{"GET", "http://127.0.0.1:8080/api/caller", "http://evil.example", "", 403},
		{"POST", "http://127.0.0.1:8080/v1/completions", "null", "application/json", 403},
		{"POST", "http://127.0.0.1:8080/v1/completions", "", "text/plain", 415},
		{"GET", "http://localhost/api/metagraph?from=x", "", "", 400},
	} {
		r := httptest.NewRequest(c.method, c.url, strings.NewReader("{}"))
		r.Header.Set("Origin", c.origin)
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != c.code {
			t.Errorf("%s %s from %q: %d %s, want %d", c.method, c.url, c.origin, w.Code, w.Body, c.code)
		}
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "example.org:80", "127.0.0.1", "192.168.1.2:80"} {
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("it listens at %q", address)
		}
	}
}

func TestTheCallerSeesItsStakeAndWhatItBuys(t *testing.T) {
	f := newFake(t, 7)
	f.parts = said(wire.Length, "a", "b")
	s := New(f, Limits{}, nil)
	get := func(path string, into any) {
		t.Helper()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
	}
	var before, after standing
	get("/api/caller", &before)
	post(s, `{"model":"mean","prompt":"x"}`)
	get("/api/caller", &after)
	if before.StakeTAO != "7" || before.Ahead != 1 || *before.UID != 0 || len(before.Heard) != 0 ||
		!strings.Contains(before.Buys[0], "1 of 3 neurons have more stake") || !strings.Contains(before.Buys[0], "More than 20 TAO") {
		t.Errorf("before: %+v", before)
	}
	if h := after.Heard; len(h) != 2 || h[0] != (hearing{UID: 1, Answers: 2, LatencyMs: 10.5, Last: "Success"}) ||
		h[1].Refusals != 2 || !strings.Contains(after.Buys[1], "of 2 miners that you asked, 1 have never answered") {
		t.Errorf("after: %+v", after)
	}
	var graph struct {
		Neurons int
		Rows    []neuron
	}
	get("/api/metagraph?from=1", &graph)
	if graph.Neurons != 3 || len(graph.Rows) != 2 || graph.Rows[0].UID != 1 || graph.Rows[0].StakeTAO != "20" {
		t.Errorf("metagraph %+v", graph)
	}
}

func TestMoreThanItWorksOnAtOnceIsRefused(t *testing.T) {
	f := newFake(t, 0)
	f.parts, f.pause = said(wire.Length, "a", "b"), time.Hour
	s := New(f, Limits{Open: 1}, nil)
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ask := func(ctx context.Context) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, "POST", server.URL+"/v1/completions", strings.NewReader(`{"model":"mean","prompt":"x","stream":true}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		return http.DefaultClient.Do(r)
	}
	first := make(chan error, 1)
	go func() {
		_, err := ask(ctx)
		first <- err
	}()
	wait(t, "the first completion is open", func() bool { return len(s.open) == 1 })
	second, err := ask(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(second.Body); second.StatusCode != 429 || !strings.Contains(string(body), "1 completions are open") {
		t.Errorf("the second: %d %s", second.StatusCode, body)
	}
	second.Body.Close()
	stop() // the first reader leaves, and the application is told
	<-first
	wait(t, "the application was stopped", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.stopped && len(s.open) == 0
	})
}

func wait(t *testing.T, what string, until func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !until(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestAServerEndsWithItsContext(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- New(newFake(t, 0), Limits{}, nil).Serve(ctx, l) }()
	if r, err := http.Get("http://" + l.Addr().String() + "/v1/models"); err != nil || r.StatusCode != 200 {
		t.Fatalf("%+v %v", r, err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("somebody still listens")
	}
}

// A stranger that opens connections and sends nothing holds no more than there may be; the next caller waits for one of them to end.
func TestConnectionsBeyondTheMostWait(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = New(newFake(t, 0), Limits{Callers: 1}, nil).Serve(t.Context(), l) }()
	idle, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(patience time.Duration) error {
		r, err := (&http.Client{Timeout: patience}).Get("http://" + l.Addr().String())
		if err == nil {
			r.Body.Close()
		}
		return err
	}
	if ask(300*time.Millisecond) == nil {
		t.Error("one more connection is accepted")
	}
	idle.Close()
	if err := ask(10 * time.Second); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}
