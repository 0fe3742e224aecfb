package base

import (
	"slices"
	"sync"
)

// Shelf keeps texts and models in memory, under the hash of what they were made from, so that the runs of one
// process share them, one after the other or side by side. What is on it is only read. The zero Shelf keeps
// nothing.
type Shelf struct {
	MaxBytes int64 // what was taken longest ago goes first

	mutex sync.Mutex
	items []*shelved // taken last, last
}

// shelved is a text or model, or the place of one that is being made.
type shelved struct {
	key    string
	mutex  sync.Mutex // held by who makes it; the others wait
	value  any
	nbytes int64
}

// take returns what stands under a key, or makes it. What fails is not kept: who waited for it tries itself.
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

// place finds the place of a key, as the last that was taken.
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

// keep counts what was made and forgets the oldest beyond the limit; places that are empty yet count nothing.
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
