package virtual

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"sync"

	"taolab/sim/chain"
	"taolab/sim/host"
	"taolab/sim/trace"
)

// eventLog is the running hash over all that happens. Each entry begins with a byte that says
// what it is: the kind of an event, or one of the marks. Integers are little-endian; texts and
// bodies follow their length. Before all entries stands the digest of what the run starts from.
//
// A full page is hashed outside the loop while the next one fills.
type eventLog struct {
	hash   hash.Hash // touched only while no page is being hashed
	page   []byte
	spare  []byte // the page that is being hashed, or was
	hashes sync.WaitGroup
	await  func(func()) // calls what waits for the hash
}

// Marks of entries that are not events.
const (
	markBlock  = 0x80 // height, number of transactions; then each with its outcome
	markLedger = 0x81 // height, ledger digest
)

// logPage is how many bytes of the log are hashed at once: as many as come in while every core has a job and
// the hash waits for one.
const logPage = 256 << 10

func newEventLog(origin chain.Digest, await func(func())) *eventLog {
	return &eventLog{hash: sha256.New(), page: slices.Clone(origin[:]), await: await}
}

// event begins the entry of an event.
func (l *eventLog) event(e event) {
	le := binary.LittleEndian
	b := append(l.page, byte(e.kind))
	b = le.AppendUint32(b, uint32(e.node))
	b = le.AppendUint64(b, uint64(e.at))
	b = le.AppendUint64(b, e.seq)
	l.page = b
	l.number(e.id)
}

func (l *eventLog) mark(mark byte, height uint64) {
	l.page = append(l.page, mark)
	l.number(height)
}

func (l *eventLog) number(x uint64) {
	if len(l.page) >= logPage {
		l.flush()
	}
	l.page = binary.LittleEndian.AppendUint64(l.page, x)
}

// bytes adds a body, which belongs to the caller again afterwards.
func (l *eventLog) bytes(b []byte) {
	l.number(uint64(len(b)))
	for len(b) > logPage {
		l.page = append(l.page, b[:logPage]...)
		b = b[logPage:]
		l.flush()
	}
	l.page = append(l.page, b...)
}

// flush hands the page to the hash. It waits for the page before it, of which it takes the place.
func (l *eventLog) flush() {
	l.await(l.hashes.Wait)
	l.page, l.spare = l.spare[:0], l.page
	l.hashes.Go(func() { l.hash.Write(l.spare) })
}

// settled is the hash of all entries so far.
func (l *eventLog) settled() hash.Hash {
	l.flush()
	l.await(l.hashes.Wait)
	return l.hash
}

// digest is the hash of all entries so far; entries may follow.
func (l *eventLog) digest() (d chain.Digest) {
	l.settled().Sum(d[:0])
	return d
}

// message adds what was delivered: everything that the receiver can see.
func (l *eventLog) message(m *message) {
	var flags uint64
	if m.reply {
		flags = 1
	}
	if m.more {
		flags |= 2
	}
	l.number(flags | uint64(m.synapse)<<8 | uint64(m.dir)<<16 | uint64(m.code)<<24 | uint64(m.replies)<<32)
	l.number(m.from.number() | m.to.number()<<32)
	l.number(uint64(m.call))
	l.number(uint64(m.deadline))
	l.bytes(m.body)
}

// number is a party in 32 bits: the node, of which there are at most 2^20, and the identity above 24.
func (p party) number() uint64 { return uint64(uint32(p.node) | uint32(p.id)<<24) }

// transaction adds what the block producer got, without its signature.
func (l *eventLog) transaction(bytes []byte) { l.bytes(bytes[:len(bytes)-chain.SignatureBytes]) }

// block adds what a block made of its transactions.
func (l *eventLog) block(height uint64, receipts []host.Receipt) {
	l.mark(markBlock, height)
	l.number(uint64(len(receipts)))
	for _, r := range receipts {
		if r.Fate == trace.Expired {
			l.bytes([]byte("expired"))
		} else {
			l.bytes([]byte(r.Reason))
		}
	}
}

// ledger adds a ledger digest.
func (l *eventLog) ledger(height uint64, d chain.Digest) {
	l.mark(markLedger, height)
	l.bytes(d[:])
}
