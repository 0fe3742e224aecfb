package report

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taolab/sim/trace"
)

// firstRelease copies a run that the first release made: half an hour of eight miners, two
// validators and an application, with a crash.
func firstRelease(t *testing.T) *Run {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/first_release")); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARunOfTheFirstReleaseIsReadWithTheNodesOfItsUids(t *testing.T) {
	r := firstRelease(t)
	if !r.Manifest.Finished || r.Manifest.Format != firstFormat {
		t.Errorf("finished %t, format %d", r.Manifest.Finished, r.Manifest.Format)
	}
	counts := map[string]int{}
	for _, row := range readBack[trace.Query](t, r) {
		q := row.(trace.Query)
		asker, asked := r.Manifest.Nodes[q.Node], r.Manifest.Nodes[*q.Peer]
		if asker.UID != q.Validator || asked.UID != q.UID || asker.Kind != KindValidator {
			t.Fatalf("%+v: asked by %s, of %s", q, asker.Name, asked.Name)
		}
		if q.Rows != 4 || *q.Subset == "" || q.Lane != trace.ScoringLane || q.Route == nil {
			t.Fatalf("%+v", q)
		}
		if succeeded := q.Code == success; succeeded != (q.Loss != nil) || succeeded != (q.Base != nil) {
			t.Fatalf("%+v: loss and base are there only with a success", q)
		}
		counts[q.Code]++
	}
	if counts[success] == 0 || counts["Unavailable"] == 0 || len(counts) != 3 {
		t.Errorf("codes %v, expected successes, and two ways to fail", counts)
	}
	first, trained := 0, 0
	for _, row := range readBack[trace.Train](t, r) {
		if m := row.(trace.Train); m.TrainLoss == nil {
			first++
		} else {
			trained++
		}
	}
	if first == 0 || trained == 0 {
		t.Errorf("%d measurements without a training loss, %d with one", first, trained)
	}
	for _, row := range readBack[trace.Application](t, r) {
		a := row.(trace.Application)
		if r.Manifest.Nodes[a.Node].Kind != KindApplication || a.Peer == nil || (a.Loss == nil) != (a.Code != success) {
			t.Fatalf("%+v", a)
		}
	}
	epochs := readBack[trace.Epoch](t, r)
	if e := epochs[len(epochs)-1].(trace.Epoch); e.Rank != nil || e.Node == nil || r.Manifest.Nodes[*e.Node].UID != e.UID {
		t.Errorf("%+v", e)
	}
	if f := readBack[trace.Fault](t, r)[0].(trace.Fault); r.Manifest.Nodes[*f.Node].Name != "noise-1" || f.Kind != "crash" {
		t.Errorf("%+v", f)
	}
	if r.Has(trace.Seats) || r.Has(trace.Answers) {
		t.Error("it has tables that came later")
	}
}

func TestARunOfTheFirstReleaseIsEqualToItselfAndNotToOneWithAnotherRow(t *testing.T) {
	a, b := firstRelease(t), firstRelease(t)
	if d := diffOf(t, a, b); !d.Equal || len(d.Tables) != 9 {
		t.Errorf("%+v", d)
	}
	for i := range b.Manifest.Tables {
		if info := &b.Manifest.Tables[i]; info.Table == trace.Queries {
			info.Digest = strings.Repeat("0", 64)
		}
	}
	damaged := func(d TableDifference) bool { return slices.Equal(d.Damaged, []string{b.Dir}) }
	if d := diffOf(t, a, b); d.Equal || !slices.ContainsFunc(d.Tables, damaged) {
		t.Error("rows that are not those that run.json lists were not noticed")
	}
}

func TestARunOfTheFirstReleaseHasAReport(t *testing.T) {
	r := firstRelease(t)
	if err := Write(r.Dir); err != nil {
		t.Fatal(err)
	}
	if page := read(t, filepath.Join(r.Dir, PageFile)); !strings.Contains(page, `<figure id="loss">`) {
		t.Error("the page has no figure of losses")
	}
}

func TestAnOldTableOfAnotherNodeListIsRefused(t *testing.T) {
	r := firstRelease(t)
	for i := range r.Manifest.Nodes {
		r.Manifest.Nodes[i].HasUID = false
	}
	err := Rows(r, func(trace.Query) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "belongs to no node in run.json") {
		t.Errorf("%v", err)
	}
}
