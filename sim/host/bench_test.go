package host

import (
	"fmt"
	"testing"

	"taolab/sim/chain"
)

// BenchmarkLedgerTransaction submits, receives and applies transfers, a hundred a block.
func BenchmarkLedgerTransaction(b *testing.B) {
	for _, signed := range []bool{false, true} {
		b.Run(fmt.Sprint("signed=", signed), func(b *testing.B) {
			l, err := NewLedger(LedgerConfig{Genesis: toyGenesis([]string{"a"}, 1, nil), Hotkeys: []chain.Key{public("a")}, Signed: signed})
			if err != nil {
				b.Fatal(err)
			}
			from := l.Open(named("a cold"))
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				id := SubmitID(i + 1)
				bytes, _ := l.Submit(0, id, from, l.Height()+9, chain.Transfer{To: chain.Key{7}, AmountRao: 1})
				l.Receive(0, id, bytes, 0)
				if i%100 == 99 {
					if _, err := l.End(0); err != nil {
						b.Fatal(err)
					}
					l.Forget(0)
				}
			}
		})
	}
}
