package replica

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"taolab/sim/chain"
)

// store is all that a node keeps on disk in one place: the engine's databases and the ledger, so that one
// log orders all their writes. Keys begin with a prefix:
//
//	the name of a database and a slash    the engine's
//	ledger/s and a record's key           the state after the newest block, see chain.State.Records
//	ledger/n                              that block's height, hash and the state's digest
//	ledger/b and a height, high byte first    the blocks, for replay
type store struct {
	db   *pebble.DB
	gate *gate
	gone uint64 // blocks below this height were deleted since it opened
}

// database is what the engine sees of it.
func (s *store) database() database { return database{s.db, s.gate} }

// close waits for those who use the store.
func (s *store) close() error {
	s.gate.close()
	return s.db.Close()
}

var (
	ledgerKey = []byte("ledger/")
	stateKey  = []byte("ledger/s")
	tipKey    = []byte("ledger/n")
	blockKey  = []byte("ledger/b")
)

const (
	storeCacheBytes    = 8 << 20
	storeMemtableBytes = 4 << 20 // two of them fill an idle node within hours
	leastDiskBytes     = 4 << 20 // on a full disk opening never ends
)

// openStore opens the store in a folder. broken is told of an error after which it accepts no write.
func openStore(fs vfs.FS, dir string, log *slog.Logger, broken func(error)) (*store, error) {
	if u, err := fs.GetDiskUsage(fs.PathDir(dir)); err == nil && u.AvailBytes < leastDiskBytes {
		return nil, fmt.Errorf("store %s: its disk has %d MB free, and a node begins with %d at least: free some, or move the folder",
			dir, u.AvailBytes>>20, leastDiskBytes>>20)
	}
	cache := pebble.NewCache(storeCacheBytes)
	defer cache.Unref()
	db, err := pebble.Open(dir, &pebble.Options{
		FS: fs, Cache: cache, MemTableSize: storeMemtableBytes, MaxOpenFiles: 256,
		FormatMajorVersion: pebble.FormatNewest, Logger: storeLogger{log, broken},
	})
	if err != nil {
		return nil, fmt.Errorf("store %s cannot be opened: %w: does another node run in this folder? If none does and the "+
			"disk is sound, join again with an empty folder", dir, err)
	}
	return &store{db: db, gate: &gate{}}, nil
}

// makeFolder makes a folder and those above it that outlive a power cut.
func makeFolder(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeFolder(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	above, err := fs.OpenDir(parent)
	if err != nil {
		return err
	}
	return errors.Join(above.Sync(), above.Close())
}

// storeLogger passes on what the store says of itself.
type storeLogger struct {
	log    *slog.Logger
	broken func(error)
}

func (l storeLogger) Infof(format string, args ...any)  { l.log.Debug(fmt.Sprintf(format, args...)) }
func (l storeLogger) Errorf(format string, args ...any) { l.log.Error(fmt.Sprintf(format, args...)) }

// Fatalf never returns: its callers would go on as if the write were on disk.
func (l storeLogger) Fatalf(format string, args ...any) {
	l.broken(fmt.Errorf(format, args...))
	select {}
}

// tip is the newest block in the store.
type tip struct {
	height       uint64
	hash, digest chain.Digest
	timeNs       int64 // of the block; it stands in the block's own record. 0: not known
}

func (t tip) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(nil, t.height)
	return append(append(b, t.hash[:]...), t.digest[:]...)
}

// load returns the state after the newest block; nil if there is none yet.
func (s *store) load() (*chain.State, tip, error) {
	data, err := s.database().Get(tipKey)
	if err != nil || data == nil {
		return nil, tip{}, err
	}
	if len(data) != 8+32+32 {
		return nil, tip{}, fmt.Errorf("store: the newest block has a record of %d bytes, want %d", len(data), 8+32+32)
	}
	t := tip{height: binary.LittleEndian.Uint64(data), hash: chain.Digest(data[8:40]), digest: chain.Digest(data[40:])}
	if b, known, err := s.block(t.height); err != nil {
		return nil, tip{}, err
	} else if known {
		t.timeNs = b.Begin.TimeNs
	}
	var all []byte
	err = s.each(stateKey, func(_, value []byte) error {
		all = append(all, value...)
		return nil
	})
	if err != nil {
		return nil, tip{}, err
	}
	state := new(chain.State)
	if err := state.UnmarshalBinary(all); err != nil {
		return nil, tip{}, fmt.Errorf("store: the state after block %d is damaged: %w", t.height, err)
	}
	if have := state.Seal(); have != t.digest || state.Height() != t.height {
		return nil, tip{}, fmt.Errorf("store: the state has height %d and digest %s, block %d left %s: it is damaged, "+
			"join again with an empty folder", state.Height(), have, t.height, t.digest)
	}
	return state, t, nil
}

// each calls f with what follows a prefix in the keys, and the values.
func (s *store) each(prefix []byte, f func(key, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(it.Key()[len(prefix):], it.Value()); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return it.Close()
}

// after is the first key behind all those with a prefix.
func after(prefix []byte) []byte {
	b := bytes.Clone(prefix)
	b[len(b)-1]++
	return b
}

func atHeight(height uint64) []byte {
	return binary.BigEndian.AppendUint64(bytes.Clone(blockKey), height)
}

// commit writes in one synced batch what a block changed since a view, and the block; it forgets the blocks
// below a height.
func (s *store) commit(state *chain.State, since chain.View, t tip, block chain.Block, retain uint64) error {
	b := s.db.NewBatch()
	defer b.Close()
	var failed error
	keep := func(err error) { failed = errors.Join(failed, err) }
	key := func(record []byte) []byte { return append(bytes.Clone(stateKey), record...) }
	state.Records(since,
		func(record, value []byte) { keep(b.Set(key(record), value, nil)) },
		func(record []byte) { keep(b.Delete(key(record), nil)) })
	keep(b.Set(tipKey, t.bytes(), nil))
	if block.Height > 0 {
		data, err := block.AppendBinary(nil)
		keep(err)
		keep(b.Set(atHeight(block.Height), data, nil))
	}
	switch { // a range for every block would cost the square of their number
	case retain == s.gone+1:
		keep(b.Delete(atHeight(s.gone), nil))
	case retain > s.gone:
		keep(b.DeleteRange(atHeight(s.gone), atHeight(retain), nil))
	}
	if failed != nil {
		return fmt.Errorf("store: block %d: %w", t.height, failed)
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("store: block %d: %w", t.height, err)
	}
	s.gone = max(s.gone, retain)
	return nil
}

// forget deletes the ledger.
func (s *store) forget() error {
	if err := s.db.DeleteRange(ledgerKey, after(ledgerKey), pebble.Sync); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// block returns the recorded block at a height.
func (s *store) block(height uint64) (chain.Block, bool, error) {
	data, err := s.database().Get(atHeight(height))
	if err != nil || data == nil {
		return chain.Block{}, false, err
	}
	b, err := chain.DecodeBlock(data)
	if err != nil {
		return chain.Block{}, false, fmt.Errorf("store: %w", err)
	}
	return b, true, nil
}
