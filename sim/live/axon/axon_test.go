package axon

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"taolab/sim/host"
)

// named is the key of a name.
func named(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// echo answers with the question's bytes, as often as it allows.
func echo(_ context.Context, _ host.PeerID, q host.Request) iter.Seq[Reply] {
	return func(yield func(Reply) bool) {
		for part := range max(q.MaxReplies, 1) {
			r := Reply{Response: host.Response{Code: host.Success, Body: q.Body, More: part+1 < q.MaxReplies}}
			if !yield(r) {
				return
			}
		}
	}
}

// served starts a server and returns where it is.
func served(t testing.TB, s Service) (*Server, netip.AddrPort) {
	t.Helper()
	if s.Key == nil {
		s.Key = named("server")
	}
	socket, err := TCP.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := Serve(socket, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	return server, netip.MustParseAddrPort(server.Addr().String())
}

func dialled(t testing.TB, name string, l Limits) *Client {
	t.Helper()
	c, err := Dial(named(name), TCP, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func question(body string, replies uint32) host.Request {
	return host.Request{Synapse: host.TextCausalLM, Dir: host.Forward, Body: []byte(body), MaxReplies: replies}
}

// only is the single reply to a question.
func only(t testing.TB, replies iter.Seq[Reply]) Reply {
	t.Helper()
	all := slices.Collect(replies)
	if len(all) != 1 || all[0].More {
		t.Fatalf("%d replies, expected one: %v", len(all), all)
	}
	return all[0]
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAnAnswerComesBackInParts(t *testing.T) {
	_, at := served(t, Service{Handle: echo})
	c := dialled(t, "caller", Limits{})
	for _, n := range []uint32{0, 1, 3} {
		got := slices.Collect(c.Call(within(t, 5*time.Second), KeyOf(named("server")), at, question("hello", n)))
		if len(got) != int(max(n, 1)) {
			t.Fatalf("%d replies allowed, %d came", n, len(got))
		}
		for i, r := range got {
			if r.Code != host.Success || string(r.Body) != "hello" || r.More != (i+1 < len(got)) {
				t.Errorf("part %d of %d: %v %q %q", i, n, r.Code, r.Body, r.Reason)
			}
		}
	}
}

// A caller learns why it was turned away, whatever stood in the way.
func TestEveryRefusalCarriesItsReason(t *testing.T) {
	slow := func(ctx context.Context, _ host.PeerID, _ host.Request) iter.Seq[Reply] {
		return func(func(Reply) bool) { <-ctx.Done() }
	}
	stranger := func(host.PeerID) error { return errors.New("your key is not registered on this network") }
	long := func(context.Context, host.PeerID, host.Request) iter.Seq[Reply] {
		return func(yield func(Reply) bool) {
			yield(Reply{Response: host.Response{Code: host.Success, Body: make([]byte, 2000)}})
		}
	}
	mute := func(context.Context, host.PeerID, host.Request) iter.Seq[Reply] { return func(func(Reply) bool) {} }
	for _, c := range []struct {
		name   string
		serve  Service
		to     string
		client Limits
		body   int
		code   host.Code
		reason string
	}{
		{name: "no key of the ledger", serve: Service{Handle: echo, Admit: stranger}, code: host.Unauthenticated, reason: "not registered"},
		{name: "another server", serve: Service{Handle: echo}, to: "elsewhere", code: host.Unavailable, reason: "wrong key"},
		{name: "a question too long to send", serve: Service{Handle: echo}, client: Limits{BodyBytes: 9}, body: 10, code: host.InvalidRequest, reason: "has 10 bytes; a message has at most 9"},
		{name: "a question too long to take", serve: Service{Handle: echo, Limits: Limits{BodyBytes: 9}}, body: 10_000, code: host.InvalidRequest, reason: "has 10000 bytes; this node takes at most 9"},
		{name: "an answer too long to send", serve: Service{Handle: long, Limits: Limits{BodyBytes: 1999}}, code: host.InvalidResponse, reason: "2000 bytes"},
		{name: "an answer too long to take", serve: Service{Handle: long}, client: Limits{BodyBytes: 500}, code: host.InvalidResponse, reason: "more than a message may hold"},
		{name: "no answer", serve: Service{Handle: mute}, code: host.EmptyResponse, reason: "without an answer"},
		{name: "a late answer", serve: Service{Handle: slow}, code: host.Timeout, reason: "in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, at := served(t, c.serve)
			if c.to == "" {
				c.to = "server"
			}
			client := dialled(t, "caller", c.client)
			r := only(t, client.Call(within(t, time.Second), KeyOf(named(c.to)), at, question(strings.Repeat("x", c.body), 1)))
			if r.Code != c.code || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("%v, %q; expected %v and %q", r.Code, r.Reason, c.code, c.reason)
			}
		})
	}
}

func TestNobodyThereIsToldAsSuch(t *testing.T) {
	c := dialled(t, "caller", Limits{})
	r := only(t, c.Call(within(t, 5*time.Second), KeyOf(named("server")), netip.MustParseAddrPort("127.0.0.1:1"), question("", 1)))
	if r.Code != host.Unavailable || !strings.Contains(r.Reason, "is the node up") {
		t.Errorf("%v, %q", r.Code, r.Reason)
	}
}

// The server hears at once that a caller gave up.
func TestACallThatIsGivenUpEndsAtTheServer(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	_, at := served(t, Service{Handle: func(ctx context.Context, _ host.PeerID, _ host.Request) iter.Seq[Reply] {
		return func(func(Reply) bool) { close(begun); <-ctx.Done(); close(ended) }
	}})
	c := dialled(t, "caller", Limits{})
	ctx, cancel := context.WithCancel(within(t, 10*time.Second))
	go func() { <-begun; cancel() }()
	only(t, c.Call(ctx, KeyOf(named("server")), at, question("", 1)))
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the server still works")
	}
}

// One caller cannot hold more calls than are allowed for each; another is served meanwhile.
func TestOneCallerCannotHoldAllCalls(t *testing.T) {
	hold := make(chan struct{})
	var open atomic.Int32
	_, at := served(t, Service{Limits: Limits{CallerCalls: 3}, Handle: func(_ context.Context, _ host.PeerID, q host.Request) iter.Seq[Reply] {
		return func(yield func(Reply) bool) {
			if string(q.Body) == "hold" {
				open.Add(1)
				<-hold
			}
			yield(Reply{Response: host.Response{Code: host.Success}})
		}
	}})
	to := KeyOf(named("server"))
	held := make(chan Reply)
	for range 3 { // each on a connection of its own, as MaxConcurrentStreams bounds one
		c := dialled(t, "greedy", Limits{})
		go func() { held <- only(t, c.Call(within(t, 20*time.Second), to, at, question("hold", 1))) }()
	}
	for open.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	r := only(t, dialled(t, "greedy", Limits{}).Call(within(t, 5*time.Second), to, at, question("", 1)))
	if r.Code != host.Backoff || !strings.Contains(r.Reason, "3 of your calls") {
		t.Errorf("%v, %q", r.Code, r.Reason)
	}
	r = only(t, dialled(t, "modest", Limits{}).Call(within(t, 5*time.Second), to, at, question("", 1)))
	if r.Code != host.Success {
		t.Errorf("another caller: %v, %q", r.Code, r.Reason)
	}
	close(hold)
	for range 3 {
		if r := <-held; r.Code != host.Success {
			t.Errorf("a held call: %v, %q", r.Code, r.Reason)
		}
	}
}

func TestFramesComeBackAsTheyWere(t *testing.T) {
	q := host.Request{Synapse: host.TextSeq2Seq, Dir: host.Backward, MaxReplies: 7, Body: []byte("body")}
	got, err := decodeQuestion(append(appendQuestion(nil, q), q.Body...))
	if err != nil || got.Synapse != q.Synapse || got.Dir != q.Dir || got.MaxReplies != 7 || string(got.Body) != "body" {
		t.Error(got, err)
	}
	r := Reply{host.Response{Code: host.Backoff, Body: []byte("body"), More: true}, "why"}
	back, body, err := decodeReply(append(appendReply(nil, r), r.Body...))
	if err != nil || body != 4 || back.Code != r.Code || !back.More || back.Reason != "why" || string(back.Body) != "body" {
		t.Error(back, err)
	}
}

// A question from a network of another version is told so, and not that it is broken.
func TestAnotherVersionIsNamed(t *testing.T) {
	_, err := decodeQuestion([]byte{9, 0, 0})
	if err == nil || !strings.Contains(err.Error(), "version 9") || codeOf([]byte{9}) != host.NotImplemented {
		t.Error(err)
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add(append(appendQuestion(nil, question("", 3)), "body"...))
	f.Add([]byte{1, 1, 3, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := decodeQuestion(b)
		if err == nil && !bytes.Equal(append(appendQuestion(nil, q), q.Body...), b) {
			t.Errorf("%x reads as %v, which is written otherwise", b, q)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add(append(appendReply(nil, refuse(host.Backoff, "why")), "body"...))
	f.Add([]byte{1, 0, 1, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, body, err := decodeReply(b)
		if err == nil && body == len(r.Body) && !bytes.Equal(append(appendReply(nil, r), r.Body...), b) {
			t.Errorf("%x reads as %v, which is written otherwise", b, r)
		}
	})
}

// BenchmarkCall is an echo of 64 KiB, one call after the other.
func BenchmarkCall(b *testing.B) {
	_, at := served(b, Service{Handle: echo})
	c := dialled(b, "caller", Limits{})
	q := question(strings.Repeat("x", 64<<10), 1)
	var took []time.Duration
	b.SetBytes(int64(len(q.Body)))
	for b.Loop() {
		from := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if r := only(b, c.Call(ctx, KeyOf(named("server")), at, q)); r.Code != host.Success || len(r.Body) != len(q.Body) {
			b.Fatal(r.Code, r.Reason)
		}
		cancel()
		took = append(took, time.Since(from))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
