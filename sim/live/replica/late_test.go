package replica

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"taolab/sim/chain"
)

// runningNet is four nodes with a load of transfers.
func runningNet(t *testing.T, configs []Config) []*Node {
	t.Helper()
	nodes := startAll(t, configs)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		id := configs[0].Genesis.ChainID
		for nonce := uint64(0); ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			height := nodes[0].View().Height()
			for u := range 4 {
				nodes[u].Submit(ctx, transfer(t, id, "user"+strconv.Itoa(u), nonce, height, public("user"+strconv.Itoa(u+4))))
			}
			if nodes[0].View().Nonce(public("user0"))+nonceWindow/2 > nonce {
				nonce++
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		stopAll(t, nodes)
	})
	return nodes
}

func TestAFifthNodeJoinsLateByBlocks(t *testing.T) {
	g := testGenesis(t, 4, 8, 100*time.Millisecond, nil)
	configs := testConfigs(t, g, 5)
	nodes := runningNet(t, configs[:4])
	awaitHeight(t, nodes[0], 40, 60*time.Second)
	began := time.Now()
	late := start(t, configs[4])
	defer stop(t, late)
	from := nodes[0].View().Height()
	awaitHeight(t, late, from, 30*time.Second)
	t.Logf("%d blocks in %s", from, time.Since(began))
	want, ok, err := nodes[0].Record(from)
	got, _, _ := late.Record(from)
	if !ok || err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("block %d: %v; the late node has another one", from, err)
	}
}

// lie makes the states that a node offers others than those of its manifests, at the same heights, until the
// test ends.
func lie(t *testing.T, n *Node) {
	t.Helper()
	id, made := n.config.Genesis.ChainID, map[*chain.State]bool{}
	done := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for ; ; time.Sleep(time.Millisecond) {
			select {
			case <-done:
				return
			default:
			}
			n.app.snaps.mu.Lock()
			for i := range n.app.snaps.kept {
				of := &n.app.snaps.kept[i].state
				if made[*of] {
					continue
				}
				other := (*of).Fork()
				for u := range 500 {
					from := "user" + strconv.Itoa(u+10)
					tx, _ := chain.DecodeTx(signedTransfer(t, id, from, 0, other.Height()+9, 0, 1))
					if _, err := other.DeliverVerified(tx); err != nil {
						t.Error(err)
					}
				}
				*of, made[other] = other, true
			}
			n.app.snaps.mu.Unlock()
		}
	})
	t.Cleanup(func() { close(done); wait.Wait() })
}

// journal keeps the warnings of a node.
type journal struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func (j *journal) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	return nil
}

// said counts the warnings that contain all parts.
func (j *journal) said(parts ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			n++
		}
	}
	return n
}

func TestAFifthNodeJoinsLateByAStateThoughSomeChunksAreWrong(t *testing.T) {
	g := testGenesis(t, 4, 9000, 150*time.Millisecond, nil) // 17 chunks: one peer does not have all
	configs := testConfigs(t, g, 5)
	for i := range 4 {
		configs[i].RPC = freePort(t)
	}
	configs[0].SnapshotBlocks, configs[1].SnapshotBlocks = 40, 40 // the others have none
	nodes := runningNet(t, configs[:4])
	lie(t, nodes[0]) // node 1 is honest
	awaitHeight(t, nodes[0], 42, 60*time.Second)
	trusted := nodes[1].engine.BlockStore().LoadBlockMeta(5)
	late := configs[4]
	late.StateSync = &StateSync{Servers: []string{configs[1].RPC, configs[2].RPC}, Height: 5, Hash: chain.Digest(trusted.BlockID.Hash)}
	warnings := &journal{Handler: slog.DiscardHandler}
	late.Log = slog.New(warnings)
	began := time.Now()
	n := start(t, late)
	defer func() { stop(t, n) }()
	awaitHeight(t, n, nodes[1].View().Height(), 60*time.Second)
	t.Logf("level after %s", time.Since(began))
	liar, honest := PeerID(configs[0].NodeKey), PeerID(configs[1].NodeKey)
	if warnings.said("chunk of a snapshot refused", liar) == 0 || warnings.said("chunk of a snapshot refused", honest) > 0 {
		t.Errorf("no chunk of the liar %s was refused, or one of %s: %q", liar, honest, warnings.lines)
	}
	if _, ok, err := n.Record(5); ok || err != nil {
		t.Errorf("the node has block 5, %v: it did not join by a state", err)
	}
	height := n.View().Height()
	awaitHeight(t, n, height+3, 20*time.Second)
	want, _, _ := nodes[1].Record(height + 2)
	if got, ok, err := n.Record(height + 2); !ok || err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("block %d: %v; the late node has another one", height+2, err)
	}
	stop(t, n)
	n = start(t, late)
	awaitHeight(t, n, height+4, 20*time.Second)
}

func TestEachChunkOfASnapshotIsCheckedByItself(t *testing.T) {
	g := testGenesis(t, 4, 3000, time.Second, nil)
	s, err := g.State()
	if err != nil {
		t.Fatal(err)
	}
	digest := s.Seal()
	m := s.Manifest()
	meta, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	a := loneApplication(t, g)
	store, disk := a.store, a.snaps.chunks.fs
	kept := func() int {
		files, err := disk.List(a.snaps.chunks.dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return len(files)
	}
	hash := sha256.Sum256(meta)
	offer := func(meta []byte, format uint32, chunks int) abci.ResponseOfferSnapshot_Result {
		r, err := a.OfferSnapshot(ctx, &abci.RequestOfferSnapshot{AppHash: digest[:], Snapshot: &abci.Snapshot{
			Height: s.Height(), Format: format, Chunks: uint32(chunks), Hash: hash[:], Metadata: meta,
		}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Result
	}
	for i := 0; i < len(meta); i += 1 + len(meta)/100 {
		lie := append([]byte(nil), meta...)
		lie[i] ^= 1
		if r := offer(lie, snapshotFormat, m.Chunks()); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
			t.Errorf("a manifest with byte %d changed: %s", i, r)
		}
	}
	if r := offer(meta, 9, m.Chunks()); r != abci.ResponseOfferSnapshot_REJECT_FORMAT {
		t.Errorf("another format: %s", r)
	}
	if r := offer(meta, snapshotFormat, m.Chunks()+1); r != abci.ResponseOfferSnapshot_REJECT_SENDER {
		t.Errorf("another number of chunks: %s", r)
	}
	if r := offer(meta, snapshotFormat, m.Chunks()); r != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("the right manifest: %s", r)
	}
	apply := func(i int, chunk []byte) *abci.ResponseApplySnapshotChunk {
		r, err := a.ApplySnapshotChunk(ctx, &abci.RequestApplySnapshotChunk{Index: uint32(i), Chunk: chunk, Sender: "somebody"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for i := m.Chunks() - 1; i >= 0; i-- { // any order does
		chunk := s.Chunk(m, i)
		for at := 0; at < len(chunk); at += 1 + len(chunk)/50 {
			lie := append([]byte(nil), chunk...)
			lie[at] ^= 0x40
			if r := apply(i, lie); r.Result != abci.ResponseApplySnapshotChunk_RETRY ||
				!reflect.DeepEqual(r.RefetchChunks, []uint32{uint32(i)}) || !reflect.DeepEqual(r.RejectSenders, []string{"somebody"}) {
				t.Errorf("chunk %d with byte %d changed: %+v", i, at, r)
			}
		}
		if have, want := kept(), m.Chunks()-1-i; have != want {
			t.Errorf("%d chunks are on disk, want %d: none that is wrong", have, want)
		}
		if r := apply(i, chunk); r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
			t.Fatalf("chunk %d: %+v", i, r)
		}
	}
	if have := kept(); have > 0 {
		t.Errorf("%d chunks stay on disk after the state was restored", have)
	}
	restored, newest, err := store.load()
	if err != nil || newest.digest != digest || restored.Digest() != digest {
		t.Errorf("the store has %+v, %v, want digest %s", newest, err, digest)
	}
}

// A disk that fills up while a state arrives ends the node with the reason. What is left of the state, by a node
// that was killed too, goes when the node opens.
func TestAStateThatDoesNotFitOnTheDiskIsSaid(t *testing.T) {
	c := testConfig(t, testGenesis(t, 1, 3000, time.Second, nil), 0)
	s, err := c.Genesis.State()
	if err != nil {
		t.Fatal(err)
	}
	digest := s.Seal()
	m := s.Manifest()
	meta, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	full := &smallDisk{memory(), 1 << 30}
	c.FS = full
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	offered, err := n.app.OfferSnapshot(ctx, &abci.RequestOfferSnapshot{AppHash: digest[:], Snapshot: &abci.Snapshot{
		Height: s.Height(), Format: snapshotFormat, Chunks: uint32(m.Chunks()), Metadata: meta,
	}})
	if err != nil || offered.Result != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatal(offered, err)
	}
	apply := func(i int) abci.ResponseApplySnapshotChunk_Result {
		r, err := n.app.ApplySnapshotChunk(ctx, &abci.RequestApplySnapshotChunk{Index: uint32(i), Chunk: s.Chunk(m, i)})
		if err != nil {
			t.Fatal(err)
		}
		return r.Result
	}
	if m.Chunks() < 2 || apply(0) != abci.ResponseApplySnapshotChunk_ACCEPT {
		t.Fatal("the first of some chunks is refused")
	}
	full.free = leastDiskBytes
	if r := apply(1); r != abci.ResponseApplySnapshotChunk_ABORT {
		t.Errorf("a chunk for which there is no room: %s", r)
	}
	if err := n.Err(); err == nil || !strings.Contains(err.Error(), "free some, or move the folder, and start again") {
		t.Errorf("the node stops for %v", err)
	}
	stop(t, n)
	dir := filepath.Join(c.Dir, chunksFolder)
	if files, err := full.List(dir); err != nil || len(files) != 1 {
		t.Fatalf("%q are on disk, %v, want one chunk", files, err)
	}
	n, err = Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	if files, err := full.List(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%q are on disk, %v, after the node opened again", files, err)
	}
}
