package live

import (
	"testing"

	"taolab/sim/host"
	"taolab/sim/trace"
)

// counter counts rows by table.
type counter map[trace.Table]int

func (c counter) Record(r trace.Row) { c[r.Table()]++ }

// The rows of the chain and those of the agents come to the recorder, one at a time.
func TestALiveWorldRecordsTheTablesOfARun(t *testing.T) {
	names, actors := cast("a: stake 1; weight 1; stake 5000; at 12\nb: register; at 12")
	ledger := newSolo(t, genesis(names, 2, nil))
	ticking(t, ledger)
	cfg := config(ledger, actors)
	rows := counter{}
	cfg.Recorder, cfg.Trace = rows, host.Recording{Blocks: 1, Ledger: 1, Digests: 1, Epochs: 1, Weights: 1, Bonds: 1, Seats: true, Transactions: true}
	s := play(t, cfg, actors)
	s.expect("saw block 12")
	s.expect("saw block 12")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	for _, table := range []trace.Table{trace.Blocks, trace.Ledger, trace.Transactions, trace.Epochs, trace.Seats, "spoken"} {
		if rows[table] == 0 {
			t.Errorf("no row in %s: %v", table, rows)
		}
	}
	t.Log(rows)
}
