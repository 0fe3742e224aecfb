package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// stuck is an agent that looks at nothing until it is released, and then answers with as much as it is asked for.
type stuck struct {
	begun, release chan struct{}
	pause          time.Duration // before an answer
	part           []byte
	cancelled      atomic.Int32
}

func (a *stuck) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
		close(a.begun)
		<-a.release
	case host.Cancelled:
		a.cancelled.Add(1)
	case host.Incoming:
		time.Sleep(a.pause)
		for part := range e.Request.MaxReplies {
			env.Reply(e.Call, host.Response{Code: host.Success, Body: a.part, More: part+1 < e.Request.MaxReplies})
		}
	}
}
func (a *stuck) AppendState(b []byte) []byte { return b }
func (a *stuck) RestoreState([]byte) error   { return nil }

// stuckWorld has one node with an agent that looks at nothing yet.
func stuckWorld(t *testing.T, part int) (*stage, *stuck) {
	agent := &stuck{begun: make(chan struct{}), release: make(chan struct{}), part: make([]byte, part)}
	cfg := config(newSolo(t, crowd(3)), nil)
	cfg.Nodes = []Node{{Name: "server", Agent: agent, Hotkey: keyOf("server"), Admission: host.AdmissionRules{Slots: 1, Capacity: 2 * maxRequests}}}
	s := play(t, cfg, nil)
	<-agent.begun
	return s, agent
}

func (s *stage) ask(patience time.Duration, replies uint32, each func(axon.Reply)) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for r := range s.world.Ask(ctx, "server", axon.KeyOf(keyOf("caller 1")), hello(replies)) {
		each(r)
	}
}

// While an agent is busy, as many requests wait as may, and each further one is told so at once; those that wait
// are served when it looks again.
func TestRequestsBeyondTheMailboxAreToldSo(t *testing.T) {
	s, agent := stuckWorld(t, 1)
	var served sync.WaitGroup
	for i := range maxRequests {
		served.Go(func() {
			s.ask(time.Minute, 1, func(r axon.Reply) {
				if r.Code != host.Success {
					t.Errorf("request %d, which waited: %v, %q", i, r.Code, r.Reason)
				}
			})
		})
	}
	for len(s.world.nodes[0].mail.requests) < maxRequests {
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		from, told := time.Now(), false
		s.ask(time.Minute, 1, func(r axon.Reply) {
			told = true
			if r.Code != host.Backoff || r.Reason != fmt.Sprintf("%d requests wait to be looked at: ask again later", maxRequests) || time.Since(from) > 10*time.Second {
				t.Errorf("one more: %v, %q after %v", r.Code, r.Reason, time.Since(from))
			}
		})
		if !told {
			t.Error("one more was told nothing")
		}
	}
	close(agent.release)
	served.Wait()
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// A transaction of a node that is busy is refused, which it cannot hear yet: others' are offered meanwhile.
func TestABusyAgentHoldsNobodysTransactionsUp(t *testing.T) {
	names, actors := cast("a: at 1; stake 1; see")
	ledger := newSolo(t, genesis(names, 1, nil))
	ledger.refuse = errors.New("the pool is full")
	agent := &stuck{begun: make(chan struct{}), release: make(chan struct{})}
	cfg := config(ledger, actors)
	cfg.Nodes = append(cfg.Nodes, Node{Name: "busy", Agent: agent, Hotkey: keyOf("busy")})
	s := play(t, cfg, actors)
	<-agent.begun
	busy := s.world.byName["busy"]
	for range maxInputs {
		busy.mail.inputs <- func() {}
	}
	s.world.offers <- offer{busy, &submission{}, false}
	ledger.next()
	s.expect("a: stake 1: rejected: the pool is full")
	close(agent.release)
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// Who leaves while the agent is busy is not served when it looks again, in whichever order it hears of the two.
func TestACallerWhoLeavesBeforeItIsLookedAtIsNotServed(t *testing.T) {
	const callers = 20
	s, agent := stuckWorld(t, 1)
	ctx, leave := context.WithCancel(context.Background())
	var left sync.WaitGroup
	for range callers {
		left.Go(func() {
			for range s.world.Ask(ctx, "server", axon.KeyOf(keyOf("caller 1")), hello(1)) {
			}
		})
	}
	for len(s.world.nodes[0].mail.requests) < callers {
		time.Sleep(time.Millisecond)
	}
	leave()
	left.Wait()
	close(agent.release)
	s.ask(time.Minute, 1, func(r axon.Reply) {
		if r.Code != host.Success {
			t.Errorf("who stayed: %v, %q", r.Code, r.Reason)
		}
	})
	if got := s.incoming("server"); got != 1 {
		t.Errorf("the agent was handed %d requests; only one caller stayed", got)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// An agent that answers faster than its caller reads does not wait for it, and what is kept has a bound: the
// answer ends with a reply that says why. The next caller is served as if nothing had been.
func TestAnAnswerThatNobodyReadsIsCutAndHoldsNobodyUp(t *testing.T) {
	const part = 1 << 20
	s, agent := stuckWorld(t, part)
	close(agent.release)
	var bytes int
	var last axon.Reply
	first := true
	s.ask(time.Minute, maxReplies, func(r axon.Reply) {
		if first { // and reads no more for a while
			first = false
			s.ask(time.Minute, 1, func(r axon.Reply) {
				if r.Code != host.Success || len(r.Body) != part {
					t.Errorf("another caller: %v, %q", r.Code, r.Reason)
				}
			})
		}
		bytes += len(r.Body)
		last = r
	})
	if last.Code != host.InvalidResponse || !strings.Contains(last.Reason, "more slowly than it comes") || bytes > maxUnread+part*3 || bytes < maxUnread {
		t.Errorf("%d bytes, then %v, %q", bytes, last.Code, last.Reason)
	}
	if agent.cancelled.Load() != 1 {
		t.Errorf("the agent heard %d times that it need not go on, expected once", agent.cancelled.Load())
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// However many callers there are who read nothing, a node keeps no more of their answers than it may: the next is
// told so. As soon as they read or leave there is room again.
func TestAnswersThatNobodyReadsHaveABoundTogether(t *testing.T) {
	const (
		part  = 1 << 20
		parts = maxUnread/part - 4
		idle  = maxAnswers/maxUnread + 1
	)
	s, agent := stuckWorld(t, part)
	close(agent.release)
	read := make(chan struct{})
	var callers sync.WaitGroup
	var last [idle]axon.Reply
	for i := range idle {
		begun := make(chan struct{})
		callers.Go(func() {
			first := true
			ctx, leave := context.WithTimeout(context.Background(), time.Minute)
			defer leave()
			for r := range s.world.Ask(ctx, "server", axon.KeyOf(keyOf("caller 1")), hello(parts)) {
				if last[i] = r; first {
					first = false
					close(begun)
					<-read
				}
				if i == 0 {
					return
				}
			}
		})
		<-begun
	}
	one := func() (only axon.Reply) {
		s.ask(time.Minute, 1, func(r axon.Reply) { only = r })
		return only
	}
	if r := one(); r.Code != host.Backoff || !strings.Contains(r.Reason, "as many bytes of answers as it may") {
		t.Errorf("beyond the bound: %v, %q", r.Code, r.Reason)
	}
	close(read)
	callers.Wait()
	for i, r := range last[1:] {
		want := host.Success
		if i == idle-2 {
			want = host.Backoff
		}
		if r.Code != want {
			t.Errorf("caller %d: %v, %q at the end, expected %v", i+1, r.Code, r.Reason, want)
		}
	}
	if r := one(); r.Code != host.Success {
		t.Errorf("when there is room again: %v, %q", r.Code, r.Reason)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
	if left := s.world.nodes[0].unread.Load(); left != 0 {
		t.Errorf("%d bytes are still counted", left)
	}
}

// eager is an agent that asks a peer at once as often as it may, and looks at no answer until it is released.
type eager struct {
	to      host.PeerID
	calls   int
	release chan struct{}
	codes   chan host.Code
}

func (a *eager) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
		for range a.calls {
			env.Call(a.to, hello(1), host.Second)
		}
	case host.Answer:
		<-a.release
		a.codes <- e.Response.Code
	}
}
func (a *eager) AppendState(b []byte) []byte { return b }
func (a *eager) RestoreState([]byte) error   { return nil }

// Answers that an agent has not looked at count as read: those for which there is no room do not arrive.
func TestAnswersThatTheAgentHasNotLookedAtCount(t *testing.T) {
	const calls = 8
	server := &stuck{begun: make(chan struct{}), release: make(chan struct{}), pause: 100 * time.Millisecond, part: make([]byte, 1<<20)}
	close(server.release)
	asker := &eager{to: axon.KeyOf(keyOf("server")), calls: calls, release: make(chan struct{}), codes: make(chan host.Code, calls)}
	cfg := config(newSolo(t, genesis([]string{"server", "asker"}, 2, nil)), nil)
	cfg.Limits.BodyBytes, cfg.Limits.AnswerBytes = 1<<20, 4<<20
	cfg.Nodes = []Node{
		{Name: "server", Agent: server, Hotkey: keyOf("server"), Listen: "127.0.0.1:0", Admission: host.AdmissionRules{Slots: calls, Capacity: calls}},
		{Name: "asker", Agent: asker, Hotkey: keyOf("asker")},
	}
	s := play(t, cfg, nil)
	time.Sleep(2 * time.Second) // longer than the calls
	close(asker.release)
	codes := map[host.Code]int{}
	for range calls {
		codes[<-asker.codes]++
	}
	t.Log(codes)
	if codes[host.Success] < 1 || codes[host.Success] > 3 || codes[host.Success]+codes[host.Backoff]+codes[host.Timeout] != calls {
		t.Error(codes)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}
