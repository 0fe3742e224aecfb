package axon

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"taolab/sim/host"
)

// Handler answers a question with one reply or several, of which all but the last say More. It runs in the
// call's own goroutine and returns soon after ctx ends, which has a deadline. The body is its own.
type Handler func(ctx context.Context, from host.PeerID, q host.Request) iter.Seq[Reply]

// Service is what a server serves.
type Service struct {
	Key ed25519.PrivateKey
	// Admit says why a caller is not served, before its question is read; nil admits everybody.
	Admit  func(host.PeerID) error
	Handle Handler
	Limits Limits
}

// Server serves calls until it is stopped.
type Server struct {
	service Service
	grpc    *grpc.Server
	socket  net.Listener
	memory  *semaphore.Weighted
	served  chan error

	mu          sync.Mutex
	open        int
	callers     map[host.PeerID]int  // open calls of each; none of them 0
	connections map[host.PeerID]int  // on which a call of it was admitted; none of them 0
	strangers   map[netip.Prefix]int // connections from there on which none was; none of them 0
}

// method is the one call of the service: a question and a stream of replies.
const method = "/taolab.Axon/Ask"

// Serve serves on a socket, which then belongs to the server.
func Serve(socket net.Listener, service Service) (*Server, error) {
	own, err := identity(service.Key)
	if err != nil {
		return nil, err
	}
	service.Limits = service.Limits.WithDefaults()
	l := service.Limits
	s := &Server{
		service: service, memory: semaphore.NewWeighted(l.MemoryBytes), served: make(chan error, 1),
		callers: map[host.PeerID]int{}, connections: map[host.PeerID]int{}, strangers: map[netip.Prefix]int{},
	}
	s.socket = netutil.LimitListener(socket, l.Connections) // who comes later waits to be accepted
	s.grpc = grpc.NewServer(
		grpc.Creds(greeting{credentials.NewTLS(serving(own))}),
		grpc.ForceServerCodecV2(codec{}),
		grpc.MaxRecvMsgSize(questionHead+chunkBytes),
		grpc.MaxConcurrentStreams(uint32(l.CallerCalls)),
		grpc.StaticStreamWindowSize(windowBytes), grpc.StaticConnWindowSize(connectionBytes), grpc.MaxHeaderListSize(maxHeader),
		grpc.ConnectionTimeout(l.HandshakeTime),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: l.IdleTimeout, Time: l.KeepAlive, Timeout: l.KeepAlive}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: l.KeepAlive / 2, PermitWithoutStream: false}),
	)
	s.grpc.RegisterService(&grpc.ServiceDesc{
		ServiceName: "taolab.Axon", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: "Ask", Handler: s.ask, ClientStreams: true, ServerStreams: true}},
	}, s)
	go func() {
		err := s.grpc.Serve(door{s.socket, s})
		if errors.Is(err, grpc.ErrServerStopped) {
			err = nil // by Stop, before this goroutine ran
		}
		s.served <- err
	}()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.socket.Addr() }

// Stop takes no more calls and returns when those that are open have ended, or were cut off at
// Limits.StopTimeout. The error is why the server ended before, if it did.
func (s *Server) Stop() error {
	cut := time.AfterFunc(s.service.Limits.StopTimeout, s.grpc.Stop)
	s.grpc.GracefulStop()
	cut.Stop()
	if err := <-s.served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // or it was stopped before it began
		return fmt.Errorf("axon: the server at %v ended by itself: %w", s.Addr(), err)
	}
	return nil
}

// ask answers one call. Whatever is wrong with it, the caller gets a reply that says so.
func (s *Server) ask(_ any, stream grpc.ServerStream) error {
	from, by, err := caller(stream.Context())
	if err != nil {
		return send(stream, refuse(host.Unauthenticated, "%v", err))
	}
	if admit := s.service.Admit; admit != nil {
		if err := admit(from); err != nil {
			return send(stream, refuse(host.Unauthenticated, "%v", err))
		}
	}
	if refusal, ok := s.enter(from, by); !ok {
		return send(stream, refusal)
	}
	defer s.leave(from)
	ctx, cancel := context.WithTimeout(stream.Context(), s.service.Limits.LongestCall)
	defer cancel()
	room, refusal, ok := s.makeRoom(ctx)
	if !ok {
		return send(stream, refusal)
	}
	defer s.memory.Release(room)
	bytes, refusal, ok := s.read(ctx, stream, room)
	if !ok {
		return send(stream, refusal)
	}
	q, err := decodeQuestion(bytes)
	if err != nil {
		return send(stream, refuse(codeOf(bytes), "%v", err))
	}
	for r := range s.service.Handle(ctx, from, q) {
		if len(r.Body) > s.service.Limits.BodyBytes {
			r = refuse(host.InvalidResponse, "the answer has %d bytes; a message has at most %d", len(r.Body), s.service.Limits.BodyBytes)
		}
		if err := deliver(ctx, stream, r); err != nil || !r.More {
			return err
		}
	}
	return nil
}

// codeOf tells a question of another version from one that is wrong.
func codeOf(question []byte) host.Code {
	if len(question) > 0 && question[0] != version {
		return host.NotImplemented
	}
	return host.InvalidRequest
}

// announced is the key under which a call says how many bytes its question has.
const announced = "taolab-bytes"

// makeRoom waits until there is memory for the question that a call announces, which is to be released.
func (s *Server) makeRoom(ctx context.Context) (room int64, refusal Reply, ok bool) {
	l := &s.service.Limits
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(announced); len(values) == 1 {
		room, _ = strconv.ParseInt(values[0], 10, 64)
	}
	switch {
	case room < questionHead:
		return 0, refuse(host.InvalidRequest, "the call does not say how many bytes its question has; expected a number of at least %d under %q", questionHead, announced), false
	case room > int64(l.BodyBytes+questionHead):
		return 0, refuse(host.InvalidRequest, "the question has %d bytes; this node takes at most %d", room-questionHead, l.BodyBytes), false
	}
	ctx, cancel := context.WithTimeout(ctx, l.ReadTimeout)
	defer cancel()
	if s.memory.Acquire(ctx, room) != nil {
		return 0, refuse(host.Backoff, "this node holds as many bytes of questions as it may, %d: ask again later", l.MemoryBytes), false
	}
	return room, Reply{}, true
}

// read is the question, if it comes in time and is as long as was announced.
func (s *Server) read(ctx context.Context, stream grpc.ServerStream, room int64) (bytes []byte, refusal Reply, ok bool) {
	late := time.NewTimer(s.service.Limits.ReadTimeout)
	defer late.Stop()
	m := message{body: make([]byte, 0, room)}
	read := make(chan error, 1)
	go func() { // ends at the latest when the call does
		var err error
		for err == nil && int64(len(m.body)) < room {
			err = stream.RecvMsg(&m)
		}
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil && err != io.EOF {
			return nil, refuse(host.InvalidRequest, "the question did not arrive: %v", err), false
		}
	case <-late.C:
		return nil, refuse(host.Timeout, "the question did not arrive within %v", s.service.Limits.ReadTimeout), false
	case <-ctx.Done():
		return nil, refuse(host.Timeout, "the question did not arrive before its deadline"), false
	}
	if int64(len(m.body)) != room {
		return nil, refuse(host.InvalidRequest, "the question has %d bytes, %d were announced", len(m.body), room), false
	}
	return m.body, Reply{}, true
}

// enter counts an admitted call and lets its connection stay, unless there are as many as there may be.
func (s *Server) enter(from host.PeerID, by *guest) (Reply, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch l := &s.service.Limits; {
	case s.callers[from] >= l.CallerCalls:
		return refuse(host.Backoff, "%d of your calls are open here, as many as there may be: wait for one to end", l.CallerCalls), false
	case s.open >= l.OpenCalls:
		return refuse(host.Backoff, "%d calls are open here, as many as there may be: ask again later", l.OpenCalls), false
	case !by.stays && s.connections[from] >= l.CallerConnections:
		return refuse(host.Backoff, "%d of your connections are open here, as many as there may be: call on one of them, or close one", l.CallerConnections), false
	}
	by.stay(from)
	s.open++
	s.callers[from]++
	return Reply{}, true
}

func (s *Server) leave(from host.PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	leave(s.callers, from)
}

// deliver sends a reply unless the call ends first: a caller that reads nothing would hold it for ever.
func deliver(ctx context.Context, stream grpc.ServerStream, r Reply) error {
	sent := make(chan error, 1)
	go func() { sent <- send(stream, r) }() // ends at the latest when the call does
	select {
	case err := <-sent:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-sent: // a refusal that says so may have left just now
		return err
	case <-time.After(lastWord):
		return status.Error(codes.DeadlineExceeded, "the answer was not taken before its deadline")
	}
}

// lastWord is how long a reply may take that is sent when its call is over.
const lastWord = 100 * time.Millisecond

func send(stream grpc.ServerStream, r Reply) error {
	return sendParts(stream, appendReply(nil, r), r.Body)
}
