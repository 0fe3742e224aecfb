package virtual

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"testing"
	"time"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// TestTheLogTellsApartWhatMayHappen changes one thing at a time; every change is another digest.
func TestTheLogTellsApartWhatMayHappen(t *testing.T) {
	large := bytes.Repeat([]byte{1}, logPage)
	seen := map[chain.Digest]string{}
	is := func(name string, write func(*eventLog)) {
		t.Helper()
		l := newEventLog(chain.Digest{}, atOnce)
		write(l)
		d := l.digest()
		if other, same := seen[d]; same {
			t.Errorf("%s has the digest of %s", name, other)
		}
		if d != l.digest() {
			t.Errorf("%s: asking for the digest changes it", name)
		}
		seen[d] = name
	}
	m := message{from: party{node: 1}, to: party{node: 2}, synapse: 1, dir: 1, code: 1, replies: 1, call: 7, deadline: 9, body: []byte{1, 2}}
	messages := []struct {
		name   string
		change func(*message)
	}{
		{"a message", func(*message) {}},
		{"its sender", func(m *message) { m.from.node = 3 }},
		{"its sender's identity", func(m *message) { m.from.id = 1 }},
		{"its receiver", func(m *message) { m.to.node = 3 }},
		{"its receiver's identity", func(m *message) { m.to.id = 1 }},
		{"a reply", func(m *message) { m.reply = true }},
		{"more to come", func(m *message) { m.more = true }},
		{"its synapse", func(m *message) { m.synapse = 2 }},
		{"its direction", func(m *message) { m.dir = 2 }},
		{"its code", func(m *message) { m.code = 2 }},
		{"the replies it allows", func(m *message) { m.replies = 2 }},
		{"its call", func(m *message) { m.call = 8 }},
		{"its deadline", func(m *message) { m.deadline = 10 }},
		{"its body", func(m *message) { m.body = []byte{1, 3} }},
		{"a longer body", func(m *message) { m.body = []byte{1, 2, 0} }},
		{"a large body", func(m *message) { m.body = large }},
		{"the end of a large body", func(m *message) { m.body = append(bytes.Clone(large), 2) }},
	}
	for _, c := range messages {
		changed := m
		c.change(&changed)
		is(c.name, func(l *eventLog) { l.message(&changed) })
	}
	receipts := func(fates ...string) (list []host.Receipt) {
		for _, reason := range fates {
			r := host.Receipt{Fate: trace.Rejected, Reason: reason}
			if reason == "" {
				r.Fate = trace.Included
			}
			if reason == "late" {
				r.Fate = trace.Expired
			}
			list = append(list, r)
		}
		return list
	}
	is("a block", func(l *eventLog) { l.block(5, receipts("")) })
	is("another height", func(l *eventLog) { l.block(6, receipts("")) })
	is("two transactions", func(l *eventLog) { l.block(5, receipts("", "")) })
	is("a refusal", func(l *eventLog) { l.block(5, receipts("poor")) })
	is("another refusal", func(l *eventLog) { l.block(5, receipts("poorer")) })
	is("an expired one", func(l *eventLog) { l.block(5, receipts("late")) })
	is("the other order", func(l *eventLog) { l.block(5, receipts("", "poor")) })
	is("one order", func(l *eventLog) { l.block(5, receipts("poor", "")) })
	is("a ledger", func(l *eventLog) { l.ledger(5, chain.Digest{1}) })
	is("a ledger at another height", func(l *eventLog) { l.ledger(6, chain.Digest{1}) })
	is("another ledger", func(l *eventLog) { l.ledger(5, chain.Digest{2}) })
	is("a transaction", func(l *eventLog) { l.transaction(make([]byte, 100)) })
	is("another transaction", func(l *eventLog) { l.transaction(append([]byte{1}, make([]byte, 99)...)) })
	e := event{at: 5, seq: 6, id: 7, node: 8, kind: evTimer}
	is("an event", func(l *eventLog) { l.event(e) })
	for i, change := range []func(*event){
		func(e *event) { e.at++ }, func(e *event) { e.seq++ }, func(e *event) { e.id++ },
		func(e *event) { e.node++ }, func(e *event) { e.kind++ },
	} {
		changed := e
		change(&changed)
		is("field "+string(rune('0'+i))+" of an event", func(l *eventLog) { l.event(changed) })
	}
}

func TestTheLogLeavesSignaturesOut(t *testing.T) {
	digest := func(signature byte) chain.Digest {
		l := newEventLog(chain.Digest{}, atOnce)
		b := make([]byte, 100)
		b[36], b[99] = signature, signature
		l.transaction(b)
		return l.digest()
	}
	if digest(0) != digest(1) {
		t.Error("two signatures of one transaction have two digests")
	}
}

func TestTheLogHashesAllBytesInTheirOrder(t *testing.T) {
	origin := chain.Digest{9}
	l, all := newEventLog(origin, atOnce), origin[:]
	for i, n := range []int{0, 5, logPage - 1, logPage, logPage + 1, 3 * logPage, 7, 2*logPage + 3, 1} {
		body := bytes.Repeat([]byte{byte(i)}, n)
		l.bytes(body)
		all = append(binary.LittleEndian.AppendUint64(all, uint64(n)), body...)
		clear(body) // it belongs to the caller again
		if i%3 == 0 && l.digest() != sha256.Sum256(all) {
			t.Fatalf("after %d bodies the digest is not that of their bytes", i+1)
		}
	}
	if l.digest() != sha256.Sum256(all) {
		t.Error("the digest is not that of the bytes")
	}
}

// atOnce waits without counting.
func atOnce(wait func()) { wait() }

// slowHash takes its time.
type slowHash struct{ hash.Hash }

func (h slowHash) Write(b []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return h.Hash.Write(b)
}

func TestTheLoopThatWaitsForTheHashOfItsLogIsIdle(t *testing.T) {
	began := time.Now()
	p := newPool(1, func() int64 { return int64(time.Since(began)) })
	l := newEventLog(chain.Digest{}, p.await)
	l.hash = slowHash{l.hash}
	l.flush()
	if waited := time.Duration(p.spent.waiting.Load()); waited > 10*time.Millisecond {
		t.Errorf("%v idle for the first page, which nothing is before", waited)
	}
	l.digest()
	if waited := time.Duration(p.spent.waiting.Load()); waited < 35*time.Millisecond {
		t.Errorf("%v idle for two pages of 20 ms each", waited)
	}
}
