package scenarios

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"taolab/model/base"
	"taolab/sim/snapshot"
	"taolab/sim/trace"
	"taolab/sim/virtual"
)

// stopAtRow is a recorder that ends a context after a number of rows.
type stopAtRow struct {
	rows int
	stop context.CancelFunc
}

func (s *stopAtRow) Record(trace.Row) {
	if s.rows--; s.rows == 0 {
		s.stop()
	}
}

// TestARunOfModelsGoesOnFromASnapshot interrupts a run of miners, validators and newcomers that
// commit their weights, and resumes the snapshot with new agents.
func TestARunOfModelsGoesOnFromASnapshot(t *testing.T) {
	cache := base.Cache{Dir: t.TempDir(), MaxBytes: base.DefaultBytes}
	goesOn(t, cache, "chain.commit_reveal=true", "chain.burn_tao=0.5", "chain.immunity_blocks=40", "miners[1].joins_h=0.3",
		"chain.min_allowed_weights=2", "chain.max_weight=1")
}

// goesOn cuts a run of the tiny scenario at three moments and lets what was written go on.
func goesOn(t *testing.T, cache base.Cache, sets ...string) {
	t.Helper()
	straight := buildTiny(t, cache, Options{Workers: 2}, sets...)
	if err := straight.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{1, 400, 1500} {
		ctx, cancel := context.WithCancel(context.Background())
		first := buildTiny(t, cache, Options{Workers: 2, Recorder: &stopAtRow{rows, cancel}}, sets...)
		if err := first.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d rows the run returned %v, expected %v", rows, err, context.Canceled)
		}
		var file bytes.Buffer
		out := snapshot.NewWriter(&file)
		if err := errors.Join(first.WriteSnapshot(context.Background(), out), out.Close()); err != nil {
			t.Fatal(err)
		}
		in, err := snapshot.NewReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		second, err := virtual.Restore(configTiny(t, cache, Options{Workers: 1}, sets...), in)
		if err != nil {
			t.Fatal(err)
		}
		if err := second.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if second.Digest() != straight.Digest() || second.LedgerDigest() != straight.LedgerDigest() {
			t.Errorf("cut at block %d, event %d: run digest %v, straight %v", first.Progress().Height,
				first.Progress().Events, second.Digest(), straight.Digest())
		}
	}
}
