package report

import (
	"fmt"
	"runtime/debug"

	"taolab/sim/trace"
)

// behindRows is how many rows are handed over at a time. As many again may be with the writer: both
// take about 2 MB.
const behindRows = 4096

// Behind is a recorder in front of a Writer that digests, encodes and writes the rows on another
// goroutine, in the order in which they came; rows that come as trace.Rows are made there too. At most
// 2*behindRows rows are on their way, and those that the last trace.Rows stand for: Record waits when there
// are more. No goroutine is left when Writer returns.
//
// A row must not change after it was recorded. A Behind belongs to one goroutine.
type Behind struct {
	writer  *Writer
	waiting []trace.Row   // recorded, and not handed over yet
	rows    int           // that they stand for, at most
	spare   []trace.Row   // holds the next ones while the writer has waiting's
	written chan struct{} // closed when the writer has the rows that were handed over; nil: it has them
	failed  bool

	watch  func() int64 // a stopwatch in nanoseconds
	waited int64        // of it, Record for rows on their way
}

var _ trace.RowsRecorder = (*Behind)(nil)

// NewBehind makes a recorder in front of w; from now on reach w through the method Writer. The stopwatch
// counts nanoseconds and serves WaitNs only.
func NewBehind(w *Writer, stopwatch func() int64) *Behind {
	return &Behind{
		writer: w, waiting: make([]trace.Row, 0, behindRows), spare: make([]trace.Row, 0, behindRows), watch: stopwatch,
	}
}

// Record takes a row of a selected table and drops any other.
func (b *Behind) Record(row trace.Row) {
	if !b.writer.selected[row.Table()] {
		return
	}
	b.keep(row, 1)
}

// RecordRows takes rows of a selected table that the writer's goroutine is to make, and drops any others.
func (b *Behind) RecordRows(rows trace.Rows) {
	if b.writer.selected[rows.Table()] {
		b.keep(rows, max(1, rows.Len()))
	}
}

func (b *Behind) keep(row trace.Row, rows int) {
	b.waiting = append(b.waiting, row)
	b.rows += rows
	if b.rows >= behindRows {
		from := b.watch()
		b.handOver()
		b.waited += b.watch() - from
	}
}

// WaitNs is how long Record has waited, in nanoseconds of the stopwatch, for rows to be written.
func (b *Behind) WaitNs() int64 { return b.waited }

// Failed reports whether the writer is known to have failed. It does not wait for the rows on their way.
func (b *Behind) Failed() bool { return b.failed }

// Writer returns the writer when it has all rows so far. It may be used until the next Record.
func (b *Behind) Writer() *Writer {
	b.handOver()
	b.settle()
	return b.writer
}

// handOver passes the waiting rows to the writer once it has taken those before.
func (b *Behind) handOver() {
	b.settle()
	if len(b.waiting) == 0 {
		return
	}
	rows, written := b.waiting, make(chan struct{})
	b.waiting, b.spare, b.written, b.rows = b.spare[:0], rows, written, 0
	go func() {
		defer close(written)
		b.writer.take(rows)
		clear(rows) // memory is free as soon as its row is written
	}()
}

// settle waits until the writer has the rows that were handed over.
func (b *Behind) settle() {
	if b.written == nil {
		return
	}
	<-b.written
	b.written = nil
	b.failed = b.writer.err != nil
}

// take records rows on a goroutine and recovers from a panic there, which nobody else could.
func (w *Writer) take(rows []trace.Row) {
	at := 0
	defer func() {
		if p := recover(); p != nil {
			w.fail(rows[at].Table(), fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	for ; at < len(rows); at++ {
		trace.Record(w, rows[at])
	}
}
