package axon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"taolab/sim/host"
)

// bare begins a call that has no deadline and announces some bytes; what follows is left to the test.
func bare(t *testing.T, at netip.AddrPort, bytes int) grpc.ClientStream {
	t.Helper()
	c := dialled(t, "bare", Limits{})
	l, refusal, ok := c.link(target{KeyOf(named("server")), at})
	if !ok {
		t.Fatal(refusal.Reason)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ctx = metadata.AppendToOutgoingContext(ctx, announced, strconv.Itoa(bytes))
	stream, err := l.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// isFree waits until a server holds no call and no byte of a question.
func isFree(t *testing.T, s *Server) {
	t.Helper()
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		open := s.open
		s.mu.Unlock()
		all := s.service.Limits.MemoryBytes
		if open == 0 && s.memory.TryAcquire(all) {
			s.memory.Release(all)
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%d calls are still open, or their bytes are still held", open)
		}
	}
}

// The bytes of questions that a server holds have a bound: a caller who announces more than is left waits, and is
// told so when it has waited long enough. Smaller questions find room meanwhile, and longer ones afterwards.
func TestQuestionsBeyondTheMemoryWait(t *testing.T) {
	hold, begun := make(chan struct{}), make(chan struct{})
	s, at := served(t, Service{
		Limits: Limits{BodyBytes: 4000, MemoryBytes: 5100, ReadTimeout: 300 * time.Millisecond},
		Handle: func(ctx context.Context, from host.PeerID, q host.Request) iter.Seq[Reply] {
			if strings.HasPrefix(string(q.Body), "hold") {
				close(begun)
				<-hold
			}
			return echo(ctx, from, q)
		},
	})
	ask := func(name, body string) Reply {
		return only(t, dialled(t, name, Limits{}).Call(within(t, 20*time.Second), KeyOf(named("server")), at, question(body, 1)))
	}
	long := strings.Repeat("x", 3000)
	var held sync.WaitGroup
	held.Go(func() {
		if r := ask("holder", "hold"+long); r.Code != host.Success {
			t.Errorf("the one that is held: %v, %q", r.Code, r.Reason)
		}
	})
	<-begun
	if r := ask("late", long); r.Code != host.Backoff || !strings.Contains(r.Reason, "as many bytes of questions as it may") {
		t.Errorf("beyond the memory: %v, %q", r.Code, r.Reason)
	}
	if r := ask("small", "small"); r.Code != host.Success {
		t.Errorf("a small one, for which there is room: %v, %q", r.Code, r.Reason)
	}
	close(hold)
	held.Wait()
	if r := ask("late", long); r.Code != host.Success {
		t.Errorf("when there is room again: %v, %q", r.Code, r.Reason)
	}
	isFree(t, s)
}

// A question of many messages arrives whole. One that is longer or shorter than its caller said is refused, the longer
// one before more of it is read than a message.
func TestAQuestionHasTheLengthThatWasAnnounced(t *testing.T) {
	s, at := served(t, Service{Handle: echo})
	long := strings.Repeat("0123456789", 3*chunkBytes/10)
	if r := only(t, dialled(t, "caller", Limits{}).Call(within(t, 10*time.Second), KeyOf(named("server")), at, question(long, 1))); r.Code != host.Success || string(r.Body) != long {
		t.Errorf("%v, %q and %d bytes of %d", r.Code, r.Reason, len(r.Body), len(long))
	}
	for _, c := range []struct {
		announced int
		sent      []int
		reason    string
	}{
		{100, []int{200}, "has 200 bytes, 100 were announced"},
		{100, []int{0, 60}, "has 60 bytes, 100 were announced"},
		{100, []int{1 << 20}, "larger than max"},
		{chunkBytes + 1, []int{chunkBytes, chunkBytes}, fmt.Sprintf("has %d bytes, %d were announced", 2*chunkBytes, chunkBytes+1)},
	} {
		stream := bare(t, at, c.announced)
		for _, n := range c.sent {
			if err := stream.SendMsg(&message{body: make([]byte, n)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		var m message
		err := stream.RecvMsg(&m)
		r, _, _ := decodeReply(m.body)
		if got := fmt.Sprint(r.Code, r.Reason, err); r.Code == host.Success || !strings.Contains(got, c.reason) {
			t.Errorf("%d announced, %d sent: %s; expected %q", c.announced, c.sent, got, c.reason)
		}
	}
	isFree(t, s)
}

// A stranger's connection is closed when none of its calls was admitted in time, and takes no room from those who
// may call. A call that was admitted lasts as long as it needs.
func TestAStrangersConnectionIsClosedSoon(t *testing.T) {
	const soon = time.Second // in which a busy machine shakes hands
	slow := func(ctx context.Context, from host.PeerID, q host.Request) iter.Seq[Reply] {
		time.Sleep(2 * soon)
		return echo(ctx, from, q)
	}
	admit := func(from host.PeerID) error {
		if from == KeyOf(named("stranger")) {
			return errors.New("your key is not registered on this network")
		}
		return nil
	}
	_, at := served(t, Service{Handle: slow, Admit: admit, Limits: Limits{Connections: 1, AdmitTime: soon}})
	stranger := dialled(t, "stranger", Limits{})
	if r := only(t, stranger.Call(within(t, 5*time.Second), KeyOf(named("server")), at, question("", 1))); r.Code != host.Unauthenticated {
		t.Errorf("the stranger: %v, %q", r.Code, r.Reason)
	}
	friend := dialled(t, "friend", Limits{})
	if r := only(t, friend.Call(within(t, 20*time.Second), KeyOf(named("server")), at, question("", 1))); r.Code != host.Success {
		t.Errorf("the one who may call: %v, %q", r.Code, r.Reason)
	}
}

// from is the network as a machine at another address sees it.
type from string

func (from) Listen(string) (net.Listener, error) { return nil, errors.ErrUnsupported }
func (f from) Dial(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(string(f))}}
	return d.DialContext(ctx, "tcp", address)
}

// Somebody who dials again and again, and never calls, takes a part of the connections at most: who comes from
// elsewhere is served. Connections of callers who were admitted do not count.
func TestStrangersOfOneAddressTakeAPartOfTheConnections(t *testing.T) {
	s, at := served(t, Service{Handle: echo, Limits: Limits{Connections: 6, Strangers: 2, AdmitTime: time.Minute}})
	ask := func(name string, network Network) Reply {
		c, err := Dial(named(name), network, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return only(t, c.Call(within(t, 10*time.Second), KeyOf(named("server")), at, question("", 1)))
	}
	for _, name := range []string{"first", "second", "third"} { // stay connected
		if r := ask(name, TCP); r.Code != host.Success {
			t.Errorf("the %s caller: %v, %q", name, r.Code, r.Reason)
		}
	}
	for range 10 {
		conn, err := TCP.Dial(within(t, 10*time.Second), at.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	const elsewhere = from("127.0.0.2")
	probe, err := elsewhere.Dial(within(t, 10*time.Second), at.String())
	if err != nil {
		t.Skipf("this machine has no second address to call from: %v", err)
	}
	probe.Close()
	if r := ask("friend", elsewhere); r.Code != host.Success {
		t.Errorf("from elsewhere: %v, %q", r.Code, r.Reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.strangers[netip.MustParsePrefix("127.0.0.1/32")]; n != 2 {
		t.Errorf("%d strangers from one address, expected 2", n)
	}
}

func TestAllAddressesOfANetworkOfSixtyFourBitsAreOneOrigin(t *testing.T) {
	for at, want := range map[string]string{ // order-free: one by one
		"203.0.113.7:80": "203.0.113.7/32", "[::ffff:203.0.113.7]:80": "203.0.113.7/32", "[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64",
	} {
		if got := origin(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(at))); got != netip.MustParsePrefix(want) {
			t.Errorf("%s comes from %v, expected %s", at, got, want)
		}
	}
	if got := origin(&net.UnixAddr{Name: "pipe"}); got.IsValid() {
		t.Errorf("a pipe comes from %v", got)
	}
}

// One caller cannot hold all connections, however few calls it makes; the ones that it closes are free again.
func TestOneCallerCannotHoldAllConnections(t *testing.T) {
	s, at := served(t, Service{Handle: echo, Limits: Limits{CallerConnections: 2}})
	ask := func(c *Client) Reply {
		return only(t, c.Call(within(t, 10*time.Second), KeyOf(named("server")), at, question("", 1)))
	}
	first, second, third := dialled(t, "greedy", Limits{}), dialled(t, "greedy", Limits{}), dialled(t, "greedy", Limits{})
	for _, c := range []*Client{first, second, first} {
		if r := ask(c); r.Code != host.Success {
			t.Errorf("%v, %q", r.Code, r.Reason)
		}
	}
	if r := ask(third); r.Code != host.Backoff || !strings.Contains(r.Reason, "2 of your connections") {
		t.Errorf("one more: %v, %q", r.Code, r.Reason)
	}
	if r := ask(dialled(t, "modest", Limits{})); r.Code != host.Success {
		t.Errorf("another caller: %v, %q", r.Code, r.Reason)
	}
	first.Close()
	for late := time.Now().Add(10 * time.Second); ask(third).Code != host.Success; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("a closed connection still counts")
		}
	}
	second.Close()
	third.Close()
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		left := s.connections[KeyOf(named("greedy"))]
		s.mu.Unlock()
		if left == 0 {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%d closed connections still count", left)
		}
	}
}

// A caller that announces a question and does not send it is refused and holds nothing any more.
func TestASlowSenderIsLetGo(t *testing.T) {
	s, at := served(t, Service{Handle: echo, Limits: Limits{ReadTimeout: 200 * time.Millisecond}})
	stream := bare(t, at, 1<<20)
	var m message
	if err := stream.RecvMsg(&m); err != nil {
		t.Fatal(err)
	}
	if r, _, err := decodeReply(m.body); err != nil || r.Code != host.Timeout || !strings.Contains(r.Reason, "did not arrive within 200ms") {
		t.Errorf("%v, %q, %v", r.Code, r.Reason, err)
	}
	isFree(t, s)
}

// A caller that asks for a long answer and does not read it, without a deadline, holds a call no longer than the
// longest may last.
func TestASlowReaderIsLetGo(t *testing.T) {
	long := make([]byte, 1<<20)
	gush := func(context.Context, host.PeerID, host.Request) iter.Seq[Reply] {
		return func(yield func(Reply) bool) {
			for yield(Reply{Response: host.Response{Code: host.Success, Body: long, More: true}}) {
			}
		}
	}
	s, at := served(t, Service{Handle: gush, Limits: Limits{LongestCall: 500 * time.Millisecond, StopTimeout: time.Second}})
	q := question("hello", MaxReplies)
	stream := bare(t, at, questionHead+len(q.Body))
	if err := stream.SendMsg(&message{head: appendQuestion(nil, q), body: q.Body}); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	var m message
	if err := stream.RecvMsg(&m); err != nil {
		t.Fatal(err)
	}
	if r, _, err := decodeReply(m.body); err != nil || r.Code != host.Success || len(r.Body) != chunkBytes {
		t.Errorf("%v, %q, %v", r.Code, r.Reason, err)
	}
	isFree(t, s)
}
