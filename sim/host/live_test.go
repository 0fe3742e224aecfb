package host

import (
	"slices"
	"testing"

	"taolab/sim/chain"
	"taolab/sim/trace"
)

// Among strangers a node pays for its transactions, goes on after one that belonged in no block, and
// claims its hotkey before it registers.
func TestANodePaysClaimsAndRegistersAmongStrangers(t *testing.T) {
	g := toyGenesis([]string{"a", "b"}, 1, nil)
	g.Params = g.Params.Live()
	for _, signed := range []bool{true, false} {
		l, err := NewLedger(LedgerConfig{Genesis: g, Hotkeys: []chain.Key{public("a"), public("b")}, Signed: signed})
		if err != nil {
			t.Fatal(err)
		}
		cold, fresh := l.Open(named("a cold")), public("c")
		l.Open(named("c"))
		free := l.View(0).FreeOf(public("a cold"))
		for i, step := range []struct {
			msg  chain.Msg
			want string
		}{
			{chain.Transfer{To: public("b cold"), AmountRao: 5}, trace.Included},
			{chain.Burn{AmountRao: free + 1}, trace.Rejected}, // and paid
			{chain.Register{Hotkey: fresh}, trace.Rejected},   // nobody owns it
			{chain.Claim{Hotkey: fresh}, trace.Included},
			{chain.Register{Hotkey: fresh}, trace.Included},
		} {
			id := SubmitID(i + 1)
			bytes, _ := l.Submit(0, id, cold, l.Height()+9, step.msg)
			l.Receive(0, id, bytes, 0)
			ended, err := l.End(Second)
			if err != nil {
				t.Fatal(err)
			}
			if r := ended.Receipts[0]; r.Fate != step.want {
				t.Errorf("signed %v, %T: %s %s", signed, step.msg, r.Fate, r.Reason)
			}
			l.Tell(0, id)
		}
		if _, ok := l.View(l.Height()).UIDOf(fresh); !ok || l.View(l.Height()).FreeOf(public("a cold")) >= free {
			t.Error("the hotkey has no uid, or nobody paid")
		}
	}
}

// Where nonces are strict, a transaction that belonged in no block leaves a gap, which the next closes.
func TestANodeGoesOnAfterAGapInItsNonces(t *testing.T) {
	g := toyGenesis([]string{"a", "b"}, 1, nil)
	g.Params.Hard.StrictNonce = true
	l, err := NewLedger(LedgerConfig{Genesis: g, Hotkeys: []chain.Key{public("a")}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{trace.Rejected, trace.Included} {
		m := chain.Transfer{To: public("b cold"), AmountRao: 1 << 60 * uint64(1-i)}
		m.AmountRao = max(m.AmountRao, 1)
		bytes, _ := l.Submit(0, SubmitID(i+1), l.Open(named("a cold")), l.Height()+9, m)
		l.Receive(0, SubmitID(i+1), bytes, 0)
		ended, err := l.End(Second)
		if err != nil {
			t.Fatal(err)
		}
		if r := ended.Receipts[0]; r.Fate != want {
			t.Errorf("transaction %d: %s %s, want %s", i, r.Fate, r.Reason, want)
		}
		l.Tell(0, SubmitID(i+1))
	}
}

// A node that never waits for all its transactions to be decided goes on too: the gap that one of them
// leaves costs those that were on their way with it and as many more, and no later one.
func TestABusyNodeGoesOnAfterAGapInItsNonces(t *testing.T) {
	g := toyGenesis([]string{"a", "b"}, 1, nil)
	g.Params.Hard.StrictNonce = true
	l, err := NewLedger(LedgerConfig{Genesis: g, Hotkeys: []chain.Key{public("a")}})
	if err != nil {
		t.Fatal(err)
	}
	cold := l.Open(named("a cold"))
	var fates []string
	send := func(id SubmitID, rao uint64) {
		bytes, _ := l.Submit(0, id, cold, l.Height()+9, chain.Transfer{To: public("b cold"), AmountRao: rao})
		l.Receive(0, id, bytes, 0)
	}
	send(1, 1<<60) // more than there is: it belongs in no block
	for id := SubmitID(2); id < 12; id++ {
		on, _ := l.Submit(0, id, cold, l.Height()+9, chain.Transfer{To: public("b cold"), AmountRao: 1})
		ended, err := l.End(Second)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range ended.Receipts {
			fates = append(fates, r.Fate)
			l.Tell(0, r.Submit)
		}
		l.Receive(0, id, on, 0) // too late for that block
	}
	if slices.Contains(fates[4:], trace.Rejected) || len(fates) != 10 {
		t.Error(fates)
	}
}
