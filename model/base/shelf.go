package base

import (
	"slices"
	"sync"
)

// Shelf keeps texts and models in memory, each under the hash of its inputs, so that the runs of one process
// share them, whether in turn or concurrently. Its items are read-only. The zero Shelf keeps nothing.
type Shelf struct {
	MaxBytes int64 // the least recently used item goes first

	mutex sync.Mutex
	items []*shelved // the most recently used last
}

// shelved is a text or model, or the place of one that is being made.
type shelved struct {
	key    string
	mutex  sync.Mutex // held while the item is made; other callers wait
	value  any
	nbytes int64
}

// take returns the item under a key, or makes it. A failure is not kept: each caller that waited for it tries
// again.
func take[T any](s *Shelf, key string, nbytes func(T) int64, make func() (T, error)) (T, error) {
	if s == nil || s.MaxBytes <= 0 {
		return make()
	}
	place := s.place(key)
	place.mutex.Lock()
	defer place.mutex.Unlock()
	if place.value != nil {
		return place.value.(T), nil
	}
	value, err := make()
	if err == nil {
		place.value = value
		s.keep(place, nbytes(value))
	}
	return value, err
}

// place finds or adds the place of a key and makes it the most recently used.
func (s *Shelf) place(key string) *shelved {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	i := slices.IndexFunc(s.items, func(it *shelved) bool { return it.key == key })
	if i < 0 {
		s.items = append(s.items, &shelved{key: key})
		return s.items[len(s.items)-1]
	}
	item := s.items[i]
	s.items = append(slices.Delete(s.items, i, i+1), item)
	return item
}

// keep counts an item that was made and forgets the least recently used ones beyond the limit. Places that
// are still empty count nothing.
func (s *Shelf) keep(made *shelved, nbytes int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	made.nbytes = nbytes
	total := int64(0)
	for i := len(s.items) - 1; i >= 0; i-- {
		if total += s.items[i].nbytes; total > s.MaxBytes {
			s.items = slices.Delete(s.items, i, i+1)
		}
	}
}
