package live

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// crowd is a network of a server with a uid and of callers without one, of whom the i-th has i TAO at stake;
// the one with nothing is not on the ledger.
func crowd(callers int) chain.Genesis {
	g := genesis([]string{"server"}, 1, nil)
	for i := 1; i < callers; i++ {
		g.Stakes = append(g.Stakes, chain.GenesisStake{
			Hotkey: axon.KeyOf(keyOf(fmt.Sprint("caller ", i))), Coldkey: axon.KeyOf(keyOf("cold crowd")),
			StakeRao: uint64(i) * chain.RaoPerTAO,
		})
	}
	return g
}

func hello(replies uint32) host.Request {
	return host.Request{Synapse: host.TextCausalLM, Dir: host.Forward, Body: []byte("hello"), MaxReplies: replies}
}

// A thousand callers at once, each with a key and a connection of its own: each is served or told why not, and
// those without stake are told that.
func TestAThousandCallersAreServedOrToldWhyNot(t *testing.T) {
	const callers = 1000
	_, actors := cast("server: see")
	cfg := config(newSolo(t, crowd(callers)), actors)
	cfg.Nodes[0].Admission = host.AdmissionRules{Slots: 4, Capacity: 100, MinStakeRao: 100 * chain.RaoPerTAO}
	cfg.Limits.HandshakeTime, cfg.Limits.AdmitTime = time.Minute, time.Minute // a thousand handshakes on a busy machine, with the race detector on
	cfg.Limits.Strangers = callers                                            // of one address
	s := play(t, cfg, actors)
	s.expect("server: see")
	at := netip.MustParseAddrPort(s.world.Addr("server").String())
	codes := map[host.Code]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			c, err := axon.Dial(keyOf(fmt.Sprint("caller ", i)), axon.TCP, cfg.Limits)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
			defer cancel()
			for r := range c.Call(ctx, axon.KeyOf(keyOf("server")), at, hello(1)) {
				mu.Lock()
				codes[r.Code]++
				mu.Unlock()
				switch {
				case i == 0 && !strings.Contains(r.Reason, "neither a uid nor stake"):
					t.Errorf("a stranger: %v, %q", r.Code, r.Reason)
				case i > 0 && i < 100 && !strings.Contains(r.Reason, fmt.Sprintf("has a stake of %d TAO and this node serves from 100 TAO on: stake %d TAO more", i, 100-i)):
					t.Errorf("%d TAO: %v, %q", i, r.Code, r.Reason)
				case i >= 100 && r.Code != host.Success && (r.Code != host.Backoff || r.Reason == ""):
					t.Errorf("%d TAO: %v, %q", i, r.Code, r.Reason)
				}
			}
		})
	}
	all.Wait()
	t.Log(codes)
	if codes[host.Unauthenticated] != 100 || codes[host.Success] < 100 {
		t.Error(codes)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// patient is an agent that answers when it is told to, and keeps the order in which it was asked.
type patient struct {
	asked   []uint64 // stakes, in TAO
	release chan struct{}
	calls   []host.CallID
	gone    int
}

func (p *patient) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Incoming:
		p.asked = append(p.asked, e.StakeRao/chain.RaoPerTAO)
		p.calls = append(p.calls, e.Call)
		env.Compute(held{p.release})
	case host.Cancelled:
		p.gone++
	case host.Done:
		env.Reply(p.calls[len(p.calls)-1], host.Response{Code: host.Success})
	}
}
func (p *patient) AppendState(b []byte) []byte { return b }
func (p *patient) RestoreState([]byte) error   { return nil }

// held is a job that lasts until it is released.
type held struct{ release chan struct{} }

func (held) Work() int64 { return 1 }
func (h held) Run(*host.Scratch) []byte {
	<-h.release
	return nil
}

// waiting is the number of requests in a node's queue.
func (s *stage) waiting(node string) int {
	var m dto.Metric
	s.world.metrics.waiting.WithLabelValues(node).Write(&m)
	return int(m.GetGauge().GetValue())
}

// Under load stake decides: while one request is served the others wait, and the largest stake goes first.
func TestLargerStakeIsServedFirst(t *testing.T) {
	agent := &patient{release: make(chan struct{})}
	cfg := config(newSolo(t, crowd(20)), nil)
	cfg.Nodes = []Node{{Name: "server", Agent: agent, Hotkey: keyOf("server")}}
	s := play(t, cfg, nil)
	var all sync.WaitGroup
	ask := func(i int) {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			for r := range s.world.Ask(ctx, "server", axon.KeyOf(keyOf(fmt.Sprint("caller ", i))), hello(1)) {
				if r.Code != host.Success {
					t.Errorf("%d TAO: %v, %q", i, r.Code, r.Reason)
				}
			}
		})
	}
	want := []uint64{7}
	ask(7) // is served at once
	agent.release <- struct{}{}
	ask(7)
	for !served(s) {
		time.Sleep(time.Millisecond)
	}
	want = append(want, 7)
	for n, i := range []int{3, 19, 1, 11, 12, 2} {
		ask(i)
		for s.waiting("server") != n+1 {
			time.Sleep(time.Millisecond)
		}
	}
	close(agent.release)
	all.Wait()
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	want = append(want, 19, 12, 11, 3, 2, 1)
	if !slices.Equal(agent.asked, want) {
		t.Errorf("served in the order of %v TAO, expected %v", agent.asked, want)
	}
}

// Who fills the queue and leaves takes no place from those who stay, and brings the node down with none that
// would have given way to them.
func TestACallerWhoLeavesTheQueueLeavesItsPlace(t *testing.T) {
	agent := &patient{release: make(chan struct{})}
	cfg := config(newSolo(t, crowd(20)), nil)
	cfg.Nodes = []Node{{Name: "server", Agent: agent, Hotkey: keyOf("server"), Admission: host.AdmissionRules{Capacity: 1}}}
	s := play(t, cfg, nil)
	ask := func(ctx context.Context, i int) <-chan axon.Reply {
		replies := make(chan axon.Reply, 1)
		go func() {
			for r := range s.world.Ask(ctx, "server", axon.KeyOf(keyOf(fmt.Sprint("caller ", i))), hello(1)) {
				replies <- r
			}
		}()
		return replies
	}
	waits := func(want int) {
		for s.waiting("server") != want {
			time.Sleep(time.Millisecond)
		}
	}
	stays, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	first := ask(stays, 7)
	for s.incoming("server") != 1 {
		time.Sleep(time.Millisecond)
	}
	for _, leaver := range []int{1, 9, 9} { // with less stake than the next and with more
		leaves, leave := context.WithCancel(stays)
		ask(leaves, leaver)
		waits(1)
		leave()
		waits(0)
	}
	poor := ask(stays, 5)
	waits(1)
	second := ask(stays, 6)
	if r := <-poor; r.Code != host.Backoff || s.requests("server", host.Backoff) != 1 {
		t.Errorf("the one that gave way: %v, %q; the figures count %d", r.Code, r.Reason, s.requests("server", host.Backoff))
	}
	close(agent.release)
	for i, replies := range []<-chan axon.Reply{first, second} {
		if r := <-replies; r.Code != host.Success {
			t.Errorf("caller %d: %v, %q", i+1, r.Code, r.Reason)
		}
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

// served says whether the server has had its second request.
func served(s *stage) bool { return s.incoming("server") == 2 }

// incoming is the number of requests that a node's agent was handed.
func (s *stage) incoming(node string) int {
	var m dto.Metric
	s.world.metrics.events.WithLabelValues(node, "Incoming").Write(&m)
	return int(m.GetCounter().GetValue())
}

// requests is the number of requests to a node whose last reply had a code.
func (s *stage) requests(node string, code host.Code) int {
	var m dto.Metric
	s.world.metrics.requests.WithLabelValues(node, code.String()).Write(&m)
	return int(m.GetCounter().GetValue())
}
