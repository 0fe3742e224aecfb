package bridge

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func ExampleBridge() {
	b := New(Rules{Confirmations: 12, DelayBlocks: 300, Remembers: 1000}, 0)
	b.Out(100)
	b.Advance(311)
	fmt.Println(b.Totals().MintedRao)
	b.Advance(312)
	b.Back(40)
	fmt.Println(b.Totals())
	for _, t := range b.Advance(624) {
		b.Pay(t.ID)
	}
	fmt.Println(b.Totals())
	// Output:
	// 0
	// {100 60 0 40 0}
	// {60 60 0 0 0}
}

// history drives a bridge at random: transfers, blocks, payments that are told late or twice, crashes between
// any two steps, and reorganisations up to a depth.
func history(t *rapid.T, rules Rules, depth uint64) *Bridge {
	b := New(rules, 0)
	locked := uint64(0) // as an account of this chain would have it
	paid := map[uint64]int{}
	var late []Transfer // paid here, which the books do not know yet
	pay := func(due Transfer) {
		b.Pay(due.ID)
		b.Pay(due.ID)
		locked -= due.AmountRao
	}
	for step := range rapid.IntRange(1, 200).Draw(t, "steps") {
		switch rapid.IntRange(0, 6).Draw(t, "what") {
		case 0:
			rao := rapid.Uint64Range(1, 1e12).Draw(t, "out")
			if _, err := b.Out(rao); err != nil {
				t.Fatal(err)
			}
			locked += rao
		case 1:
			minted := b.Totals().MintedRao
			rao := rapid.Uint64Range(1, 1e12).Draw(t, "back")
			if _, err := b.Back(rao); (err == nil) != (rao <= minted) {
				t.Fatalf("step %d: %d of %d burned: %v", step, rao, minted, err)
			}
		case 2:
			if depth > 0 {
				b.Reorganise(rapid.Uint64Range(1, depth).Draw(t, "depth"))
			}
		case 3:
			state, _ := b.AppendBinary(nil)
			again := New(rules, 0)
			if err := again.UnmarshalBinary(state); err != nil {
				t.Fatal(err)
			}
			b = again
		case 4:
			for _, due := range late {
				pay(due)
			}
			late = nil
		default:
			for _, due := range b.Advance(b.height + rapid.Uint64Range(1, 20).Draw(t, "blocks")) {
				if slices.ContainsFunc(late, func(t Transfer) bool { return t.ID == due.ID }) {
					continue // under way
				}
				if paid[due.ID]++; paid[due.ID] > 1 {
					t.Fatalf("step %d: transfer %d is paid twice", step, due.ID)
				}
				if rapid.Bool().Draw(t, "told late") {
					late = append(late, due)
				} else {
					pay(due)
				}
			}
		}
		if err := b.Totals().Check(); err != nil || b.Totals().LockedRao != locked {
			t.Fatalf("step %d: %v; %d rao locked, the account has %d", step, err, b.Totals().LockedRao, locked)
		}
	}
	return b
}

func TestTheBooksBalanceAtEveryBlock(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := history(rt, Rules{Confirmations: 6, DelayBlocks: 20, Remembers: 100}, 6)
		if short := b.Totals().ShortfallRao; short != 0 {
			rt.Fatalf("%d rao are missing though no reorganisation was deeper than the confirmations", short)
		}
		for range 4 {
			for _, due := range b.Advance(b.height + 100) {
				b.Pay(due.ID)
			}
		}
		if m := b.Totals(); m.PendingOutRao != 0 || m.PendingBackRao != 0 || m.LockedRao != m.MintedRao {
			rt.Fatalf("after all is through: %+v", m)
		}
	})
}

// A reorganisation deeper than the bridge waits undoes burns that were paid: the books say what is missing.
func TestAReorganisationDeeperThanTheWaitIsAShortfall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { history(rt, Rules{Confirmations: 1, DelayBlocks: 1, Remembers: 100}, 60) })
	b := New(Rules{Confirmations: 2, DelayBlocks: 1, Remembers: 100}, 0)
	b.Out(100)
	b.Advance(3)
	b.Back(40)
	for _, due := range b.Advance(6) {
		b.Pay(due.ID)
	}
	b.Reorganise(3)
	if short := b.Totals().ShortfallRao; short != 0 {
		t.Errorf("%d rao missing after a reorganisation of 3 blocks, as long as the bridge waits", short)
	}
	b.Reorganise(4)
	if short := b.Totals().ShortfallRao; short != 40 {
		t.Errorf("%d rao missing after one of 4 blocks, want 40", short)
	}
	if err := b.Totals().Check(); err != nil {
		t.Error(err)
	}
}

func FuzzBooksAreReadOrRefused(f *testing.F) {
	b := New(Rules{DelayBlocks: 2, Remembers: 9}, 5)
	b.Out(7)
	b.Out(9)
	state, _ := b.AppendBinary(nil)
	f.Add(state)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		b := New(Rules{DelayBlocks: 2, Remembers: 9}, 5)
		if err := b.UnmarshalBinary(data); err != nil {
			return
		}
		if again, _ := b.AppendBinary(nil); !bytes.Equal(again, data) {
			t.Errorf("%x reads back as %x", data, again)
		}
	})
}
