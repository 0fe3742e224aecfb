package virtual_test

import (
	"context"
	"fmt"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/virtual"
)

// echo serves requests by sending their bodies back.
type echo struct{}

func (echo) Handle(env host.Env, e host.Event) {
	if in, ok := e.(host.Incoming); ok {
		env.Reply(in.Call, host.Response{Code: host.Success, Body: in.Request.Body})
	}
}
func (echo) AppendState(b []byte) []byte { return b }
func (echo) RestoreState([]byte) error   { return nil }

// caller asks a peer once and says what came back.
type caller struct{ peer host.PeerID }

func (c caller) Handle(env host.Env, e host.Event) {
	switch e := e.(type) {
	case host.Start:
		env.Call(c.peer, host.Request{Body: make([]byte, 1_000_000)}, 12*host.Second)
	case host.Answer:
		fmt.Printf("code %d, %d bytes after %d ms\n", e.Response.Code, len(e.Response.Body),
			(env.Now()-e.SentAt)/host.Millisecond)
	}
}
func (caller) AppendState(b []byte) []byte { return b }
func (caller) RestoreState([]byte) error   { return nil }

// A megabyte goes to a server and comes back over its 10 Mbit/s uplink.
func ExampleWorld() {
	params, _ := chain.Era("2026")
	w, err := virtual.New(virtual.Config{
		Seed:    7,
		Genesis: chain.Genesis{ChainID: "example", Params: params},
		Blocks:  1,
		Links:   virtual.Links{Latency: [][]host.Time{{40 * host.Millisecond}}},
		Nodes: []virtual.Node{
			{Name: "caller", Agent: caller{peer: virtual.PublicKey(7, "server", host.Hotkey)}},
			{Name: "server", Agent: echo{}, UpBps: 10_000_000},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("height", w.Chain().Height(), "events", w.Progress().Events)
	// Output:
	// code 1, 1000000 bytes after 880 ms
	// height 1 events 4
}
