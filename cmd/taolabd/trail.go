package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"taolab/report"
	"taolab/sim/chain"
	"taolab/sim/trace"
)

// trailRows is how many rows may wait for the disk.
const trailRows = 16_384

// trail writes what its process sees of the chain and what its agents do, in folders of runs that taolab report
// reads. The disk is the business of its own goroutine: a node neither waits for it nor ends with it. A row for
// which the queue has no room is lost, and run.json counts it.
type trail struct {
	traceTable
	dir      string // of all folders
	describe func() (report.Manifest, []trace.Node)
	view     func() chain.View
	log      *slog.Logger

	queue   chan trace.Row
	lost    atomic.Uint64
	ended   chan struct{}
	merging sync.WaitGroup // a folder that is over

	// What follows belongs to the goroutine.
	folder *trailFolder // nil: the disk failed
	told   uint64       // lost rows that the log knows of
}

// trailFolder is the folder that grows.
type trailFolder struct {
	dir      string
	writer   *report.Writer
	manifest report.Manifest
	digests  hash.Hash // over those of the ledger
}

// begin makes the first folder, so that what is wrong with it is told before the agents live.
func (t *trail) begin() error {
	t.queue, t.ended = make(chan trace.Row, trailRows), make(chan struct{})
	if err := t.open(t.view().Height()); err != nil {
		return fmt.Errorf("the trace cannot be begun: %w; free space there, or set trace.on = false", err)
	}
	t.prune()
	go t.write()
	return nil
}

var _ trace.Recorder = (*trail)(nil)

// Record takes a row, if there is room for it.
func (t *trail) Record(row trace.Row) {
	select {
	case t.queue <- row:
	default:
		t.lost.Add(1)
	}
}

// end makes whole files of what was recorded. Nobody records any more. The fault is what ended the agents; nil:
// somebody stopped them.
func (t *trail) end(fault error) {
	close(t.queue)
	<-t.ended
	if f := t.folder; f != nil {
		f.manifest.Interrupted = fault == nil
		if fault != nil {
			f.manifest.Fault = firstLine(fault)
		}
		t.finish(f)
	}
	t.merging.Wait()
}

// write is the goroutine.
func (t *trail) write() {
	defer close(t.ended)
	syncs := time.NewTicker(seconds(t.SyncS))
	defer syncs.Stop()
	for {
		select {
		case row, more := <-t.queue:
			if !more {
				return
			}
			t.take(row)
		case <-syncs.C:
			t.sync()
		}
	}
}

// take writes a row, in the next folder where it tells of a block behind the last of this one.
func (t *trail) take(row trace.Row) {
	if t.folder == nil {
		return
	}
	if heightOf(row) > t.folder.manifest.GenesisBlock+t.FolderBlocks {
		t.turn()
	}
	if f := t.folder; f != nil {
		f.record(row)
		t.check(f, f.writer.Err())
	}
}

// heightOf is the block that a row of the chain tells of, as far as rows begin a block; 0 of others.
func heightOf(row trace.Row) uint64 {
	switch row := row.(type) {
	case trace.Block:
		return row.Height
	case trace.Transaction:
		return row.Block
	case trace.Seat:
		if row.UntilBlock != nil {
			return *row.UntilBlock
		}
	}
	return 0
}

// record writes a row, and reads of a block how far the chain is.
func (f *trailFolder) record(row trace.Row) {
	if b, ok := row.(trace.Block); ok && b.Digest != nil {
		digest, _ := hex.DecodeString(*b.Digest) // a digest's own form
		f.digests.Write(digest)
		f.manifest.Blocks, f.manifest.VirtualNs = b.Height, b.TimeNs
		f.manifest.LedgerDigest, f.manifest.RunDigest = *b.Digest, hex.EncodeToString(f.digests.Sum(nil))
	}
	f.writer.Record(row)
}

// turn ends a folder that has its blocks and begins the next. Seats that last are in both.
func (t *trail) turn() {
	f := t.folder
	for _, seat := range heldSeats(t.view(), f.manifest.Nodes) {
		f.writer.Record(seat)
	}
	f.manifest.Finished = true
	t.merging.Wait()
	t.merging.Go(func() {
		t.finish(f)
		t.prune()
	})
	if err := t.open(f.manifest.Blocks); err != nil {
		t.stop(f, err)
	}
}

// heldSeats are the lives of uids that last.
func heldSeats(v chain.View, nodes []report.Node) []trace.Seat {
	index := map[string]*uint32{}
	for i, n := range nodes {
		index[n.Hotkey] = trace.Some(uint32(i))
	}
	seats := make([]trace.Seat, v.N())
	for i := range seats {
		n := v.Neuron(chain.UID(i))
		hotkey := n.Hotkey.String()
		seats[i] = trace.Seat{UID: uint16(i), Node: index[hotkey], Hotkey: hotkey, FromBlock: n.RegisteredAt, End: trace.Held}
	}
	return seats
}

// open begins a folder after a block. Its name is the number behind the greatest.
func (t *trail) open(after uint64) error {
	numbers, err := t.numbers()
	if err != nil {
		return err
	}
	number := uint64(1)
	if n := len(numbers); n > 0 {
		number = numbers[n-1] + 1
	}
	f := &trailFolder{dir: filepath.Join(t.dir, folderName(number)), digests: sha256.New()}
	manifest, nodes := t.describe()
	f.manifest = manifest
	f.manifest.GenesisBlock, f.manifest.Started = after, time.Now().UTC()
	if f.writer, err = report.NewWriter(f.dir, manifest.Recorded...); err != nil {
		return err
	}
	for _, n := range nodes {
		f.writer.Record(n)
	}
	if err := errors.Join(report.WriteScenario(f.dir, manifest.ScenarioTOML), report.WriteManifest(f.dir, f.manifest)); err != nil {
		return err
	}
	t.folder = f
	t.log.Info("a trace is written", "folder", f.dir)
	return nil
}

func folderName(number uint64) string { return fmt.Sprintf("%06d", number) }

// numbers are those of the folders, in order.
func (t *trail) numbers() (numbers []uint64, err error) {
	entries, err := os.ReadDir(t.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries { // by name
		if n, err := strconv.ParseUint(e.Name(), 10, 64); err == nil && folderName(n) == e.Name() {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// prune removes the oldest folders, where the settings say how many stay.
func (t *trail) prune() {
	numbers, err := t.numbers()
	for t.Folders > 0 && uint64(len(numbers)) > t.Folders && err == nil {
		err = os.RemoveAll(filepath.Join(t.dir, folderName(numbers[0])))
		numbers = numbers[1:]
	}
	if err != nil {
		t.log.Error("old traces stay", "error", err)
	}
}

// sync makes what was written whole on disk.
func (t *trail) sync() {
	if lost := t.lost.Load(); lost > t.told {
		t.told = lost
		t.log.Warn("the disk is too slow for the trace", "lost rows", lost)
	}
	if f := t.folder; f != nil {
		t.check(f, errors.Join(f.writer.Sync(), t.tell(f)))
	}
}

// tell writes run.json.
func (t *trail) tell(f *trailFolder) error {
	m, v := f.manifest, t.view()
	m.Tables, m.WallSeconds = f.writer.Tables(), time.Since(m.Started).Seconds()
	m.Nodes = append([]report.Node(nil), m.Nodes...)
	for i := range m.Nodes {
		if key, err := chain.ParseKey(m.Nodes[i].Hotkey); err == nil {
			uid, seated := v.UIDOf(key)
			m.Nodes[i].UID, m.Nodes[i].HasUID = uint16(uid), seated
		}
	}
	if lost := t.lost.Load(); lost > 0 {
		m.Warnings = append(m.Warnings[:len(m.Warnings):len(m.Warnings)], fmt.Sprintf("%d rows are missing: the disk was too slow for them", lost))
	}
	return report.WriteManifest(f.dir, m)
}

// finish makes one file of each table.
func (t *trail) finish(f *trailFolder) {
	err := errors.Join(f.writer.Sync(), t.tell(f)) // a kill while the tables are merged loses nothing
	if err == nil {
		err = f.writer.Close()
	}
	f.manifest.Ended = time.Now().UTC()
	if err != nil {
		f.manifest.Finished, f.manifest.Interrupted, f.manifest.Fault = false, false, firstLine(err)
	}
	if err = errors.Join(err, t.tell(f)); err != nil {
		t.log.Error("a trace is not in whole files", "folder", f.dir, "error", err)
	}
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// stop ends the trace, whose newest folder is f.
func (t *trail) stop(f *trailFolder, err error) {
	t.log.Error("no trace is written any more; taolab report shows what is whole: is the disk full?", "folder", f.dir, "error", err)
	t.folder = nil
}

// check ends the trace when its disk failed. The node goes on.
func (t *trail) check(f *trailFolder, err error) {
	if err == nil {
		return
	}
	t.stop(f, err)
	f.manifest.Fault = firstLine(err)
	f.writer.Close()
	_ = t.tell(f) // the disk failed, which was told
}
