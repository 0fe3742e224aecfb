package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"taolab/sim/trace"
)

// wrote writes the synthetic run with its rows changed, left out (nil) or followed by more.
func wrote(t testing.TB, change func(trace.Row) []trace.Row, finish func(*Manifest), selection ...trace.Table) *Run {
	t.Helper()
	dir := t.TempDir()
	s := newSynthetic(6)
	w, err := NewWriter(dir, selection...)
	if err != nil {
		t.Fatal(err)
	}
	var all kept
	s.record(&all)
	for _, row := range all {
		for _, r := range change(row) {
			w.Record(r)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.manifest.Tables, s.manifest.Recorded = w.Tables(), selection
	if finish != nil {
		finish(&s.manifest)
	}
	if err := WriteManifest(dir, s.manifest); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func same(row trace.Row) []trace.Row { return []trace.Row{row} }

func otherDigest(m *Manifest) { m.RunDigest = strings.Repeat("1", 64) }

func diffOf(t testing.TB, a, b *Run) *Difference {
	t.Helper()
	d, err := Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestARunIsEqualToItself(t *testing.T) {
	d := diffOf(t, wrote(t, same, nil), wrote(t, same, nil))
	if !d.Equal || d.First != nil || len(d.Made)+len(d.Digests) > 0 || len(d.Tables) != len(tables) {
		t.Errorf("%+v", d)
	}
}

// TestTheFirstRowAndFieldThatDifferAreNamed changes fields from some block on.
func TestTheFirstRowAndFieldThatDifferAreNamed(t *testing.T) {
	a := wrote(t, same, nil)
	for _, c := range []struct {
		name   string
		change func(trace.Row) trace.Row
		want   string
	}{
		{"an incentive", func(r trace.Row) trace.Row {
			if e, ok := r.(trace.Epoch); ok && e.Epoch == 3 && e.UID == 12 {
				e.Incentive ^= 1
				return e
			}
			return r
		}, "epochs epoch 3, block 1440, uid 12, node 4: incentive"},
		{"two tables, the earlier block", func(r trace.Row) trace.Row {
			switch r := r.(type) {
			case trace.Bond:
				if r.Epoch == 4 {
					r.Bond++
					return r
				}
			case trace.Weight:
				if r.Epoch == 5 {
					r.Weight++
					return r
				}
			}
			return r
		}, "bonds epoch 4, block 1800"},
		{"a digest of a block", func(r trace.Row) trace.Row {
			if b, ok := r.(trace.Block); ok && b.Height > 1000 {
				b.Digest = trace.Some("x")
				return b
			}
			return r
		}, "blocks height 10"},
		{"a digest, and what it is of later", func(r trace.Row) trace.Row {
			if b, ok := r.(trace.Block); ok && b.Height > 1000 {
				b.Digest = trace.Some("x")
				return b
			}
			if e, ok := r.(trace.Epoch); ok && e.Epoch == 5 {
				e.Consensus++
				return e
			}
			return r
		}, "epochs epoch 5, block 2160, uid 0, node 56: consensus"},
		{"one bit of a float", func(r trace.Row) trace.Row {
			if q, ok := r.(trace.Query); ok && q.Block > 700 && q.Base != nil {
				q.Base = trace.Some(math.Nextafter(*q.Base, 1e9))
				return q
			}
			return r
		}, ": base"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := wrote(t, func(r trace.Row) []trace.Row { return same(c.change(r)) }, otherDigest)
			d := diffOf(t, a, b)
			if d.Equal || d.First == nil {
				t.Fatalf("%+v", d)
			}
			got := fmt.Sprintf("%s %s: %s", d.First.Table, d.First.Key, d.First.Fields[0].Key)
			if !strings.Contains(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
			if d.First.Fields[0].A == d.First.Fields[0].B {
				t.Errorf("both values are %s", d.First.Fields[0].A)
			}
		})
	}
}

func TestALongerRunDiffersWhereTheShorterOneEnds(t *testing.T) {
	a := wrote(t, same, nil)
	b := wrote(t, func(r trace.Row) []trace.Row {
		if b, ok := r.(trace.Block); ok && b.Height > 900 {
			return nil
		}
		return same(r)
	}, otherDigest)
	for _, pair := range [][2]*Run{{a, b}, {b, a}} {
		d := diffOf(t, pair[0], pair[1])
		if d.Equal || d.First == nil || d.First.Ended != b.Dir || len(d.First.Fields) > 0 || d.FirstBlock == nil || *d.FirstBlock <= 900 {
			t.Errorf("%+v, first %+v", d, d.First)
		}
	}
}

func TestTablesThatOneRunDidNotRecordDoNotMakeThemDifferent(t *testing.T) {
	a, b := wrote(t, same, nil), wrote(t, same, nil, trace.Blocks, trace.Epochs)
	for status, pair := range map[string][2]*Run{TableOnlyInA: {a, b}, TableOnlyInB: {b, a}} {
		d := diffOf(t, pair[0], pair[1])
		if !d.Equal || d.Tables[0].Status != status || d.Tables[4].Status != TableEqual {
			t.Errorf("%+v", d)
		}
	}
	// A table that was recorded and got no row is not the same as one that was not recorded.
	c := wrote(t, func(r trace.Row) []trace.Row {
		if _, ok := r.(trace.Fault); ok {
			return nil
		}
		return same(r)
	}, nil, Tables()...)
	if d := diffOf(t, a, c); d.Equal || d.First.Table != trace.Faults || d.First.Ended != c.Dir {
		t.Errorf("%+v", d)
	}
}

func TestDigestsAreComputedFromTheRowsAndNotBelieved(t *testing.T) {
	a := wrote(t, same, nil)
	b := wrote(t, func(r trace.Row) []trace.Row {
		if e, ok := r.(trace.Epoch); ok {
			e.Dividends ^= 1
			return same(e)
		}
		return same(r)
	}, nil)
	for i := range b.Manifest.Tables { // as somebody would who wants the change to go unseen
		b.Manifest.Tables[i].Digest = a.Manifest.Tables[i].Digest
	}
	d := diffOf(t, a, b)
	if d.Equal || len(d.Digests) > 0 {
		t.Fatalf("%+v", d)
	}
	for _, table := range d.Tables {
		if damaged := len(table.Damaged) > 0; damaged != (table.Table == trace.Epochs) {
			t.Errorf("%s: damaged %v", table.Table, table.Damaged)
		}
	}
}

func TestHowRunsWereMadeComesFirst(t *testing.T) {
	a := wrote(t, same, func(m *Manifest) {
		m.Scenario = json.RawMessage(`{"seed":42,"chain":{"kappa":0.5},"miners":[{"count":1}],"expect":[{"value":1}]}`)
	})
	b := wrote(t, same, func(m *Manifest) {
		m.Scenario = json.RawMessage(`{"seed":42,"chain":{"kappa":0.6},"miners":[{"count":1},{"count":2}]}`)
		m.Versions.Go = "go9"
	})
	d := diffOf(t, a, b)
	got := fmt.Sprint(d.Made)
	want := fmt.Sprintf("[{versions.go %s go9} {scenario.chain.kappa 0.5 0.6} {scenario.miners[1].count  2}]", a.Manifest.Versions.Go)
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !d.Equal {
		t.Error("equal events differ by the agent that made them")
	}
}

func TestADamagedTableIsAnErrorOfTheComparison(t *testing.T) {
	a, b := wrote(t, same, nil), wrote(t, same, nil)
	path := filepath.Join(b.Dir, "bonds.parquet")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(data[4:200])
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	if d, err := Diff(a, b); err == nil && d.Equal {
		t.Error("a damaged table compares as equal")
	}
}

// TestAComparisonHoldsABoundedNumberOfRows compares 40 times the rows in about the same memory.
func TestAComparisonHoldsABoundedNumberOfRows(t *testing.T) {
	long := func(rows int) *Run {
		return wrote(t, func(r trace.Row) []trace.Row {
			if _, ok := r.(trace.Fault); !ok {
				return nil
			}
			list := make([]trace.Row, rows)
			for i := range list {
				list[i] = trace.Fault{TimeNs: int64(i), Kind: "loss"}
			}
			return list
		}, nil)
	}
	peak := func(r *Run) uint64 {
		most := uint64(0)
		runtime.GC()
		n := 0
		err := Rows(r, func(trace.Fault) error {
			if n++; n%50_000 == 1 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := diffOf(t, r, r); !d.Equal || d.Tables[0].RowsA != uint64(n) {
			t.Fatalf("%+v", d)
		}
		return most
	}
	short, far := peak(long(5_000)), peak(long(200_000))
	if far > short+16<<20 {
		t.Errorf("%d bytes for 40 times the rows, %d for once", far, short)
	}
}

func ExampleDiff() {
	write := func(dir string, incentive uint16) *Run {
		w, err := NewWriter(dir)
		if err != nil {
			panic(err)
		}
		w.Record(trace.Epoch{Epoch: 0, Block: 21, UID: 3, Incentive: incentive})
		if err := w.Close(); err != nil {
			panic(err)
		}
		return &Run{Dir: dir, Manifest: Manifest{Tables: w.Tables()}}
	}
	dir, err := os.MkdirTemp("", "diff")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	d, err := Diff(write(filepath.Join(dir, "a"), 100), write(filepath.Join(dir, "b"), 101))
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Equal, d.First.Table, d.First.Key, d.First.Fields)
	// Output: false epochs epoch 0, block 21, uid 3 [{incentive 100 101}]
}
