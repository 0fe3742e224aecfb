package sweep

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Key identifies a run by all its inputs.
type Key [sha256.Size]byte

// String is the key in hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// keyOf reads what String writes.
func keyOf(text string) (Key, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(Key{}) {
		return Key{}, fmt.Errorf("key %q, expected 64 hexadecimal digits", text)
	}
	return Key(b), nil
}

// Shard is a part of a sweep's runs: those whose key modulo Of is Index.
type Shard struct{ Index, Of int }

// ParseShard reads a shard such as 0/4.
func ParseShard(text string) (Shard, error) {
	index, of, found := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !found || err != nil || err2 != nil || n < 1 || n > 100000 || i < 0 || i >= n {
		return Shard{}, fmt.Errorf("%q, expected I/N with I from 0 to N-1, as in 0/4", text)
	}
	return Shard{i, n}, nil
}

// Holds reports whether a run belongs to the shard.
func (s Shard) Holds(k Key) bool {
	return binary.BigEndian.Uint64(k[:8])%uint64(s.Of) == uint64(s.Index)
}

// String is the shard as ParseShard reads it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Seed derives the seed of a run, which is the same for every point if point is nil. It fits the integers of
// TOML.
func Seed(master, replication uint64, purpose string, point []byte) uint64 {
	sum := hashed("taolab/sweep/seed/1\n", little(master), little(replication), []byte(purpose), point)
	return binary.LittleEndian.Uint64(sum[:8]) &^ (1 << 63)
}

// hashed is the SHA-256 of a heading and of parts, each preceded by its length.
func hashed(heading string, parts ...[]byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(heading))
	for _, part := range parts {
		h.Write(little(uint64(len(part))))
		h.Write(part)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func little(x uint64) []byte { return binary.LittleEndian.AppendUint64(nil, x) }

// canonical formats a point as TOML: a line for each swept key, sorted.
func canonical(keys, values []string) string {
	lines := make([]string, len(keys))
	for i, key := range keys {
		lines[i] = key + " = " + values[i] + "\n"
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
