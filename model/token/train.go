package token

import (
	"container/heap"
	"fmt"
)

// Train learns a tokenizer of vocab tokens from texts: the 256 bytes in GPT-2's order, then one token
// per merge, then the end of text. Each merge joins the pair of neighbours that is most frequent
// within pretokens; ties go to the smaller left id, then to the smaller right id. A merge whose
// result is spelled like an existing token yields that token.
//
// It is an error if vocab is not within [MinVocab, MaxVocab] or the texts run out of pairs.
func Train(texts [][]byte, vocab int) (*Tokenizer, error) {
	if vocab < MinVocab || vocab > MaxVocab {
		return nil, fmt.Errorf("token: a vocabulary of %d tokens; wanted %d to %d", vocab, MinVocab, MaxVocab)
	}
	t := newTrainer(texts)
	for len(t.text) < vocab-1 {
		best, ok := t.best()
		if !ok {
			return nil, fmt.Errorf("token: the text yields %d tokens only, %d were wanted: give more text "+
				"(it has %d different pretokens) or ask for a smaller vocabulary", len(t.text)+1, vocab, len(t.words))
		}
		t.join(best)
	}
	t.text = append(t.text, []byte(endOfText))
	return newTokenizer(t.text, t.bytes, t.merges, ID(vocab-1)), nil
}

// word is a pretoken as its current tokens, and the number of its occurrences.
type word struct {
	ids   []ID
	count int64
}

// trainer counts pairs over the different pretokens of the text.
type trainer struct {
	text   [][]byte
	bytes  [256]ID
	byText map[string]ID
	merges []merge
	words  []word
	counts map[uint32]int64   // of each pair over all words
	where  map[uint32][]int32 // words that hold the pair, or held it once
	queue  candidates
}

func newTrainer(texts [][]byte) *trainer {
	t := &trainer{
		byText: make(map[string]ID, 512),
		counts: make(map[uint32]int64),
		where:  make(map[uint32][]int32),
	}
	for i, b := range alphabet {
		t.text = append(t.text, []byte{b})
		t.bytes[b] = ID(i)
		t.byText[string([]byte{b})] = ID(i)
	}
	index := make(map[string]int)
	for _, text := range texts {
		for len(text) > 0 {
			n := pretoken(text)
			i, ok := index[string(text[:n])]
			if !ok {
				i = len(t.words)
				index[string(text[:n])] = i
				t.words = append(t.words, word{ids: t.single(text[:n])})
			}
			t.words[i].count++
			text = text[n:]
		}
	}
	for i := range t.words {
		t.count(int32(i), t.words[i].count)
	}
	return t
}

// single is text as one token per byte.
func (t *trainer) single(text []byte) []ID {
	ids := make([]ID, len(text))
	for i, b := range text {
		ids[i] = t.bytes[b]
	}
	return ids
}

// count adds by to the count of every pair in word i. A pair that gains is queued again, since the
// queue's entry understates it; an entry that overstates its pair is corrected when it comes up.
func (t *trainer) count(i int32, by int64) {
	ids := t.words[i].ids
	for k := 1; k < len(ids); k++ {
		key := pair(ids[k-1], ids[k])
		t.counts[key] += by
		if by > 0 {
			t.where[key] = append(t.where[key], i)
			heap.Push(&t.queue, candidate{t.counts[key], key})
		}
	}
}

// best takes the next pair to join off the queue.
func (t *trainer) best() (uint32, bool) {
	for len(t.queue) > 0 {
		top := heap.Pop(&t.queue).(candidate)
		now := t.counts[top.key]
		if now == top.count && now > 0 {
			return top.key, true
		}
		if 0 < now && now < top.count {
			heap.Push(&t.queue, candidate{now, top.key})
		}
	}
	return 0, false
}

// join learns one merge and applies it to the words that hold its pair.
func (t *trainer) join(key uint32) {
	left, right := ID(key>>16), ID(key&0xFFFF)
	text := append(append([]byte{}, t.text[left]...), t.text[right]...)
	result, ok := t.byText[string(text)]
	if !ok {
		result = ID(len(t.text))
		t.text = append(t.text, text)
		t.byText[string(text)] = result
	}
	m := merge{left, right, result}
	t.merges = append(t.merges, m)
	holders := t.where[key]
	delete(t.where, key)
	for _, i := range holders {
		w := &t.words[i]
		if !m.within(w.ids) {
			continue
		}
		t.count(i, -w.count)
		w.ids = m.apply(w.ids)
		t.count(i, w.count)
	}
}

func (m merge) within(ids []ID) bool {
	for k := 1; k < len(ids); k++ {
		if ids[k-1] == m.left && ids[k] == m.right {
			return true
		}
	}
	return false
}

// apply joins from left to right, in place.
func (m merge) apply(ids []ID) []ID {
	out := ids[:0]
	for k := 0; k < len(ids); k++ {
		if k+1 < len(ids) && ids[k] == m.left && ids[k+1] == m.right {
			out = append(out, m.result)
			k++
		} else {
			out = append(out, ids[k])
		}
	}
	return out
}

// candidate is a pair with the count it had when it was queued.
type candidate struct {
	count int64
	key   uint32
}

// candidates is a heap with the most frequent pair on top; ties go to the smallest.
type candidates []candidate

func (c candidates) Len() int      { return len(c) }
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c candidates) Less(i, j int) bool {
	return c[i].count > c[j].count || c[i].count == c[j].count && c[i].key < c[j].key
}
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) }
func (c *candidates) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	*c = (*c)[:last]
	return x
}
