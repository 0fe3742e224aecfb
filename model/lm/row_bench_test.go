package lm

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"taolab/model/num"
)

// routing is a validator's step with either router: 16 rows of 24 tokens, eight answers a row.
type routing struct {
	one    *Router
	rows   *RowRouter
	state  RouterState
	adam   RowAdam
	tokens []uint16
	labels []uint16
	means  []float32
	pairs  []RowPair
	w      Workspace
	scores []float32
}

func newRouting(gates int) *routing {
	c, s := Config{Vocab: 512, Context: 24, Width: 32, Layers: 1, Heads: 2}, num.NewStream(1, "routing")
	x := &routing{one: NewRouter(c, gates, s), rows: NewRowRouter(New(c, s), gates, 4),
		tokens: randomTokens(16*24, c.Vocab, s), labels: randomTokens(16, 4, s),
		means: make([]float32, 4*gates), scores: make([]float32, 16*gates)}
	for i := range x.means {
		x.means[i] = float32(s.Float64())
	}
	for row := range 16 {
		for range 8 {
			x.pairs = append(x.pairs, RowPair{row, uint16(s.IntN(gates)), float32(s.Float64())})
		}
	}
	return x
}

func (x *routing) routeOne()  { x.w.Route(x.one, x.tokens, 16, 24, x.scores[:len(x.one.Bias)]) }
func (x *routing) routeRows() { x.w.RouteRows(x.rows, x.tokens, 16, 24, x.means, x.scores) }

func (x *routing) trainOne(batches int) {
	o := RouterTraining{SGD{Rate: 0.1, Momentum: 0.8, ClipNorm: 1}, batches}
	uids := []uint16{1, 5, 9, 20, 33, 40, 50, 63}
	x.w.TrainRouter(x.one, o, &x.state, x.tokens, 16, 24, uids, []float32{.1, .2, .3, .4, .5, .6, .7, .8})
}

func (x *routing) trainRows() {
	x.w.TrainRows(x.rows, DefaultRowTraining, &x.adam, x.tokens, 16, 24, x.labels, x.means, x.pairs)
}

// BenchmarkRouting gives the processor time of scoring and of learning a step, one score a batch
// alternating with scores by row. ratio is that of the medians: of both together, by row to one.
func BenchmarkRouting(b *testing.B) {
	for _, gates := range []int{64, 4096} {
		b.Run(fmt.Sprintf("%d", gates), func(b *testing.B) {
			x := newRouting(gates)
			calls := []func(){x.routeOne, func() { x.trainOne(1) }, x.routeRows, x.trainRows}
			names := []string{"us-route-one", "us-train-one", "us-route-rows", "us-train-rows"}
			times := make([][]time.Duration, len(calls))
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for _, call := range calls {
				call()
			}
			for b.Loop() {
				for i, call := range calls {
					start := cpuTime()
					for range 20 {
						call()
					}
					times[i] = append(times[i], cpuTime()-start)
				}
			}
			median := make([]float64, len(calls))
			for i := range times {
				slices.Sort(times[i])
				median[i] = times[i][len(times[i])/2].Seconds() / 20 * 1e6
				b.ReportMetric(median[i], names[i])
			}
			b.ReportMetric((median[2]+median[3])/(median[0]+median[1]), "ratio")
		})
	}
}

// BenchmarkGather compares a router that steps every batch with one that steps every third.
func BenchmarkGather(b *testing.B) {
	each, third := newRouting(64), newRouting(64)
	var times [2][]time.Duration
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	each.trainOne(1)
	third.trainOne(3)
	for b.Loop() {
		for i, call := range []func(){func() { each.trainOne(1) }, func() { third.trainOne(3) }} {
			start := cpuTime()
			for range 30 {
				call()
			}
			times[i] = append(times[i], cpuTime()-start)
		}
	}
	for i, name := range []string{"us-each", "us-third"} {
		slices.Sort(times[i])
		b.ReportMetric(times[i][len(times[i])/2].Seconds()/30*1e6, name)
	}
}
