package replica

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	dbm "github.com/cometbft/cometbft-db"

	"taolab/sim/chain"
)

// openSoon opens a node and returns the error, which has to come.
func openSoon(t *testing.T, c Config) error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		n, err := Open(c)
		if err == nil {
			stop(t, n)
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(2 * stopPatience):
		t.Fatal("the node neither opens nor says why")
		return nil
	}
}

// behind is a node whose ledger is a block behind its engine, as a crash may leave it; change may do more.
func behind(t *testing.T, change func(s *store, before *chain.State) error) Config {
	t.Helper()
	c := testConfig(t, testGenesis(t, 1, 2, 20*time.Millisecond, nil), 0)
	c.Archive = true
	n := start(t, c)
	awaitHeight(t, n, 5, 20*time.Second)
	stop(t, n)
	s, err := openStore(disk, filepath.Join(c.Dir, "store"), discard, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	_, newest, err := s.load()
	if err != nil {
		t.Fatal(err)
	}
	state, err := c.Genesis.State()
	if err != nil {
		t.Fatal(err)
	}
	for state.Height()+1 < newest.height {
		b, _, err := s.block(state.Height() + 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := state.Run(b, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.forget(), change(s, state)); err != nil {
		t.Fatal(err)
	}
	return c
}

// rewind makes a state the newest of a store, without the hash of its block.
func rewind(s *store, state *chain.State) error {
	return s.commit(state, chain.View{}, tip{height: state.Height(), digest: state.Seal()}, chain.Block{}, 0)
}

func TestANodeOpensWithALedgerThatIsABlockBehind(t *testing.T) {
	if err := openSoon(t, behind(t, rewind)); err != nil {
		t.Error(err)
	}
}

func TestAReplayThatErrsIsSaidWhereTheNodeIsOpened(t *testing.T) {
	c := behind(t, func(s *store, before *chain.State) error {
		seen := dbm.NewPrefixDB(s.database(), []byte("blockstore/"))
		return errors.Join(rewind(s, before), seen.Delete([]byte("SC:"+strconv.FormatUint(before.Height(), 10))))
	})
	err := openSoon(t, c)
	if err == nil {
		t.Fatal("the node opens, though the hash of the block before the one to replay is lost")
	}
	for _, want := range []string{c.Dir, "the hash of block", "join again with an empty folder"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestAReplayToAnotherStateIsSaidWhereTheNodeIsOpened(t *testing.T) {
	c := behind(t, func(s *store, before *chain.State) error {
		x := before.Export()
		x.Accounts[0].FreeRao++
		x.Money.Free++
		x.Money.Minted++
		x.Money.Issuance++
		other, err := chain.Import(x)
		if err != nil {
			return err
		}
		return rewind(s, other)
	})
	err := openSoon(t, c)
	if err == nil || !strings.Contains(err.Error(), "do not fit") || !strings.Contains(err.Error(), "join again with an empty folder") {
		t.Errorf("its error is %v", err)
	}
}

func TestAStoreThatBreaksWhileTheNodeOpensIsSaid(t *testing.T) {
	c := testConfig(t, testGenesis(t, 1, 1, time.Second, nil), 0)
	c.FS = errorfs.Wrap(memory(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") {
			return syscall.ENOSPC
		}
		return nil
	}))
	err := openSoon(t, c)
	if err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) || !strings.Contains(err.Error(), "give it room or another disk") {
		t.Errorf("its error is %v", err)
	}
}

func TestANodeThatWasStoppedAnswersAndReadsNothing(t *testing.T) {
	c := testConfig(t, testGenesis(t, 1, 2, 20*time.Millisecond, nil), 0)
	c.Archive = true
	n := start(t, c)
	awaitHeight(t, n, 3, 20*time.Second)
	stop(t, n)
	answers := make(chan string, 3)
	go func() {
		defer close(answers)
		s := n.Status()
		if s.Height < 3 || s.Time.IsZero() {
			answers <- "its status is that of no block"
		}
		answers <- ""
		if _, _, err := n.Record(2); !errors.Is(err, errStopped) {
			answers <- "a block is read from its closed store"
		}
		if err := n.WriteRecord(new(strings.Builder)); !errors.Is(err, errStopped) {
			answers <- "its blocks are read from its closed store"
		}
		answers <- "done"
	}()
	last := "nothing"
	for last = range answers {
		if last != "" && last != "done" {
			t.Error(last)
		}
	}
	if last != "done" {
		t.Error("the caller's goroutine ended")
	}
	before := n.Status()
	n, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, n)
	if s := n.Status(); s.Height != before.Height || !s.Time.Equal(before.Time) {
		t.Errorf("opened again it is at block %d of %s, stopped at block %d of %s", s.Height, s.Time, before.Height, before.Time)
	}
}
