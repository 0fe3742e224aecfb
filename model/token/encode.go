package token

// Bounds of an encoder's cache. A full cache is emptied; what it holds never changes a result.
const (
	cacheEntries  = 1 << 16 // pretokens
	cacheTextMost = 48      // bytes of a pretoken that is kept
)

// Encoder encodes texts with one tokenizer and remembers the pretokens it has met. It belongs to one
// goroutine.
type Encoder struct {
	tokenizer *Tokenizer
	cache     map[string]span
	kept      []ID // tokens of all cached pretokens
	list      []symbol
	queue     []uint64
}

// span is a part of Encoder.kept.
type span struct{ from, to uint32 }

// symbol is a token inside a pretoken, in a list linked both ways by index; -1 ends it.
type symbol struct {
	id         ID
	gone       bool
	prev, next int32
}

// NewEncoder returns an encoder with an empty cache.
func (t *Tokenizer) NewEncoder() *Encoder {
	return &Encoder{tokenizer: t, cache: make(map[string]span)}
}

// Encode appends the tokens of text to dst. It takes O(n log n) time, whatever the text.
func (e *Encoder) Encode(dst []ID, text []byte) []ID {
	for len(text) > 0 {
		n := pretoken(text)
		word := text[:n]
		text = text[n:]
		if n == 1 {
			dst = append(dst, e.tokenizer.bytes[word[0]])
			continue
		}
		if s, ok := e.cache[string(word)]; ok {
			dst = append(dst, e.kept[s.from:s.to]...)
			continue
		}
		start := len(dst)
		dst = e.merge(dst, word)
		if n <= cacheTextMost {
			e.keep(word, dst[start:])
		}
	}
	return dst
}

// keep remembers the tokens of a pretoken.
func (e *Encoder) keep(word []byte, ids []ID) {
	if len(e.cache) >= cacheEntries {
		clear(e.cache)
		e.kept = e.kept[:0]
	}
	from := uint32(len(e.kept))
	e.kept = append(e.kept, ids...)
	e.cache[string(word)] = span{from, uint32(len(e.kept))}
}

// merge appends the tokens of one pretoken to dst: it always applies the merge that was learned
// first, leftmost pair first. The queue is a binary heap of (rank, position); an entry whose
// neighbours have changed since is skipped.
func (e *Encoder) merge(dst []ID, word []byte) []ID {
	e.list, e.queue = e.list[:0], e.queue[:0]
	for i, b := range word {
		e.list = append(e.list, symbol{id: e.tokenizer.bytes[b], prev: int32(i) - 1, next: int32(i) + 1})
	}
	e.list[len(word)-1].next = -1
	for i := range e.list {
		e.offer(int32(i))
	}
	for len(e.queue) > 0 {
		top := e.pop()
		at := int32(uint32(top))
		left := &e.list[at]
		if left.gone || left.next < 0 {
			continue
		}
		right := &e.list[left.next]
		r, ok := e.tokenizer.rules[pair(left.id, right.id)]
		if !ok || r.rank != uint32(top>>32) {
			continue
		}
		left.id, left.next, right.gone = r.result, right.next, true
		if left.next >= 0 {
			e.list[left.next].prev = at
		}
		e.offer(at)
		if left.prev >= 0 {
			e.offer(left.prev)
		}
	}
	for i := int32(0); i >= 0; i = e.list[i].next {
		dst = append(dst, e.list[i].id)
	}
	return dst
}

// offer queues the merge of the symbol at i with the next one, if one exists.
func (e *Encoder) offer(i int32) {
	s := e.list[i]
	if s.next < 0 {
		return
	}
	r, ok := e.tokenizer.rules[pair(s.id, e.list[s.next].id)]
	if !ok {
		return
	}
	e.queue = append(e.queue, uint64(r.rank)<<32|uint64(uint32(i)))
	for k := len(e.queue) - 1; k > 0 && e.queue[k] < e.queue[(k-1)/2]; k = (k - 1) / 2 {
		e.queue[k], e.queue[(k-1)/2] = e.queue[(k-1)/2], e.queue[k]
	}
}

// pop takes the smallest entry off the queue.
func (e *Encoder) pop() uint64 {
	top, last := e.queue[0], len(e.queue)-1
	e.queue[0] = e.queue[last]
	e.queue = e.queue[:last]
	for k := 0; ; {
		least := k
		for child := 2*k + 1; child <= 2*k+2 && child < last; child++ {
			if e.queue[child] < e.queue[least] {
				least = child
			}
		}
		if least == k {
			return top
		}
		e.queue[k], e.queue[least] = e.queue[least], e.queue[k]
		k = least
	}
}
