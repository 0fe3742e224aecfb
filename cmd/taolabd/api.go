package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"taolab/sim/chain"
	"taolab/sim/live"
	"taolab/sim/live/replica"
)

// The node's own interface over HTTP, for the other verbs of this program. It shows the ledger, which is public,
// and takes transactions, which are signed: it holds no key and can do nothing in anybody's name.
const (
	pathStatus = "/v1/status"
	pathView   = "/v1/view"         // canonical bytes of the view
	pathState  = "/v1/state"        // canonical bytes of the state
	pathRecord = "/v1/record"       // all blocks since the genesis, of a node that archives
	pathTx     = "/v1/transactions" // POST of a transaction's bytes; answers when its block is there
)

const (
	mostCallers    = 512 // connections; who comes later waits to be accepted
	mostWaiting    = 256 // callers that wait for their block
	mostReading    = 32  // callers that read the ledger, of which each has a copy
	waitPatience   = 30 * time.Minute
	callerPatience = 30 * time.Second // for a request, and for each part of an answer
	idlePatience   = 2 * time.Minute  // between two requests
	partBytes      = 1 << 18
	resubmitEvery  = 64 // blocks
)

// status is how a node is doing, as programs read it.
type status struct {
	ChainID    string    `json:"chain_id"`
	Height     uint64    `json:"height"`
	Time       time.Time `json:"time"`
	Digest     string    `json:"digest"`
	Block      string    `json:"block_hash"`
	CatchingUp bool      `json:"catching_up"`
	Peers      int       `json:"peers"`
	Waiting    int       `json:"waiting"`
	P2P        string    `json:"p2p"` // where others reach it
}

// receipt is what became of a transaction, as programs read it.
type receipt struct {
	Height  uint64 `json:"height"` // 0: it is in no block
	FeeRao  uint64 `json:"fee_rao"`
	Refusal string `json:"refusal,omitempty"`
}

// keeper is what the interface needs of a node besides its ledger.
type keeper interface {
	Status() replica.Status
	Export() (state []byte, height uint64, err error)
	WriteRecord(w io.Writer) error
}

// api answers for a node.
type api struct {
	ledger  live.Ledger
	node    keeper
	waiting chan struct{}
	reading chan struct{}
}

// serveAPI answers at an address until ctx ends.
func serveAPI(ctx context.Context, l live.Ledger, n keeper, address string) (net.Addr, error) {
	socket, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("api: %w; set another address, or 127.0.0.1:0 for any that is free", err)
	}
	serveHTTP(ctx, socket, newAPI(l, n), callerPatience)
	return socket.Addr(), nil
}

// serveHTTP answers on a socket until ctx ends. A caller that neither sends nor reads for so long is hung up on.
func serveHTTP(ctx context.Context, socket net.Listener, h http.Handler, patience time.Duration) {
	server := &http.Server{
		ReadTimeout: patience, IdleTimeout: idlePatience, MaxHeaderBytes: 1 << 14,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(patient{w, patience}, r) }),
	}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() { _ = server.Serve(netutil.LimitListener(socket, mostCallers)) }() // it ends when ctx does
}

// patient gives the reader of an answer so long for each part of it, and any time for the whole.
type patient struct {
	http.ResponseWriter
	patience time.Duration
}

func (w patient) Write(p []byte) (n int, err error) {
	to := http.NewResponseController(w.ResponseWriter)
	for err == nil && n < len(p) {
		_ = to.SetWriteDeadline(time.Now().Add(w.patience)) // a connection without one has no reader to wait for
		var did int
		did, err = w.ResponseWriter.Write(p[n:min(n+partBytes, len(p))])
		n += did
	}
	return n, err
}

func newAPI(l live.Ledger, n keeper) http.Handler {
	a := &api{l, n, make(chan struct{}, mostWaiting), make(chan struct{}, mostReading)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathStatus, a.status)
	mux.HandleFunc("GET "+pathView, a.read(a.view))
	mux.HandleFunc("GET "+pathState, a.read(a.state))
	mux.HandleFunc("GET "+pathRecord, a.read(a.record))
	mux.HandleFunc("POST "+pathTx, a.transaction)
	return mux
}

func (a *api) status(w http.ResponseWriter, _ *http.Request) {
	s := a.node.Status()
	writeJSON(w, status{s.ChainID, s.Height, s.Time, s.Digest.String(), s.Hash.String(), s.CatchingUp, s.Peers, s.Waiting, s.PeerID + "@" + s.Address})
}

// read lets as many callers read the ledger as may.
func (a *api) read(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case a.reading <- struct{}{}:
			defer func() { <-a.reading }()
			answer(w, r)
		default:
			http.Error(w, fmt.Sprintf("%d callers read the ledger already; try again in a moment", mostReading), http.StatusServiceUnavailable)
		}
	}
}

func (a *api) view(w http.ResponseWriter, _ *http.Request) {
	data, err := a.ledger.View().AppendBinary(nil)
	writeBytes(w, data, err)
}

func (a *api) state(w http.ResponseWriter, _ *http.Request) {
	data, _, err := a.node.Export()
	writeBytes(w, data, err)
}

// record streams all blocks. Where one is missing the connection breaks, so that nobody takes a part for the whole.
func (a *api) record(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &begun{Writer: w}
	switch err := a.node.WriteRecord(out); {
	case err != nil && out.any:
		panic(http.ErrAbortHandler)
	case err != nil:
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// begun knows whether anything was written.
type begun struct {
	io.Writer
	any bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.any = true
	return b.Writer.Write(p)
}

// transaction offers a transaction to the network and answers what became of it.
func (a *api) transaction(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, chain.MaxTxBytes))
	if err != nil {
		http.Error(w, fmt.Sprintf("a transaction has at most %d bytes", chain.MaxTxBytes), http.StatusRequestEntityTooLarge)
		return
	}
	tx, err := chain.DecodeTx(data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case a.waiting <- struct{}{}:
		defer func() { <-a.waiting }()
	default:
		http.Error(w, fmt.Sprintf("%d callers wait for their blocks already; try again after the next block", mostWaiting), http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), waitPatience)
	defer cancel()
	got, err := follow(ctx, a.ledger, data, tx.Expiry)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, got)
}

// follow submits a transaction and waits for its block, or for the height after which none may have it.
func follow(ctx context.Context, l live.Ledger, data []byte, expiry uint64) (receipt, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	blocks := l.Blocks(ctx)
	if err := l.Submit(ctx, data); err != nil {
		return receipt{Refusal: err.Error()}, nil
	}
	since := 0
	for {
		select {
		case b, open := <-blocks:
			if !open && ctx.Err() == nil {
				return receipt{}, errors.New("the node stopped; whether the transaction is in a block is not known")
			}
			if !open {
				return receipt{}, late(expiry)
			}
			for i, other := range b.Txs {
				if bytes.Equal(other, data) {
					return received(b.Height, b.Outcome.Delivered[i]), nil
				}
			}
			if b.Height >= expiry {
				return receipt{Refusal: fmt.Sprintf("no block up to %d, its expiry, included it", expiry)}, nil
			}
			if since++; since%resubmitEvery == 0 { // the pool is in memory; the nonce makes it safe
				_ = l.Submit(ctx, data) // other nodes may have it, so what this one says does not count
			}
		case <-ctx.Done():
			return receipt{}, late(expiry)
		}
	}
}

// late says that nobody waits any longer.
func late(expiry uint64) error {
	return fmt.Errorf("no block included the transaction so far; it may still come until block %d", expiry)
}

func received(height uint64, d chain.Delivered) receipt {
	r := receipt{Height: height, FeeRao: d.FeeRao}
	switch {
	case d.Err != nil:
		r.Refusal = d.Err.Error()
	case d.Refusal != nil: // of its own type
		r.Refusal = d.Refusal.Error()
	}
	return r
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // a caller that went away hears nothing
}

func writeBytes(w http.ResponseWriter, data []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data) // a caller that went away hears nothing
}
