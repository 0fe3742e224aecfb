package virtual

// pending is a table of records that wait for something, by ascending id. Records are added in
// the order of their ids and leave in any order; space is given back when half of it is empty.
type pending[T any] struct {
	entries []entry[T]
	live    int
}

type entry[T any] struct {
	id    uint64
	gone  bool
	value T
}

// add appends a record; id is larger than all before.
func (p *pending[T]) add(id uint64, value T) *T {
	p.entries = append(p.entries, entry[T]{id: id, value: value})
	p.live++
	return &p.entries[len(p.entries)-1].value
}

// get is the record with an id, nil when there is none; valid until the next add or remove.
func (p *pending[T]) get(id uint64) *T {
	if e := p.find(id); e != nil {
		return &e.value
	}
	return nil
}

func (p *pending[T]) find(id uint64) *entry[T] {
	low, high := 0, len(p.entries)
	for low < high {
		middle := int(uint(low+high) / 2)
		if p.entries[middle].id < id {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == len(p.entries) || p.entries[low].id != id || p.entries[low].gone {
		return nil
	}
	return &p.entries[low]
}

// take removes the record with an id and returns it.
func (p *pending[T]) take(id uint64) (value T, ok bool) {
	e := p.find(id)
	if e == nil {
		return value, false
	}
	value = e.value
	*e = entry[T]{id: id, gone: true}
	p.live--
	switch {
	case p.live == 0:
		p.entries = p.entries[:0]
	case len(p.entries) > 16 && p.live < len(p.entries)/2:
		kept := p.entries[:0]
		for i := range p.entries {
			if !p.entries[i].gone {
				kept = append(kept, p.entries[i])
			}
		}
		clear(p.entries[len(kept):])
		p.entries = kept
	}
	return value, true
}

// each calls do for all records, by ascending id.
func (p *pending[T]) each(do func(*T)) {
	for i := range p.entries {
		if e := &p.entries[i]; !e.gone {
			do(&e.value)
		}
	}
}

// clear removes all records and says how many there were.
func (p *pending[T]) clear() int {
	n := p.live
	clear(p.entries)
	p.entries, p.live = p.entries[:0], 0
	return n
}
