package chain

import (
	"encoding/binary"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestATransferCostsAlikeAmongFewAndManyAccounts measures transfers to random accounts, with their
// signature checks, among 10^4 and 10^6 accounts whose keys are random, count up, or were chosen to agree
// in their first bytes: -accounts 1000000.
func TestATransferCostsAlikeAmongFewAndManyAccounts(t *testing.T) {
	if *accountsWanted == 0 {
		t.Skip("measures time; -accounts 1000000 asks for it")
	}
	for _, keys := range []struct {
		name string
		of   func(i uint64) Key
	}{
		{"random", func(i uint64) Key { return engineKey(int(i)) }},
		{"counted", func(i uint64) (k Key) {
			binary.BigEndian.PutUint64(k[24:], i+100)
			return k
		}},
		{"alike", func(i uint64) Key { // ground until the paths of all begin with the same bits
			for n := i << 12; ; n++ {
				if k := numbered(n); pathOf(k)[0] < 16 {
					return k
				}
			}
		}},
	} {
		var few time.Duration
		for _, n := range []uint64{10_000, uint64(*accountsWanted)} {
			s, size := populated(t, n, keys.of)
			took := transfers(t, s, n, keys.of)
			if few == 0 {
				few = took
			}
			t.Logf("%-8s %7d accounts: %v a transfer, %d bytes an account", keys.name, n, took, size)
			if took > few*3/2 {
				t.Errorf("%s keys: %v a transfer among %d, %v among 10,000", keys.name, took, n, few)
			}
		}
	}
}

// populated is a network for strangers of so many accounts, and the memory that each takes.
func populated(t *testing.T, n uint64, key func(uint64) Key) (*State, uint64) {
	s := open(t, 4)
	before := inUse()
	for i := range n {
		s.account(key(i)).freeRao = 1
	}
	s.money.Free, s.money.Minted = s.money.Free+n, s.money.Minted+n
	s.Seal()
	return s, (inUse() - before) / n
}

// inUse is the memory in use.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// transfers returns the median time of a transfer with its signature check.
func transfers(t *testing.T, s *State, n uint64, key func(uint64) Key) time.Duration {
	const rounds = 2000
	var all []time.Duration
	for i := range uint64(rounds) {
		tx := SignPriced("test", testKey("cold0"), s.Nonce(pub("cold0")), 1<<40, 1e9, 0,
			Transfer{key(i * 7919 % n), 1})
		begin := time.Now()
		if err := s.Apply(tx); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(begin))
		if i%100 == 99 {
			s.EndBlock()
			s.Seal()
		}
	}
	slices.Sort(all)
	return all[rounds/2]
}
