package journal

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/snapshot"
)

// every has an event of each type, with every field set.
var every = []host.Event{
	host.Start{Restored: true},
	host.Timer{ID: 1, Tag: 2},
	host.Block{ID: 3, Tag: 4, Height: 5},
	host.Done{ID: 6, Result: []byte("result")},
	host.Incoming{Call: 7, From: host.PeerID{8}, To: 3, StakeRao: 9, Deadline: -10, Request: host.Request{
		Synapse: host.StatedLoss, Dir: host.Backward, Body: []byte("body"), MaxReplies: 11}},
	host.Cancelled{Call: 12},
	host.Answer{Call: 13, From: host.PeerID{14}, SentAt: 15, Response: host.Response{Code: host.Backoff, Body: []byte("b"), More: true}},
	host.Included{ID: 16, Height: 17},
	host.Rejected{ID: 18, Height: 19, Reason: "why"},
	host.Expired{ID: 20},
}

func TestEveryEventComesBackAsItWas(t *testing.T) {
	if len(every) != len(layouts) {
		t.Errorf("%d types of events have a layout, the test has %d", len(layouts), len(every))
	}
	for _, e := range every {
		c := snapshot.Append(nil)
		codeEvent(c, &e)
		var back host.Event
		r := snapshot.Read(c.Written())
		codeEvent(r, &back)
		if err := r.End(); err != nil || !reflect.DeepEqual(back, e) {
			t.Errorf("%#v comes back as %#v: %v", e, back, err)
		}
	}
}

// still does nothing.
type still struct{}

func (still) Handle(host.Env, host.Event) {}
func (still) AppendState(b []byte) []byte { return b }
func (still) RestoreState([]byte) error   { return nil }

// journalOf has a turn for each event.
func journalOf() []byte {
	c := snapshot.Append(nil)
	(&opening{name: "a"}).layout(c)
	b := append([]byte(magic), appendFrame(nil, c.Written())...)
	for _, e := range every {
		if _, is := e.(host.Done); is {
			continue // of no job
		}
		c := snapshot.Append(nil)
		(&turn{event: e}).layout(c)
		b = appendFrame(b, c.Written())
	}
	return b
}

func noViews(uint64) (chain.View, error) { return chain.View{}, nil }

// A journal that ends early, as a kill leaves it, is good up to its last whole turn; one that was changed is
// an error. Nothing in between.
func TestACutJournalIsGoodUpToItsEndAndADamagedOneIsNot(t *testing.T) {
	whole := journalOf()
	full, err := Replay(bytes.NewReader(whole), still{}, noViews)
	if err != nil || full.Cut || full.Turns != uint64(len(every)-1) {
		t.Fatal(full, err)
	}
	c := snapshot.Append(nil)
	(&opening{name: "a"}).layout(c)
	for n := len(magic) + 8 + len(c.Written()); n < len(whole); n++ {
		r, err := Replay(bytes.NewReader(whole[:n]), still{}, noViews)
		if err != nil || r.Turns >= full.Turns {
			t.Fatalf("cut at %d: %+v, %v", n, r, err)
		}
	}
	for n := len(magic) + 8; n < len(whole); n++ {
		bad := bytes.Clone(whole)
		bad[n] ^= 1
		r, err := Replay(bytes.NewReader(bad), still{}, noViews)
		if err == nil && !r.Cut { // a longer length looks like a cut
			t.Fatalf("byte %d was changed and nobody noticed", n)
		}
	}
}

type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.room {
		n := f.room
		f.room = 0
		return n, errFull
	}
	f.room -= len(b)
	return len(b), nil
}

// A disk that is full ends the journal, never the agent, and nothing is written behind the gap.
func TestAFullDiskEndsTheJournal(t *testing.T) {
	disk := &full{room: 10}
	r := Record("a", host.Self{}, still{}, disk)
	if !errors.Is(r.Err(), errFull) || r.Written() != 10 {
		t.Error(r.Err(), r.Written())
	}
	disk.room = 1000
	r.write([]byte("more"))
	if r.Written() != 10 {
		t.Error("something stands behind the gap")
	}
}

func FuzzReplay(f *testing.F) {
	f.Add(journalOf())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		Replay(bytes.NewReader(b), still{}, noViews) // never panics
	})
}

func FuzzTurn(f *testing.F) {
	for _, e := range every {
		c := snapshot.Append(nil)
		(&turn{now: 1, height: 2, event: e, acts: []act{{"draw", 3, []byte("x")}}}).layout(c)
		f.Add(c.Written())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var u turn
		c := snapshot.Read(b)
		u.layout(c)
		if c.End() != nil {
			return
		}
		again := snapshot.Append(nil)
		u.layout(again)
		if !bytes.Equal(again.Written(), b) {
			t.Errorf("%x is read and written as %x", b, again.Written())
		}
	})
}
