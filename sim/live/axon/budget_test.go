package axon

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"taolab/sim/host"
)

// bareServer answers under a key with whatever a test sends.
func bareServer(t *testing.T, key ed25519.PrivateKey, answer func(grpc.ServerStream) error) netip.AddrPort {
	t.Helper()
	own, err := identity(key)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := TCP.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(serving(own))), grpc.ForceServerCodecV2(codec{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "taolab.Axon", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: "Ask", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, s grpc.ServerStream) error { return answer(s) }}},
	}, nil)
	go func() { _ = server.Serve(socket) }()
	t.Cleanup(server.Stop)
	return netip.MustParseAddrPort(socket.Addr().String())
}

// within20s waits until something is so.
func within20s(t *testing.T, so func() bool) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("it did not become so within 20 s")
		}
	}
}

// isWhole waits until a client reads nothing any more and has all its bytes.
func (c *Client) isWhole(t *testing.T) {
	t.Helper()
	within20s(t, func() bool {
		c.memory.mu.Lock()
		defer c.memory.mu.Unlock()
		return c.memory.left == c.limits.AnswerBytes && len(c.memory.shares) == 0
	})
}

// hold is a server that sends all of a long answer but its end, which it sends when it is released.
func hold(t *testing.T, name string, bytes int, release <-chan struct{}) (at netip.AddrPort, holds *atomic.Int32) {
	holds = new(atomic.Int32)
	return bareServer(t, named(name), func(s grpc.ServerStream) error {
		r := Reply{Response: host.Response{Code: host.Success, Body: make([]byte, bytes)}}
		if err := sendParts(s, appendReply(nil, r), r.Body[:bytes-1]); err != nil {
			return err
		}
		holds.Add(1)
		defer holds.Add(-1)
		select {
		case <-release:
			return s.SendMsg(&message{body: []byte{0}})
		case <-s.Context().Done():
			return s.Context().Err()
		}
	}), holds
}

// Servers that each send nearly all of a long answer and then nothing cannot make a client hold more than its
// bound: the longest give way and are told of as such. Others' answers arrive meanwhile, short and long.
func TestAnswersThatDoNotEndHaveABoundTogether(t *testing.T) {
	const (
		hostile = 24
		long    = 16 * chunkBytes
		bound   = 10 * long
	)
	release := make(chan struct{})
	at, holds := hold(t, "hostile", long, release)
	_, honest := served(t, Service{Handle: echo})
	c := dialled(t, "caller", Limits{BodyBytes: long, AnswerBytes: bound})
	var ended atomic.Int32
	var all sync.WaitGroup
	for range hostile {
		all.Go(func() {
			r := only(t, c.Call(within(t, time.Minute), KeyOf(named("hostile")), at, question("", 1)))
			if ended.Add(1); r.Code != host.Success && (r.Code != host.Backoff || !strings.Contains(r.Reason, "as many bytes of answers as it may, 10485760")) {
				t.Errorf("%v, %q", r.Code, r.Reason)
			}
		})
	}
	within20s(t, func() bool { return holds.Load()+ended.Load() == hostile && holds.Load()*long <= bound })
	t.Logf("%d are held, %d gave way", holds.Load(), ended.Load())
	for _, bytes := range []int{5, long / 2} {
		body := strings.Repeat("x", bytes)
		if r := only(t, c.Call(within(t, 10*time.Second), KeyOf(named("server")), honest, question(body, 1))); r.Code != host.Success || string(r.Body) != body {
			t.Errorf("an answer of %d bytes from elsewhere: %v, %q", bytes, r.Code, r.Reason)
		}
	}
	close(release)
	all.Wait()
	c.isWhole(t)
}

// An answer that waits for its reader counts until the reader is done with it, and does not give way: another
// waits for it.
func TestAnAnswerCountsUntilItsReaderIsDone(t *testing.T) {
	const long = 16 * chunkBytes
	_, at := served(t, Service{Handle: echo})
	c := dialled(t, "caller", Limits{BodyBytes: long, AnswerBytes: 3*long + 2*callBytes})
	other, err := c.Under(named("second identity"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	ask := func(ctx context.Context) iter.Seq[Reply] {
		return c.Call(ctx, KeyOf(named("server")), at, question(strings.Repeat("x", long), 1))
	}
	for r := range ask(within(t, 20*time.Second)) {
		if r.Code != host.Success {
			t.Fatalf("%v, %q", r.Code, r.Reason)
		}
		if r := only(t, ask(within(t, time.Second))); r.Code != host.Backoff {
			t.Errorf("while the first is read: %v, %q; expected it to wait", r.Code, r.Reason)
		}
		r := only(t, other.Call(within(t, time.Second), KeyOf(named("server")), at, question(strings.Repeat("x", long), 1)))
		if r.Code != host.Backoff {
			t.Errorf("under another key of the node: %v, %q; expected it to wait, too", r.Code, r.Reason)
		}
	}
	if r := only(t, ask(within(t, 20*time.Second))); r.Code != host.Success {
		t.Errorf("afterwards: %v, %q", r.Code, r.Reason)
	}
	c.isWhole(t)
}

// An answer is as long as its server says: one that goes on, or sends nothing for ever, is refused.
func TestAnAnswerHasTheLengthThatWasAnnounced(t *testing.T) {
	for _, c := range []struct {
		announced int
		sent      []int
		reason    string
	}{
		{10, []int{11}, "has 11 bytes, 10 were announced"},
		{chunkBytes + 1, []int{chunkBytes, chunkBytes}, fmt.Sprintf("has %d bytes, %d were announced", 2*chunkBytes, chunkBytes+1)},
		{chunkBytes + 1, []int{chunkBytes, 0}, "a message of no bytes"},
		{1 << 30, []int{5}, "more than a message may hold"},
		{chunkBytes + 1, []int{chunkBytes}, "without an answer"},
	} {
		at := bareServer(t, named("odd"), func(s grpc.ServerStream) error {
			head := appendReply(nil, Reply{Response: host.Response{Code: host.Success}})
			binary.LittleEndian.PutUint32(head[5:], uint32(c.announced))
			for _, n := range c.sent {
				if err := s.SendMsg(&message{head: head, body: make([]byte, n)}); err != nil {
					return err
				}
				head = nil
			}
			return nil
		})
		client := dialled(t, "caller", Limits{})
		if r := only(t, client.Call(within(t, 10*time.Second), KeyOf(named("odd")), at, question("", 1))); r.Code == host.Success || !strings.Contains(r.Reason, c.reason) {
			t.Errorf("%d announced, %d sent: %v, %q; expected %q", c.announced, c.sent, r.Code, r.Reason, c.reason)
		}
		client.isWhole(t)
	}
}

// A call that wants more than is left makes the longest answer that is not whole give way, and gives way itself where none is
// longer. What is whole stays, and is waited for.
func TestTheLongestThatIsNotWholeGivesWay(t *testing.T) {
	ctx := within(t, 20*time.Second)
	b := newBudget(100)
	holder := func(bytes int64) *share {
		s := &share{end: func(err error) {
			if err != errGaveWay {
				t.Errorf("ended by %v", err)
			}
		}}
		if err := b.take(ctx, s, bytes); err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole, long, short := holder(40), holder(30), holder(10)
	b.keep(whole, true)
	taken := make(chan error, 1)
	go func() { taken <- b.take(ctx, short, 25) }()
	within20s(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return long.cut
	})
	if err := b.take(ctx, long, 1); err != errGaveWay {
		t.Errorf("one that was told to give way takes more: %v", err)
	}
	b.give(long, 30)
	if err := <-taken; err != nil || short.bytes != 35 || whole.cut {
		t.Errorf("the shorter one has %d bytes, %v; the whole one gave way: %t", short.bytes, err, whole.cut)
	}
	go func() { taken <- b.take(ctx, short, 30) }() // the longest now: the whole one ends soon
	time.Sleep(10 * time.Millisecond)
	b.give(whole, 40)
	if err := <-taken; err != nil || short.bytes != 65 {
		t.Errorf("after the whole one ended: %d bytes, %v", short.bytes, err)
	}
	if err := b.take(ctx, short, 36); err != errGaveWay {
		t.Errorf("the only one that is there wants more than there is: %v", err)
	}
	if b.give(short, 65); b.left != 100 || len(b.shares) != 0 {
		t.Errorf("%d bytes are left, %d shares", b.left, len(b.shares))
	}
}
