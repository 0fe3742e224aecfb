package replica

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	dbm "github.com/cometbft/cometbft-db"

	"github.com/cockroachdb/pebble/v2"
)

// database is the engine's view of the node's one store. The engine asks for several databases; each is a
// prefix of the keys.
type database struct {
	db   *pebble.DB
	gate *gate
}

// gate lets the store close when nobody uses it. Routines of the engine outlive its stop by a few seconds:
// one that comes to a closed gate ends there.
type gate struct{ users, closed atomic.Int64 }

func (g *gate) enter() {
	g.users.Add(1)
	if g.closed.Load() > 0 {
		g.leave()
		runtime.Goexit()
	}
}

func (g *gate) leave() { g.users.Add(-1) }

// close waits until the last user has left, but not for ever.
func (g *gate) close() {
	g.closed.Store(1)
	for range 1000 {
		if g.users.Load() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

var (
	errEmptyKey = errors.New("replica: empty key")
	errNoValue  = errors.New("replica: no value")
)

func (d database) Get(key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, errEmptyKey
	}
	d.gate.enter()
	defer d.gate.leave()
	v, done, err := d.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read from the store: %w", err)
	}
	out := append(make([]byte, 0, len(v)), v...)
	return out, done.Close()
}

func (d database) Has(key []byte) (bool, error) {
	v, err := d.Get(key)
	return v != nil, err
}

func (d database) Set(key, value []byte) error     { return d.set(key, value, pebble.NoSync) }
func (d database) SetSync(key, value []byte) error { return d.set(key, value, pebble.Sync) }

func (d database) set(key, value []byte, o *pebble.WriteOptions) error {
	if err := storable(key, value); err != nil {
		return err
	}
	d.gate.enter()
	defer d.gate.leave()
	return d.db.Set(key, value, o)
}

func storable(key, value []byte) error {
	switch {
	case len(key) == 0:
		return errEmptyKey
	case value == nil:
		return errNoValue
	}
	return nil
}

func (d database) Delete(key []byte) error     { return d.remove(key, pebble.NoSync) }
func (d database) DeleteSync(key []byte) error { return d.remove(key, pebble.Sync) }

func (d database) remove(key []byte, o *pebble.WriteOptions) error {
	if len(key) == 0 {
		return errEmptyKey
	}
	d.gate.enter()
	defer d.gate.leave()
	return d.db.Delete(key, o)
}

// Close does nothing: the node closes the store when all who share it have stopped.
func (d database) Close() error { return nil }

func (d database) Print() error             { return nil }
func (d database) Stats() map[string]string { return nil }

func (d database) Compact(start, end []byte) error {
	if start == nil {
		start = []byte{0}
	}
	if end == nil {
		end = []byte{0xff}
	}
	d.gate.enter()
	defer d.gate.leave()
	return d.db.Compact(context.Background(), start, end, false)
}

func (d database) Iterator(start, end []byte) (dbm.Iterator, error) {
	return d.iterate(start, end, (*pebble.Iterator).First, (*pebble.Iterator).Next)
}

func (d database) ReverseIterator(start, end []byte) (dbm.Iterator, error) {
	return d.iterate(start, end, (*pebble.Iterator).Last, (*pebble.Iterator).Prev)
}

func (d database) iterate(start, end []byte, first, next func(*pebble.Iterator) bool) (dbm.Iterator, error) {
	if start != nil && len(start) == 0 || end != nil && len(end) == 0 {
		return nil, errEmptyKey
	}
	d.gate.enter() // until the iterator is closed
	it, err := d.db.NewIter(&pebble.IterOptions{LowerBound: start, UpperBound: end})
	if err != nil {
		d.gate.leave()
		return nil, fmt.Errorf("read from the store: %w", err)
	}
	first(it)
	return &iterator{it, next, start, end, d.gate}, nil
}

// iterator walks over keys in one direction.
type iterator struct {
	*pebble.Iterator
	next       func(*pebble.Iterator) bool
	start, end []byte
	gate       *gate // nil: closed
}

func (i *iterator) Close() error {
	if i.gate == nil {
		return nil
	}
	i.gate.leave()
	i.gate = nil
	return i.Iterator.Close()
}

func (i *iterator) Domain() (start, end []byte) { return i.start, i.end }
func (i *iterator) Next()                       { i.next(i.Iterator) }
func (i *iterator) Key() []byte                 { return append([]byte(nil), i.Iterator.Key()...) }
func (i *iterator) Value() []byte               { return append([]byte{}, i.Iterator.Value()...) }

func (d database) NewBatch() dbm.Batch { return &batch{d.db.NewBatch(), d.gate} }

// batch is a set of writes that happen together.
type batch struct {
	b    *pebble.Batch
	gate *gate
}

var errBatchClosed = errors.New("replica: batch written or closed before")

func (b *batch) Set(key, value []byte) error {
	if err := storable(key, value); err != nil {
		return err
	}
	if b.b == nil {
		return errBatchClosed
	}
	return b.b.Set(key, value, nil)
}

func (b *batch) Delete(key []byte) error {
	switch {
	case len(key) == 0:
		return errEmptyKey
	case b.b == nil:
		return errBatchClosed
	}
	return b.b.Delete(key, nil)
}

func (b *batch) Write() error     { return b.write(pebble.NoSync) }
func (b *batch) WriteSync() error { return b.write(pebble.Sync) }

func (b *batch) write(o *pebble.WriteOptions) error {
	if b.b == nil {
		return errBatchClosed
	}
	b.gate.enter()
	defer b.gate.leave()
	if err := b.b.Commit(o); err != nil {
		return err
	}
	return b.Close()
}

func (b *batch) Close() error {
	if b.b == nil {
		return nil
	}
	err := b.b.Close()
	b.b = nil
	return err
}
