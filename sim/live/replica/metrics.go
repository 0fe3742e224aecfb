package replica

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taolab/sim/chain"
)

// metrics are the figures of a node for Prometheus. They count whether or not anybody asks.
type metrics struct {
	blocks       prometheus.Counter
	transactions *prometheus.CounterVec
	work         prometheus.Gauge
	bytes        prometheus.Gauge
	powerMoved   prometheus.Gauge
	refusals     *prometheus.CounterVec
	steps        *prometheus.HistogramVec
}

// The steps of which metrics have the time.
const (
	verifyStep = "verify"
	applyStep  = "apply"
	sealStep   = "seal"
	commitStep = "commit"
)

const metricsNamespace, metricsSubsystem = "taolab", "ledger"

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: name, Help: help}
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: name, Help: help,
		})
	}
	return &metrics{
		blocks:       prometheus.NewCounter(counter("blocks_total", "Blocks committed since the start.")),
		transactions: prometheus.NewCounterVec(counter("transactions_total", "Transactions of blocks by what came of them: Done, or the code of the refusal."), []string{"code"}),
		work:         gauge("block_work", "Work of the newest block in units."),
		bytes:        gauge("block_bytes", "Bytes of the transactions of the newest block."),
		powerMoved:   gauge("power_moved", "Power that seats gained and lost at the end of the newest epoch, in milli-TAO."),
		refusals:     prometheus.NewCounterVec(counter("pool_refusals_total", "Transactions that the pool refused by lane and code; those that came again after a block too."), []string{"lane", "code"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: metricsNamespace, Subsystem: metricsSubsystem, Name: "step_seconds",
			Help:    "Time of the steps of the ledger's work: verify is one signature, the others are of a block.",
			Buckets: prometheus.ExponentialBuckets(20e-6, 4, 9),
		}, []string{"step"}),
	}
}

// register makes the figures known, and those that follow from how a node is.
func (m *metrics) register(to prometheus.Registerer, n *Node) error {
	var err error
	for _, c := range []prometheus.Collector{
		m.blocks, m.transactions, m.work, m.bytes, m.powerMoved, m.refusals, m.steps, condition{n},
	} {
		err = errors.Join(err, to.Register(c))
	}
	if err != nil {
		return fmt.Errorf("the figures of the ledger could not be registered: does another node use the same registry? %w", err)
	}
	return nil
}

// took takes note of how long a step took.
func (m *metrics) took(step string, since time.Time) {
	m.steps.WithLabelValues(step).Observe(time.Since(since).Seconds())
}

// Labels of what is not a transaction, of what the pool has no room for, and of what is done.
const (
	noLane     = "none"
	notDecoded = "Undecodable"
	noPlace    = "NoPlace"
	done       = "Done"
)

// codeName is the label of a refusal. The ledger's codes bound the series that strangers can make.
func codeName(err error) string {
	var refusal *chain.Error
	var refused *Refused
	switch {
	case errors.As(err, &refusal):
		return refusal.Code.Name()
	case errors.As(err, &refused):
		return noPlace
	}
	return notDecoded
}

// refused counts a transaction that has no place in the pool.
func (m *metrics) refused(lane string, err error) {
	m.refusals.WithLabelValues(lane, codeName(err)).Inc()
}

// committed takes note of a block that follows a view.
func (m *metrics) committed(e *executed, before chain.View) {
	work, bytes := uint64(0), 0
	codes := map[string]int{}
	for i, d := range e.outcome.Delivered {
		work += d.Work
		bytes += len(e.block.Txs[i])
		codes[fate(d)]++
	}
	for code, n := range codes { // order-free: each has its own counter
		m.transactions.WithLabelValues(code).Add(float64(n))
	}
	m.blocks.Inc()
	m.work.Set(float64(work))
	m.bytes.Set(float64(bytes))
	for _, event := range e.outcome.Events {
		if seated, ok := event.(chain.Seated); ok {
			m.powerMoved.Set(powerMoved(before, seated.Changes))
		}
	}
}

// fate is what came of a transaction of a block.
func fate(d chain.Delivered) string {
	switch {
	case d.Err != nil:
		return codeName(d.Err)
	case d.Refusal != nil:
		return codeName(d.Refusal)
	}
	return done
}

// powerMoved is what seats gained and lost by changes.
func powerMoved(before chain.View, changes []chain.SeatChange) (moved float64) {
	had := map[chain.Key]uint64{}
	for _, o := range before.Operators() {
		had[o.ConsensusKey] = o.Power
	}
	for _, c := range changes {
		moved += float64(max(c.Power, had[c.Key]) - min(c.Power, had[c.Key]))
	}
	return moved
}

// condition collects the figures that follow from how a node is when it is asked.
type condition struct{ node *Node }

func conditionOf(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(metricsNamespace, metricsSubsystem, name), help, labels, nil)
}

var (
	heightOf      = conditionOf("height", "Newest block.")
	priceOf       = conditionOf("price_rao", "Price of a unit of work in the next block.")
	accountsOf    = conditionOf("accounts", "Accounts that the ledger has.")
	unbondingOf   = conditionOf("unbonding_rao", "Money on its way from hotkeys to coldkeys.")
	rulesOf       = conditionOf("rules", "Version of the rules in force.")
	planOf        = conditionOf("planned_rules", "Version of the rules that an upgrade brings; 0: none is planned.")
	planHeightOf  = conditionOf("planned_height", "Block from which the planned rules hold; 0: none are planned.")
	missedOf      = conditionOf("missed_blocks", "Of the last blocks, those in whose decision a seat took no part.", "hotkey")
	powerOf       = conditionOf("power", "Power of a seat in milli-TAO.", "hotkey")
	waitingOf     = conditionOf("pool_transactions", "Transactions that wait.", "lane")
	catchingUpOf  = conditionOf("catching_up", "1 while the node fetches blocks and does not vote.")
	peersOf       = conditionOf("peers", "Connected peers.")
	snapshotAgeOf = conditionOf("snapshot_age_blocks", "Blocks since the newest state that others may fetch; absent: there is none.")
)

func (c condition) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		heightOf, priceOf, accountsOf, unbondingOf, rulesOf, planOf, planHeightOf, missedOf, powerOf, waitingOf, catchingUpOf,
		peersOf, snapshotAgeOf,
	} {
		to <- d
	}
}

func (c condition) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	n, v := c.node, c.node.View()
	gauge(heightOf, float64(v.Height()))
	gauge(priceOf, float64(v.PriceRao()))
	gauge(accountsOf, float64(v.Accounts()))
	gauge(unbondingOf, float64(v.Totals().Unbonding))
	gauge(rulesOf, float64(v.Rules()))
	plan := v.Plan()
	gauge(planOf, float64(plan.Rules))
	gauge(planHeightOf, float64(plan.Height))
	for _, o := range v.Operators() {
		if o.Power > 0 {
			hotkey := hex.EncodeToString(o.Hotkey[:])
			gauge(missedOf, float64(o.Missed), hotkey)
			gauge(powerOf, float64(o.Power), hotkey)
		}
	}
	for l, count := range n.app.pool.counts() {
		gauge(waitingOf, float64(count), lane(l).String())
	}
	catchingUp := 0.0
	if n.engine.ConsensusReactor().WaitSync() {
		catchingUp = 1
	}
	gauge(catchingUpOf, catchingUp)
	gauge(peersOf, float64(n.engine.Switch().Peers().Size()))
	if height, ok := n.app.snaps.newest(); ok {
		gauge(snapshotAgeOf, float64(v.Height())-float64(height))
	}
}
