package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"taolab/report"
	"taolab/sim/trace"
)

// twin works out in plain Go what a documented query answers: the numbers of each row, by its words.
type twin struct {
	query          int // place on the page
	words, numbers []string
	rows           func(*tables) map[string][]float64
}

var twins = []twin{
	{1, []string{"name"}, []string{"loss", "steps"}, (*tables).finalLosses},
	{3, []string{"name"}, []string{"stake_tao", "earned_over_stake", "trust"}, (*tables).returns},
	{4, []string{"subset", "group"}, []string{"loss", "answered_rows"}, (*tables).subsetLosses},
	{6, []string{"name"}, []string{"stake_tao", "admitted", "median_s", "p95_s"}, (*tables).admissions},
	{8, []string{"group", "kind", "outcome", "reason"}, []string{"transactions"}, (*tables).notIncluded},
	{9, []string{"name"}, []string{"cut"}, (*tables).cuts},
}

// compare holds a query's answer against its twin's.
func (w twin) compare(t *testing.T, query string, answer []map[string]any, run *report.Run) {
	t.Helper()
	got := map[string][]float64{}
	for _, row := range answer {
		var words []string
		for _, column := range w.words {
			words = append(words, fmt.Sprint(cmp.Or(row[column], any("NULL"))))
		}
		name := strings.Join(words, "|")
		for _, column := range w.numbers {
			x, _ := row[column].(float64)
			got[name] = append(got[name], x)
		}
	}
	want := w.rows(&tables{t, run})
	if len(got) != len(answer) || len(got) != len(want) {
		t.Errorf("%d rows, %d of them different, expected %d:\n%s", len(answer), len(got), len(want), query)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }
	for name, numbers := range want { // order-free: each row is compared by itself
		if !slices.EqualFunc(got[name], numbers, near) {
			t.Errorf("%s: %s are %v, expected %v:\n%s", name, strings.Join(w.numbers, ", "), got[name], numbers, query)
		}
	}
}

// tables are those of a run.
type tables struct {
	t   *testing.T
	run *report.Run
}

// each calls do with every row of a table.
func each[T trace.Row](s *tables, do func(T)) {
	s.t.Helper()
	if err := report.Rows(s.run, func(row T) error { do(row); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

// nodes are the rows of the table nodes, by index.
func (s *tables) nodes() map[uint32]trace.Node {
	nodes := map[uint32]trace.Node{}
	each(s, func(n trace.Node) { nodes[n.Node] = n })
	return nodes
}

func (s *tables) finalLosses() map[string][]float64 {
	nodes, rows, latest := s.nodes(), map[string][]float64{}, map[string]int64{}
	each(s, func(r trace.Train) {
		name := nodes[r.Node].Name
		if r.Subset != "all" {
			return
		}
		if rows[name] == nil || r.TimeNs > latest[name] {
			rows[name], latest[name] = []float64{float64(r.HeldOutLoss), 0}, r.TimeNs
		}
		rows[name][1] = float64(r.Steps) // which only grow
	})
	return rows
}

func (s *tables) returns() map[string][]float64 {
	nodes, rows, epochs := s.nodes(), map[string][]float64{}, map[string]float64{}
	each(s, func(e trace.Epoch) {
		n := nodes[*e.Node]
		if n.Role != "validator" {
			return
		}
		if rows[n.Name] == nil {
			rows[n.Name] = []float64{float64(n.StakeRao) / 1e9, 0, 0}
		}
		rows[n.Name][1] += float64(e.EmissionRao) / float64(n.StakeRao)
		rows[n.Name][2] += float64(e.ValidatorTrust) / 65535
		epochs[n.Name]++
	})
	for name := range rows { // order-free: each by itself
		rows[name][2] /= epochs[name]
	}
	return rows
}

func (s *tables) subsetLosses() map[string][]float64 {
	nodes, rows := s.nodes(), map[string][]float64{}
	each(s, func(a trace.Answer) {
		if a.Lane != trace.ScoringLane || a.Loss == nil {
			return
		}
		name := a.Subset + "|" + nodes[*a.Peer].Group
		if rows[name] == nil {
			rows[name] = []float64{0, 0}
		}
		rows[name][0] += float64(*a.Loss) * float64(a.Rows)
		rows[name][1] += float64(a.Rows)
	})
	for name := range rows { // order-free: each by itself
		rows[name][0] /= rows[name][1]
	}
	return rows
}

func (s *tables) admissions() map[string][]float64 {
	nodes, rows := s.nodes(), map[string][]float64{}
	admitted, asked, latencies := map[string]float64{}, map[string]float64{}, map[string][]float64{}
	each(s, func(a trace.Application) {
		n := nodes[a.Node]
		rows[n.Name] = []float64{float64(n.StakeRao) / 1e9, 0, 0, 0}
		if a.Admitted != nil {
			asked[n.Name]++
			if *a.Admitted {
				admitted[n.Name]++
			}
		}
		if a.Code == "Success" {
			latencies[n.Name] = append(latencies[n.Name], float64(a.LatencyNs)/1e9)
		}
	})
	for name, row := range rows { // order-free: each by itself
		row[1] = admitted[name] / asked[name]
		row[2], row[3] = report.Quantile(0.5, latencies[name]), report.Quantile(0.95, latencies[name])
	}
	return rows
}

func (s *tables) notIncluded() map[string][]float64 {
	nodes, rows := s.nodes(), map[string][]float64{}
	each(s, func(x trace.Transaction) {
		if x.Outcome == trace.Included {
			return
		}
		group, reason := "NULL", "NULL"
		if x.Node != nil {
			group = nodes[*x.Node].Group
		}
		if x.Reason != nil {
			reason = *x.Reason
		}
		name := strings.Join([]string{group, x.Kind, x.Outcome, reason}, "|")
		if rows[name] == nil {
			rows[name] = []float64{0}
		}
		rows[name][0]++
	})
	return rows
}

func (s *tables) cuts() map[string][]float64 {
	last := uint32(0)
	each(s, func(w trace.Weight) { last = max(last, w.Epoch) })
	consensus, sums := map[uint16]float64{}, map[uint16]float64{}
	each(s, func(e trace.Epoch) {
		if e.Epoch == last {
			consensus[e.UID] = float64(e.Consensus) / 65535
		}
	})
	each(s, func(w trace.Weight) {
		if w.Epoch == last {
			sums[w.From] += float64(w.Weight)
		}
	})
	nodes, rows := s.nodes(), map[string][]float64{}
	each(s, func(w trace.Weight) {
		if w.Epoch != last {
			return
		}
		name := nodes[*w.FromNode].Name
		if rows[name] == nil {
			rows[name] = []float64{0}
		}
		rows[name][0] += max(0, float64(w.Weight)/sums[w.From]-consensus[w.To])
	})
	return rows
}
