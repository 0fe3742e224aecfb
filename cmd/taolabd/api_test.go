package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"taolab/sim/chain"
	"taolab/sim/live"
	"taolab/sim/live/replica"
	"taolab/sim/live/wallet"
)

// fakeLedger is a ledger that refuses everything, or says what it was told to.
type fakeLedger struct {
	state   *chain.State
	refusal error
	again   error // the refusal of all but the first
	broken  error
	blocks  chan live.Block
}

func (f *fakeLedger) View() chain.View { return f.state.View() }
func (f *fakeLedger) Submit(context.Context, []byte) error {
	said := f.refusal
	if f.again != nil {
		f.refusal = f.again
	}
	return said
}
func (f *fakeLedger) Blocks(context.Context) <-chan live.Block { return f.blocks }
func (f *fakeLedger) Status() replica.Status                   { return replica.Status{ChainID: "net", Height: 7} }
func (f *fakeLedger) Export() ([]byte, uint64, error) {
	data, err := f.state.AppendBinary(nil)
	return data, f.state.Height(), errors.Join(err, f.broken)
}
func (f *fakeLedger) WriteRecord(w io.Writer) error {
	if f.broken != nil {
		return f.broken
	}
	_, err := w.Write([]byte("blocks"))
	return err
}

func fakeNode(t *testing.T, f *fakeLedger) *client {
	p, err := chain.Era("2026")
	if err != nil {
		t.Fatal(err)
	}
	if f.state, err = chain.New(chain.Genesis{ChainID: "net", Params: p}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newAPI(f, f))
	t.Cleanup(server.Close)
	return &client{server.URL}
}

func transfer(t *testing.T) []byte {
	tx := chain.Sign("net", wallet.Known("alice"), 0, 10, chain.Transfer{To: wallet.Public(wallet.Known("bob")), AmountRao: 1})
	data, err := tx.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheInterfaceShowsTheLedgerBitForBit(t *testing.T) {
	node := fakeNode(t, &fakeLedger{})
	s, v, err := node.now(t.Context())
	if err != nil || s.ChainID != "net" || s.Height != 7 || v.Params().Rule == "" {
		t.Errorf("status %+v, view of %v, %v", s, v.Params().Rule, err)
	}
	data, err := node.ask(t.Context(), http.MethodGet, pathState, nil, mostView)
	var state chain.State
	if err != nil || state.UnmarshalBinary(data) != nil || state.ChainID() != "net" {
		t.Errorf("a state of %d bytes, %v", len(data), err)
	}
	var blocks bytes.Buffer
	if err := node.copy(t.Context(), http.MethodGet, pathRecord, nil, &blocks, 100); err != nil || blocks.String() != "blocks" {
		t.Errorf("blocks %q, %v", blocks.String(), err)
	}
}

func TestWhatTheInterfaceCannotDoItSays(t *testing.T) {
	refusing := fakeNode(t, &fakeLedger{refusal: &replica.Refused{Reason: "full"}, broken: errors.New("block 3 is not kept")})
	if r, err := refusing.submit(t.Context(), transfer(t)); err != nil || !strings.Contains(r.Refusal, "full") {
		t.Errorf("%+v, %v", r, err)
	}
	for _, c := range []struct {
		name, path, method, want string
		body                     []byte
		most                     int64
	}{
		{"no transaction", pathTx, http.MethodPost, "transaction of 3 bytes", []byte("abc"), mostAnswer},
		{"too long", pathTx, http.MethodPost, "at most", make([]byte, chain.MaxTxBytes+1), mostAnswer},
		{"wrong method", pathTx, http.MethodGet, "Method Not Allowed", nil, mostAnswer},
		{"no such path", "/v2", http.MethodGet, "404", nil, mostAnswer},
		{"broken record", pathRecord, http.MethodGet, "block 3 is not kept", nil, mostAnswer},
		{"broken state", pathState, http.MethodGet, "block 3 is not kept", nil, mostAnswer},
		{"long answer", pathView, http.MethodGet, "more than 10 bytes", nil, 10},
	} {
		if _, err := refusing.ask(t.Context(), c.method, c.path, c.body, c.most); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want one that says %q", c.name, err, c.want)
		}
	}
}

func TestATransactionIsFollowedToItsBlockOrToItsEnd(t *testing.T) {
	data := transfer(t)
	block := func(height uint64, d chain.Delivered, txs ...[]byte) live.Block {
		return live.Block{Block: chain.Block{Height: height, Txs: txs}, Outcome: chain.Outcome{Delivered: []chain.Delivered{d}}}
	}
	paid := chain.Delivered{Receipt: chain.Receipt{FeeRao: 75}}
	refused := chain.Delivered{Receipt: chain.Receipt{FeeRao: 75, Refusal: &chain.Error{Code: chain.ZeroAmount}}}
	for _, c := range []struct {
		name   string
		blocks []live.Block
		want   receipt
	}{
		{"included", []live.Block{block(8, chain.Delivered{}), block(9, paid, data)}, receipt{Height: 9, FeeRao: 75}},
		{"refused in a block", []live.Block{block(8, refused, data)}, receipt{8, 75, chain.ZeroAmount.Error()}},
		{"expired", []live.Block{block(9, chain.Delivered{}), block(10, paid, []byte("another's"))},
			receipt{Refusal: "no block up to 10, its expiry, included it"}},
	} {
		f := &fakeLedger{blocks: make(chan live.Block, 8)}
		for _, b := range c.blocks {
			f.blocks <- b
		}
		if r, err := fakeNode(t, f).submit(t.Context(), data); err != nil || r != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, r, err, c.want)
		}
	}
	// Others may have what the node does not take again.
	f := &fakeLedger{blocks: make(chan live.Block, 2*resubmitEvery), again: &replica.Refused{Reason: "full"}}
	for range resubmitEvery {
		f.blocks <- block(8, chain.Delivered{})
	}
	f.blocks <- block(9, paid, data)
	if r, err := fakeNode(t, f).submit(t.Context(), data); err != nil || r != (receipt{Height: 9, FeeRao: 75}) {
		t.Errorf("offered again in vain: %+v, %v", r, err)
	}
	stopped := &fakeLedger{blocks: make(chan live.Block)}
	close(stopped.blocks)
	if _, err := fakeNode(t, stopped).submit(t.Context(), data); err == nil || !strings.Contains(err.Error(), "the node stopped") {
		t.Errorf("a node that stops: %v", err)
	}
}

// slow is a reader of a record who is not done until it is released.
type slow struct {
	*fakeLedger
	begun, release chan struct{}
}

func (s slow) WriteRecord(w io.Writer) error {
	select {
	case s.begun <- struct{}{}:
	case <-s.release:
	}
	<-s.release
	return s.fakeLedger.WriteRecord(w)
}

// Each reader of the ledger has a copy of it: so many may read at a time, the next is told so at once, and who asks how
// the node is doing is answered meanwhile.
func TestReadersOfTheLedgerBeyondTheMostAreToldSo(t *testing.T) {
	f := &fakeLedger{}
	fakeNode(t, f)
	s := slow{f, make(chan struct{}), make(chan struct{})}
	server := httptest.NewServer(newAPI(f, s))
	defer server.Close()
	get := func(path string) (int, string) {
		r, err := (&http.Client{Timeout: 10 * time.Second}).Get(server.URL + path)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer r.Body.Close()
		said, _ := io.ReadAll(r.Body)
		return r.StatusCode, string(said)
	}
	codes := make(chan int, mostReading)
	for range mostReading {
		go func() {
			code, _ := get(pathRecord)
			codes <- code
		}()
		<-s.begun
	}
	for _, path := range []string{pathView, pathState, pathRecord} {
		if code, said := get(path); code != http.StatusServiceUnavailable || !strings.Contains(said, "32 callers read the ledger already") {
			t.Errorf("%s: %d, %.80q", path, code, said)
		}
	}
	if code, _ := get(pathStatus); code != http.StatusOK {
		t.Errorf("%s: %d", pathStatus, code)
	}
	close(s.release)
	for range mostReading {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one that was let in: %d", code)
		}
	}
	if code, _ := get(pathView); code != http.StatusOK {
		t.Errorf("when there is room again: %d", code)
	}
}
