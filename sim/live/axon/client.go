package axon

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"taolab/sim/host"
)

// MaxReplies bounds the parts of an answer, whatever the question allows.
const MaxReplies = 256

// Client makes calls under one key. It keeps a connection to each peer that it called lately.
type Client struct {
	own     tls.Certificate
	network Network
	limits  Limits
	memory  *budget

	mu    sync.Mutex
	links map[target]*link
	turn  uint64 // of the last call
}

// target is a peer at an address; elsewhere it is another.
type target struct {
	peer    host.PeerID
	address netip.AddrPort
}

// link is a connection, which gRPC makes when it is needed and restores when it breaks.
type link struct {
	conn   *grpc.ClientConn
	calls  int          // that are open
	turn   uint64       // of the last call
	broken atomic.Value // failure: why the last handshake did not succeed
}

// failure is an error or none.
type failure struct{ error }

// Dial makes a client. It connects to nobody yet.
func Dial(key ed25519.PrivateKey, network Network, l Limits) (*Client, error) {
	own, err := identity(key)
	if err != nil {
		return nil, err
	}
	l = l.WithDefaults()
	return &Client{own: own, network: network, limits: l, memory: newBudget(l.AnswerBytes), links: map[target]*link{}}, nil
}

// Under makes a client of the same node that calls with another key. The answers of both count against one bound.
func (c *Client) Under(key ed25519.PrivateKey) (*Client, error) {
	own, err := identity(key)
	if err != nil {
		return nil, err
	}
	return &Client{own: own, network: c.network, limits: c.limits, memory: c.memory, links: map[target]*link{}}, nil
}

// Close closes all connections. Open calls end with Unavailable.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links { // order-free: each is closed
		l.conn.Close()
	}
	c.links = nil
}

// Call asks the peer that holds a key and serves at an address. The replies are what the peer says, at most
// as many as the question allows, or one that says why there is none: the last has More unset. ctx ends the
// call; so does who stops to listen. A reply counts as read until the next one is asked for.
func (c *Client) Call(ctx context.Context, to host.PeerID, address netip.AddrPort, q host.Request) iter.Seq[Reply] {
	return func(yield func(Reply) bool) {
		if len(q.Body) > c.limits.BodyBytes {
			yield(refuse(host.InvalidRequest, "the question has %d bytes; a message has at most %d", len(q.Body), c.limits.BodyBytes))
			return
		}
		l, refusal, ok := c.link(target{to, address})
		if !ok {
			yield(refusal)
			return
		}
		defer c.release(l)
		ctx, cancel := context.WithTimeout(ctx, c.limits.LongestCall)
		defer cancel()
		answer, ctx, err := c.begin(ctx)
		defer answer.close()
		if err == nil {
			ctx = metadata.AppendToOutgoingContext(ctx, announced, strconv.Itoa(questionHead+len(q.Body)))
			answer.stream, err = l.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
		}
		if err == nil {
			err = ask(answer.stream, q)
		}
		for part := range min(max(q.MaxReplies, 1), MaxReplies) {
			var r Reply
			if err == nil {
				r, err = answer.next(ctx)
			}
			if errors.Is(context.Cause(ctx), errGaveWay) || errors.Is(err, errGaveWay) {
				r = refuse(host.Backoff, "this node reads as many bytes of answers as it may, %d, and that of the peer at %v gave way", c.limits.AnswerBytes, address)
			} else if err != nil {
				r = l.explain(err, address)
			}
			r.More = r.More && part+1 < min(q.MaxReplies, MaxReplies)
			if !r.More && len(r.Body) == 0 { // a refusal that waits for its reader holds nothing
				answer.close()
			}
			if !yield(r) || !r.More {
				return
			}
		}
	}
}

// ask sends a question.
func ask(stream grpc.ClientStream, q host.Request) error {
	err := sendParts(stream, appendQuestion(nil, q), q.Body)
	if err == nil || errors.Is(err, io.EOF) { // the reason is what comes back
		err = stream.CloseSend()
	}
	return err
}

// sendParts sends a head and a body in messages of chunkBytes.
func sendParts(stream interface{ SendMsg(any) error }, head, body []byte) error {
	for m := (message{head: head}); ; m.head = nil {
		n := min(len(body), chunkBytes)
		m.body, body = body[:n], body[n:]
		if err := stream.SendMsg(&m); err != nil || len(body) == 0 {
			return err
		}
	}
}

// explain is the reply in place of the one that an error kept away.
func (l *link) explain(err error, address netip.AddrPort) Reply {
	if errors.Is(err, io.EOF) {
		return refuse(host.EmptyResponse, "the peer at %v ended the call without an answer", address)
	}
	switch s := status.Convert(err); s.Code() {
	case codes.DeadlineExceeded, codes.Canceled:
		return refuse(host.Timeout, "the peer at %v did not answer in time", address)
	case codes.ResourceExhausted:
		return refuse(host.InvalidResponse, "the peer at %v sent more than a message may hold: %s", address, s.Message())
	case codes.Unavailable:
		if f, _ := l.broken.Load().(failure); f.error != nil {
			return refuse(host.Unavailable, "no connection to %v: %v", address, f.error)
		}
		return refuse(host.Unavailable, "no connection to %v: %s: is the node up, and does its firewall let us in?", address, s.Message())
	default:
		return refuse(host.UnknownError, "the call of the peer at %v failed with code %v: %s", address, s.Code(), s.Message())
	}
}

// link finds or makes the connection to a target and counts a call of it.
func (c *Client) link(to target) (*link, Reply, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links == nil {
		return nil, refuse(host.Unavailable, "this node is stopping"), false
	}
	c.turn++
	l := c.links[to]
	if l == nil {
		if len(c.links) >= c.limits.Connections && !c.makeRoom() {
			return nil, refuse(host.Backoff, "all of this node's %d connections are in use", c.limits.Connections), false
		}
		var err error
		if l, err = c.connect(to); err != nil {
			return nil, refuse(host.Unavailable, "no connection to %v: %v", to.address, err), false
		}
		c.links[to] = l
	}
	l.calls++
	l.turn = c.turn
	return l, Reply{}, true
}

func (c *Client) release(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.calls--
}

// makeRoom closes the connection that was used longest ago of those without an open call.
func (c *Client) makeRoom() bool {
	var oldest target
	var found *link
	for to, l := range c.links { // order-free: turns differ
		if l.calls == 0 && (found == nil || l.turn < found.turn) {
			oldest, found = to, l
		}
	}
	if found != nil {
		found.conn.Close()
		delete(c.links, oldest)
	}
	return found != nil
}

func (c *Client) connect(to target) (*link, error) {
	l := &link{}
	secure := pinned{credentials.NewTLS(calling(c.own, to.peer)), func(err error) { l.broken.Store(failure{err}) }}
	retry := backoff.DefaultConfig
	retry.BaseDelay, retry.MaxDelay = 200*time.Millisecond, 15*time.Second
	var err error
	l.conn, err = grpc.NewClient("passthrough:///"+to.address.String(),
		grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(c.network.Dial),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(messageBytes)),
		grpc.WithStaticStreamWindowSize(windowBytes), grpc.WithStaticConnWindowSize(connectionBytes), grpc.WithMaxHeaderListSize(maxHeader),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
		grpc.WithIdleTimeout(c.limits.IdleTimeout),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: c.limits.HandshakeTime}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: c.limits.KeepAlive, Timeout: c.limits.KeepAlive}),
	)
	if err != nil {
		return nil, fmt.Errorf("gRPC refuses the address: %w", err)
	}
	return l, nil
}
