package token

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheCacheIsBoundedAndChangesNothing(t *testing.T) {
	tok := trained(t, 340)
	e := tok.NewEncoder()
	var text []byte
	for i := range cacheEntries + 100 {
		text = append(text, ' ', byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), byte('a'+i/17576))
	}
	ids := e.Encode(nil, text)
	if len(e.cache) > cacheEntries || len(e.cache) == 0 {
		t.Errorf("the cache holds %d pretokens; wanted 1 to %d", len(e.cache), cacheEntries)
	}
	if got := tok.Decode(nil, ids); !bytes.Equal(got, text) {
		t.Error("text that overflows the cache decodes to other bytes")
	}
	long := []byte(strings.Repeat("the", 100))
	before := len(e.cache)
	e.Encode(nil, long)
	if len(e.cache) != before {
		t.Error("a pretoken of 300 bytes is cached")
	}
}

func BenchmarkEncode(b *testing.B) {
	tok := trained(b, 340)
	text := []byte(strings.Repeat(prose, 200))
	e := tok.NewEncoder()
	var ids []ID
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		ids = e.Encode(ids[:0], text)
	}
}
