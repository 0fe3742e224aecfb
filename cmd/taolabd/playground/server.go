package playground

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"taolab/agents/wire"
	"taolab/sim/chain"
	"taolab/sim/host"
)

// Application is an application of a live node, as its operator sees it. All methods may be called from any
// goroutine.
type Application interface {
	// Ask puts a request to the application and hands every reply to part, in order, until the last one.
	// When ctx ends it gives the request up and returns why.
	Ask(ctx context.Context, r host.Request, part func(host.Response)) error
	Self() host.Self
	View() chain.View
}

// Limits bound what a server does; zero values take the defaults.
type Limits struct {
	MaxTokens int           // of a completion; 0: 1024, an application's own default
	Open      int           // completions at a time; 0: 8
	Callers   int           // connections; who comes later waits to be accepted; 0: 128
	Longest   time.Duration // of a completion; 0: 30 min
	Slowest   time.Duration // that a reader may take for a part of an answer; 0: 30 s
}

func (l Limits) filled() Limits {
	if l.MaxTokens == 0 {
		l.MaxTokens = 1024
	}
	if l.Open == 0 {
		l.Open = 8
	}
	if l.Callers == 0 {
		l.Callers = 128
	}
	if l.Longest == 0 {
		l.Longest = 30 * time.Minute
	}
	if l.Slowest == 0 {
		l.Slowest = 30 * time.Second
	}
	return l
}

// maxRequest is the most bytes of a request's body. A prompt takes up to six times its length in JSON.
const maxRequest = 8*wire.MaxPromptBytes + 4096

// Server is the page and the interface for programs of one application.
type Server struct {
	app    Application
	limits Limits
	log    *slog.Logger
	open   chan struct{} // a place for each completion
	heard  heard
	mux    *http.ServeMux
}

//go:embed page
var files embed.FS

// New makes a server. A nil log is slog's default.
func New(app Application, limits Limits, log *slog.Logger) *Server {
	if log == nil {
		log = slog.Default()
	}
	limits = limits.filled()
	s := &Server{app: app, limits: limits, log: log, open: make(chan struct{}, limits.Open), mux: http.NewServeMux()}
	page, err := fs.Sub(files, "page")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	s.mux.Handle("/", http.FileServerFS(page))
	s.mux.HandleFunc("GET /v1/models", s.models)
	s.mux.HandleFunc("GET /v1/models/{name}", s.model)
	s.mux.HandleFunc("POST /v1/completions", s.completions)
	s.mux.HandleFunc("GET /api/caller", s.caller)
	s.mux.HandleFunc("GET /api/metagraph", s.metagraph)
	s.mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, &problem{http.StatusNotFound, invalidRequest, "", fmt.Sprintf("%s %s: there is no such thing here; "+
			"expected POST /v1/completions or GET /v1/models", r.Method, r.URL.Path)})
	})
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if p := local(r); p != nil {
		s.refuse(w, p)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	s.mux.ServeHTTP(w, r)
}

// local refuses requests that a page from elsewhere made a browser send: they name another host, come from
// another origin, or are not JSON.
func local(r *http.Request) *problem {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host
	}
	if !Loopback(name) {
		return &problem{http.StatusForbidden, permission, "", fmt.Sprintf("the request is for host %q; this page answers "+
			"only its own machine; expected localhost or a loopback address", r.Host)}
	}
	origin := r.Header.Get("Origin")
	if origin != "" && origin != "http://"+r.Host {
		return &problem{http.StatusForbidden, permission, "", fmt.Sprintf("the request comes from a page of %q; "+
			"expected http://%s, or a program that names no origin", origin, r.Host)}
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if r.Method == http.MethodPost && !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return &problem{http.StatusUnsupportedMediaType, invalidRequest, "", fmt.Sprintf("content type %q; "+
			"expected application/json", kind)}
	}
	return nil
}

// Loopback says whether a host's name or address means this machine only.
func Loopback(name string) bool {
	if strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && address.IsLoopback()
}

// Serve answers on a listener until ctx ends; then it gives open completions a moment to end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(l, s.limits.Callers)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("playground on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	soon, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := server.Shutdown(soon)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-ended
	return err
}

// Listen opens the address of a server, which must be one of this machine only: who reaches the page spends
// the stake of its operator.
func Listen(address string) (net.Listener, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("playground: address %q: %w; expected one such as 127.0.0.1:8080", address, err)
	}
	if !Loopback(name) {
		return nil, fmt.Errorf("playground: address %q is not of this machine only, and who reaches the page uses your stake; "+
			"expected one such as 127.0.0.1:8080; from elsewhere, come through a tunnel such as ssh -L", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("playground: %w; choose another port, or 0 for any", err)
	}
	return l, nil
}

// Kinds of problems, as OpenAI's clients know them.
const (
	invalidRequest = "invalid_request_error"
	permission     = "permission_error"
	overloaded     = "rate_limit_error"
	unavailable    = "server_error"
)

// problem is an error in the form that clients of OpenAI's interface read.
type problem struct {
	status  int
	kind    string
	param   string // of the request; empty: no single one
	message string
}

func (p *problem) body() map[string]any {
	var param any
	if p.param != "" {
		param = p.param
	}
	return map[string]any{"error": map[string]any{"message": p.message, "type": p.kind, "param": param, "code": nil}}
}

func (s *Server) refuse(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "2")
	}
	s.write(w, p.status, p.body())
}

func (s *Server) write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		s.log.Debug("playground: the reader left", "err", err)
	}
}
