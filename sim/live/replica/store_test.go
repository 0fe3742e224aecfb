package replica

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	cmtconfig "github.com/cometbft/cometbft/config"
	blockstore "github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"

	"taolab/sim/chain"
)

// commitEmpty commits empty blocks up to a height, of which the store keeps so many; 0: all.
func commitEmpty(t *testing.T, st *store, s *chain.State, to, kept uint64) {
	t.Helper()
	for s.Height() < to {
		since := s.View()
		if s.Height() == 0 {
			since = chain.View{}
		}
		s.EndBlock()
		h, retain := s.Height(), uint64(0)
		if kept > 0 && h > kept {
			retain = h - kept
		}
		if err := st.commit(s, since, tip{height: h, digest: s.Seal()}, chain.Block{Height: h}, retain); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := st.block(h); err != nil || !ok { // reading orders what was deleted
			t.Fatalf("block %d: recorded %t, %v", h, ok, err)
		}
	}
}

func TestForgettingOldBlocksCostsTheSameForEachBlock(t *testing.T) {
	g := testGenesis(t, 1, 3, time.Second, nil)
	allocated := func(kept uint64) uint64 {
		disk := memory()
		open := func() *store {
			st, err := openStore(disk, "store", discard, func(err error) { t.Error(err) })
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		s, err := g.State()
		if err != nil {
			t.Fatal(err)
		}
		st := open()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		commitEmpty(t, st, s, 1000, kept)
		runtime.ReadMemStats(&after)
		if err := st.close(); err != nil {
			t.Fatal(err)
		}
		st = open() // it goes on where it was
		commitEmpty(t, st, s, 1010, kept)
		for h := uint64(1); h <= 1010; h++ {
			want := kept == 0 || h >= 1010-kept
			if _, ok, err := st.block(h); err != nil || ok != want {
				t.Fatalf("block %d: recorded %t, %v, want %t", h, ok, err, want)
			}
		}
		if err := st.close(); err != nil {
			t.Fatal(err)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	all, few := allocated(0), allocated(10)
	t.Logf("1,000 blocks take %d MB if all stay, %d MB if 10 do", all>>20, few>>20)
	if few > 2*all {
		t.Errorf("1,000 blocks take %d bytes of memory where old ones go, %d where they stay: want at most twice as much",
			few, all)
	}
}

// smallDisk is a disk with so much room.
type smallDisk struct {
	vfs.FS
	free uint64
}

func (d smallDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: d.free, TotalBytes: 1 << 40, UsedBytes: 1<<40 - d.free}, nil
}

func TestANodeDoesNotOpenOnAFullDisk(t *testing.T) {
	c := testConfig(t, testGenesis(t, 1, 1, time.Second, nil), 0)
	c.FS = smallDisk{memory(), leastDiskBytes - 1}
	_, err := Open(c)
	if err == nil {
		t.Fatal("a node opens on a full disk")
	}
	for _, want := range []string{c.Dir, "has 3 MB free", "4 at least", "free some, or move the folder"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	c.FS = smallDisk{memory(), leastDiskBytes}
	n, err := Open(c)
	if err != nil {
		t.Fatalf("with just enough room: %v", err)
	}
	stop(t, n)
}

func TestABlockReplayedAtTheStartFollowsAStateFromOthers(t *testing.T) {
	c := testConfig(t, testGenesis(t, 1, 1, time.Second, nil), 0)
	st, err := openStore(memory(), "store", discard, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	n := &Node{config: c, store: st} // its engine, which is about to replay the block after 7, is not there yet
	db, err := n.database(&cmtconfig.DBContext{ID: "blockstore"})
	if err != nil {
		t.Fatal(err)
	}
	want := chain.Digest{1, 2, 3}
	votes := &types.Commit{
		Height: 7, Signatures: []types.CommitSig{types.NewCommitSigAbsent()},
		BlockID: types.BlockID{Hash: want[:], PartSetHeader: types.PartSetHeader{Total: 1, Hash: want[:]}},
	}
	if err := blockstore.NewBlockStore(db).SaveSeenCommit(7, votes); err != nil {
		t.Fatal(err)
	}
	if have, err := n.hashAt(7); err != nil || have != want {
		t.Errorf("the hash of block 7 is %s, %v, want %s", have, err, want)
	}
	if _, err := n.hashAt(8); err == nil || !strings.Contains(err.Error(), "block 8") {
		t.Errorf("of a block without votes: %v", err)
	}
}

func TestAFolderInUseIsNamedAsSuch(t *testing.T) {
	c := testConfig(t, testGenesis(t, 1, 1, time.Second, nil), 0)
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	if _, err = Open(c); err == nil || !strings.Contains(err.Error(), "does another node run in this folder?") {
		t.Errorf("the folder of a node that runs: %v", err)
	}
}
