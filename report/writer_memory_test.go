package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/parquet-go/parquet-go"

	"taolab/sim/trace"
)

// TestTheWriterTakesNoMoreMemoryForALongerRun compares the heap after a few parts and after many.
func TestTheWriterTakesNoMoreMemoryForALongerRun(t *testing.T) {
	w, err := NewWriter(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	random := splitMix(1)
	heap := func(parts int) uint64 {
		for range parts {
			for range 20_000 {
				w.Record(trace.Weight{To: uint16(random.next()), Weight: uint32(random.next())})
			}
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		var memory runtime.MemStats
		runtime.GC()
		runtime.GC() // what libraries pool lives through one
		runtime.ReadMemStats(&memory)
		return memory.HeapAlloc
	}
	few, many := heap(5), heap(50)
	if many > few+few/10+100_000 {
		t.Errorf("%d bytes after 5 parts, %d after 55", few, many)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAPageStaysWithinOneBlockOfItsCompressor guards against memory that only long runs take: for a longer
// page the encoder of zstd takes a history of 16 MiB, at each row group.
func TestAPageStaysWithinOneBlockOfItsCompressor(t *testing.T) {
	const block = 128 << 10
	dir := t.TempDir()
	w, err := NewWriter(dir, trace.Epochs, trace.Transactions)
	if err != nil {
		t.Fatal(err)
	}
	random := splitMix(1)
	for range GroupRows + 1 {
		w.Record(trace.Epoch{EmissionRao: random.next(), StakeRao: random.next()})
		w.Record(trace.Transaction{Reason: trace.Some(fmt.Sprintf("%064x", random.next()))})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, info := range w.Tables() {
		for column, size := range longestPages(t, filepath.Join(dir, fileName(info.Table))) {
			if size > block {
				t.Errorf("%s: column %d has a page of %d bytes, at most %d expected", info.Table, column, size, block)
			}
		}
	}
}

// longestPages is the size, by column, of the longest page before it was compressed.
func longestPages(t *testing.T, path string) []int64 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pf, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	longest := make([]int64, len(pf.RowGroups()[0].ColumnChunks()))
	for _, group := range pf.RowGroups() {
		for column, chunk := range group.ColumnChunks() {
			pages := chunk.Pages()
			for {
				page, err := pages.ReadPage()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				longest[column] = max(longest[column], page.Size())
				parquet.Release(page)
			}
			pages.Close()
		}
	}
	return longest
}
