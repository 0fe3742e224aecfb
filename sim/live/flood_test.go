package live

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// stuck is an agent that looks at nothing until it is released, and then answers with as much as it is asked for.
type stuck struct {
	begun, release chan struct{}
	part           []byte
}

func (a *stuck) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
		close(a.begun)
		<-a.release
	case host.Incoming:
		for part := range e.Request.MaxReplies {
			env.Reply(e.Call, host.Response{Code: host.Success, Body: a.part, More: part+1 < e.Request.MaxReplies})
		}
	}
}
func (a *stuck) AppendState(b []byte) []byte { return b }
func (a *stuck) RestoreState([]byte) error   { return nil }

// stuckWorld has one node with an agent that looks at nothing yet.
func stuckWorld(t *testing.T, part int) (*stage, *stuck) {
	agent := &stuck{make(chan struct{}), make(chan struct{}), make([]byte, part)}
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
		from := time.Now()
		s.ask(time.Minute, 1, func(r axon.Reply) {
			if r.Code != host.Backoff || r.Reason != fmt.Sprintf("%d requests wait to be looked at: ask again later", maxRequests) || time.Since(from) > 10*time.Second {
				t.Errorf("one more: %v, %q after %v", r.Code, r.Reason, time.Since(from))
			}
		})
	}
	close(agent.release)
	served.Wait()
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
	if err := s.end(); err != nil {
		t.Error(err)
	}
}
