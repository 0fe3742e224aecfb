package playground

import (
	"encoding/json"
	"strings"
	"testing"

	"taolab/sim/host"
)

func TestMinersOnRealModelsContinueAText(t *testing.T) {
	n := start(t, 1, 0, nil)
	s := New(n.app, Limits{}, nil)
	ask := func(body string) completion {
		t.Helper()
		w := post(s, body)
		var c completion
		if err := json.Unmarshal(w.Body.Bytes(), &c); err != nil || w.Code != 200 {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		return c
	}
	first := ask(`{"model":"mean","prompt":"the value of the ","max_tokens":12,"temperature":0}`)
	if text := first.Choices[0].Text; len(text) < 6 || *first.Choices[0].FinishReason != "length" || first.Usage.Completion != 12 {
		t.Errorf("%q, %+v", text, first.Usage)
	}
	for i, p := range first.Taolab.Peers {
		if int(p.UID) != i || p.Code != "Success" || !(p.LatencyMs > 0) || p.Loss == nil || !(*p.Loss < 5) {
			t.Errorf("miner %+v", p)
		}
	}
	if again := ask(`{"model":"mean","prompt":"the value of the ","max_tokens":12,"temperature":0}`); again.Choices[0].Text != first.Choices[0].Text {
		t.Errorf("%q, then %q", first.Choices[0].Text, again.Choices[0].Text)
	}
	seeded := func(seed string) string {
		return ask(`{"model":"best","prompt":"the value","max_tokens":12,"temperature":1.5,"seed":` + seed + `}`).Choices[0].Text
	}
	if a, b, c := seeded("1"), seeded("1"), seeded("2"); a != b || a == c {
		t.Errorf("seed 1 gave %q and %q, seed 2 %q", a, b, c)
	}
}

func TestWithoutStakeTheReasonIsToldAndAboveTheThresholdOneIsServed(t *testing.T) {
	const ask = `{"model":"mean","prompt":"the value","max_tokens":3}`
	w := post(New(start(t, 0, 5, nil).app, Limits{}, nil), ask)
	if body := w.Body.String(); w.Code != 403 || !strings.Contains(body, "this node serves from 5 TAO on") || !strings.Contains(body, "has 0 TAO of stake") {
		t.Errorf("without stake: %d %s", w.Code, body)
	}
	if w := post(New(start(t, 5, 5, nil).app, Limits{}, nil), ask); w.Code != 200 {
		t.Errorf("at the threshold: %d %s", w.Code, w.Body)
	}
}

func TestAnApplicationServesNobodyElse(t *testing.T) {
	n := start(t, 1, 0, nil)
	for r := range n.app.World.Ask(t.Context(), "app", host.PeerID{1}, host.Request{Synapse: host.Continuation, Dir: host.Forward}) {
		if r.Code != host.NotImplemented {
			t.Errorf("a stranger gets %v %s", r.Code, r.Reason)
		}
	}
}
