package host

import (
	"testing"

	"taolab/sim/chain"
)

// A chronicle records of blocks that it is shown the rows that the ledger records which made them.
func TestAChronicleRecordsWhatTheLedgerDoes(t *testing.T) {
	names := []string{"a", "b", "c"}
	everything := Recording{Blocks: 1, Ledger: 1, Digests: 1, Epochs: 1, Weights: 1, Bonds: 1, Seats: true, Transactions: true}
	var hotkeys []chain.Key
	for _, n := range names {
		hotkeys = append(hotkeys, public(n))
	}
	var made, shown kept
	l, err := NewLedger(LedgerConfig{
		Genesis: toyGenesis(names, 2, nil), Hotkeys: hotkeys, Recording: everything, Recorder: &made, DigestEpochs: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := NewChronicle(everything, &shown, hotkeys, l.View(0))
	cold := l.Open(named("a cold"))
	for h := range uint64(12) {
		msgs := []chain.Msg{chain.AddStake{Hotkey: public("a"), AmountRao: h}, chain.Burn{AmountRao: 1 << 60}}
		for i, m := range msgs[:h%3] {
			id := SubmitID(2*h + uint64(i) + 1)
			bytes, _ := l.Submit(0, id, cold, l.Height()+9, m)
			l.Receive(0, id, bytes, 0)
		}
		if h == 5 {
			bytes, _ := l.Transaction(l.Open(named("c cold")), l.Height()+9, chain.Register{Hotkey: public("c")})
			l.Receive(-1, 0, bytes, 0)
		}
		ended, err := l.End(Time(h) * Second)
		if err != nil {
			t.Fatal(err)
		}
		c.Block(Shown{Time(h) * Second, l.Digest(), l.View(l.Height()), ended.Receipts, ended.Events})
	}
	l.Close()
	c.Close()
	if len(made.rows) < 12*3 {
		t.Errorf("only %d rows", len(made.rows))
	}
	for i := range max(len(made.rows), len(shown.rows)) {
		if i >= len(made.rows) || i >= len(shown.rows) || made.rows[i] != shown.rows[i] {
			t.Fatalf("row %d differs; the ledger recorded %d, the chronicle %d", i, len(made.rows), len(shown.rows))
		}
	}
}
