package replica

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"taolab/sim/chain"
)

// figures are those of a registry by name and labels; of a histogram, how much it counted.
func figures(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			switch f.GetType() {
			case dto.MetricType_COUNTER:
				all[name] = m.Counter.GetValue()
			case dto.MetricType_GAUGE:
				all[name] = m.Gauge.GetValue()
			case dto.MetricType_HISTOGRAM:
				all[name] = float64(m.Histogram.GetSampleCount())
			}
		}
	}
	return all
}

func TestMetricsSayHowTheLedgerIs(t *testing.T) {
	g := testGenesis(t, 1, 3, 200*time.Millisecond, nil)
	c := testConfig(t, g, 0)
	registry := prometheus.NewRegistry()
	c.Metrics, c.SnapshotBlocks, c.HaltHeight = registry, 4, 8
	n := start(t, c)
	defer stop(t, n)
	blocks := n.Blocks()
	want := map[string]float64{}
	var txs [][]byte
	for nonce := range uint64(3) {
		txs = append(txs, signedTransfer(t, g.ChainID, "user0", nonce, 50, 0, 1))
	}
	txs = append(txs, signedTransfer(t, g.ChainID, "user0", 3, 50, 0, 0)) // is refused, and pays
	for _, tx := range txs {
		if err := n.Submit(ctx, tx); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if n.Submit(ctx, []byte("x")) == nil || n.Submit(ctx, signedTransfer(t, g.ChainID, "user2", 0, 50, 0, 1000*chain.RaoPerTAO)) == nil {
			t.Fatal("the pool refuses nothing")
		}
	}
	if waiting := figures(t, registry)["taolab_ledger_pool_transactions money"]; waiting > 4 {
		t.Errorf("%v wait, want at most 4", waiting)
	}
	height, work, bytes := uint64(0), uint64(0), 0
	for height < c.HaltHeight { // from which on nothing moves
		b := <-blocks.C
		height, work, bytes = b.Height, 0, 0
		for i, d := range b.Outcome.Delivered {
			work, bytes = work+d.Work, bytes+len(b.Txs[i])
		}
	}
	got := figures(t, registry)
	for limit := time.Now().Add(10 * time.Second); got["taolab_ledger_snapshot_age_blocks"] != 0 && time.Now().Before(limit); {
		got = figures(t, registry) // a snapshot is made while the ledger goes on
	}
	v := n.View()
	operator := v.Operators()[0]
	want["taolab_ledger_height"] = float64(height)
	want["taolab_ledger_blocks_total"] = float64(height)
	want["taolab_ledger_block_work"], want["taolab_ledger_block_bytes"] = float64(work), float64(bytes)
	want["taolab_ledger_transactions_total Done"], want["taolab_ledger_transactions_total ZeroAmount"] = 3, 1
	want["taolab_ledger_pool_refusals_total Undecodable none"] = 2
	want["taolab_ledger_pool_refusals_total InsufficientFree money"] = 2
	want["taolab_ledger_price_rao"] = float64(v.PriceRao())
	want["taolab_ledger_accounts"] = float64(v.Accounts())
	want["taolab_ledger_rules"] = float64(v.Rules())
	want["taolab_ledger_planned_rules"], want["taolab_ledger_planned_height"] = 0, 0
	want["taolab_ledger_missed_blocks "+operator.Hotkey.String()] = 0
	want["taolab_ledger_power "+operator.Hotkey.String()] = float64(operator.Power)
	want["taolab_ledger_unbonding_rao"], want["taolab_ledger_power_moved"] = 0, 0
	want["taolab_ledger_catching_up"], want["taolab_ledger_peers"] = 0, 0
	want["taolab_ledger_snapshot_age_blocks"] = 0
	for _, l := range []lane{systemLane, workLane, moneyLane} {
		want["taolab_ledger_pool_transactions "+l.String()] = 0
	}
	want["taolab_ledger_step_seconds verify"] = 4
	want["taolab_ledger_step_seconds commit"] = float64(height)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, ok := got[name]
		if !ok || value != want[name] {
			t.Errorf("%s is %v, want %v", name, value, want[name])
		}
	}
	// The proposer runs each block once: when it makes it.
	for _, step := range []string{applyStep, sealStep} {
		if n := got["taolab_ledger_step_seconds "+step]; n < float64(height) || n > float64(height+2) {
			t.Errorf("step %s was taken %v times for %d blocks", step, n, height)
		}
	}
	for name := range got { // order-free: each is looked up
		if _, ok := want[name]; !ok && name != "taolab_ledger_step_seconds apply" && name != "taolab_ledger_step_seconds seal" {
			t.Errorf("%s is not expected", name)
		}
	}
	c.Dir = t.TempDir()
	if again, err := Open(c); err == nil {
		t.Errorf("a second node has the same registry: %v", again.Stop())
	}
}
