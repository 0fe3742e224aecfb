package chain

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// chunked is a state, its manifest as it travels, and its chunks.
func chunked(t testing.TB, s *State) (*Manifest, [][]byte) {
	t.Helper()
	of := s.Fork()
	m := of.Manifest()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeManifest(b, s.Digest())
	if err != nil {
		t.Fatal(err)
	}
	var chunks [][]byte
	for i := range again.Chunks() {
		chunks = append(chunks, of.Chunk(again, i))
	}
	return again, chunks
}

// inOrder hands out chunks by number.
func inOrder(chunks [][]byte) func(int) ([]byte, error) {
	return func(number int) ([]byte, error) {
		if number >= len(chunks) {
			return nil, fmt.Errorf("no chunk %d", number)
		}
		return chunks[number], nil
	}
}

// peopled is a state with so many accounts that they travel in several chunks, and forty neurons.
func peopled(t testing.TB) *State {
	s := open(t, 40)
	for i := range uint64(20_000) {
		s.account(numbered(1_000_000 + i)).freeRao = 0
	}
	return s
}

func TestAStateIsPutTogetherOfItsChunks(t *testing.T) {
	states := map[string]*State{
		"crowded": peopled(t), "seats": richSeats(t), "council": richCouncil(t).s, "rich": rich(t),
		"empty": mustNew(t, testGenesis(0, nil)),
	}
	for name, s := range states { // order-free: each is checked by itself
		m, chunks := chunked(t, s)
		again, err := m.State(inOrder(chunks))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s.EndBlock()
		again.EndBlock()
		s.Advance(100)
		again.Advance(100)
		if s.Digest() != again.Digest() || !bytes.Equal(encode(t, s), encode(t, again)) {
			t.Errorf("%s: what was put together goes elsewhere", name)
		}
		if name == "crowded" && len(chunks) < 16+3 {
			t.Errorf("%d chunks", len(chunks))
		}
	}
}

// Each chunk is refused by itself if one bit of it is another, if it is another chunk, or too short or long.
func TestAChunkIsVerifiedByItself(t *testing.T) {
	d := rand.New(rand.NewPCG(1, 2))
	for _, s := range []*State{peopled(t), richSeats(t)} {
		m, chunks := chunked(t, s)
		for i, chunk := range chunks {
			if err := m.Verify(i, chunk); err != nil {
				t.Fatal(err)
			}
			spoiled := [][]byte{chunk[:len(chunk)-1], append(slices.Clone(chunk), 0), nil, chunks[(i+1)%len(chunks)]}
			for range 100 {
				bad := slices.Clone(chunk)
				bad[d.IntN(len(bad))] ^= 1 << d.IntN(8)
				spoiled = append(spoiled, bad)
			}
			for k, bad := range spoiled {
				if m.Verify(i, bad) == nil && !bytes.Equal(bad, chunk) {
					t.Errorf("chunk %d: spoiled copy %d was accepted", i, k)
				}
			}
		}
		if m.Verify(len(chunks), nil) == nil || m.Verify(-1, nil) == nil {
			t.Error("a chunk that there is not was accepted")
		}
		if _, err := m.State(inOrder(chunks[1:])); err == nil {
			t.Error("a state without its first chunk")
		}
		if _, err := m.State(inOrder(chunks[:len(chunks)-1])); err == nil || !strings.Contains(err.Error(), "no chunk") {
			t.Errorf("a state without its last chunk: %v", err)
		}
	}
}

func TestAManifestThatLiesIsRefusedBeforeAnyChunk(t *testing.T) {
	s := richSeats(t)
	m := s.Fork().Manifest()
	b, _ := m.AppendBinary(nil)
	for i := range b {
		bad := slices.Clone(b)
		bad[i] ^= 1
		if _, err := DecodeManifest(bad, s.Digest()); err == nil {
			t.Fatalf("byte %d of %d may be another", i, len(b))
		}
	}
	if _, err := DecodeManifest(b, Digest{1}); err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("%v", err)
	}
}

// The state goes on while its chunks are read.
func TestChunksOfAForkAreReadWhileTheStateGoesOn(t *testing.T) {
	s := peopled(t)
	of := s.Fork()
	digest := of.Manifest().Digest()
	done := make(chan [][]byte)
	go func() {
		var chunks [][]byte
		m := of.Manifest()
		for i := range m.Chunks() {
			chunks = append(chunks, of.Chunk(m, i))
		}
		done <- chunks
	}()
	for i := range uint64(200) {
		s.account(numbered(1_000_000+i)).nonce++
		s.EndBlock()
		s.Seal()
	}
	again, err := of.Manifest().State(inOrder(<-done))
	if err != nil || again.Digest() != digest {
		t.Errorf("%v", err)
	}
}

// FuzzDecodeManifest: no bytes make it panic, and what is accepted has the digest asked for.
func FuzzDecodeManifest(f *testing.F) {
	s := richSeats(f)
	b, _ := s.Fork().Manifest().AppendBinary(nil)
	f.Add(b, uint32(0), byte(0))
	f.Add(b, uint32(len(b)-3), byte(7))
	f.Add([]byte{}, uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, with byte) {
		if b = slices.Clone(b); len(b) > 0 {
			b[int(at)%len(b)] ^= with
		}
		if m, err := DecodeManifest(b, s.Digest()); err == nil && m.Digest() != s.Digest() {
			t.Error("accepted with another digest")
		}
	})
}

// FuzzVerifyChunk: no bytes make it panic, and none but the chunk is accepted.
func FuzzVerifyChunk(f *testing.F) {
	m, chunks := chunked(f, richSeats(f))
	for i, c := range chunks {
		f.Add(uint8(i), c)
		f.Add(uint8(i), binary.LittleEndian.AppendUint32(nil, 1<<31))
	}
	f.Fuzz(func(t *testing.T, number uint8, chunk []byte) {
		if m.Verify(int(number), chunk) == nil && !bytes.Equal(chunk, chunks[number]) {
			t.Error("another chunk was accepted")
		}
	})
}
