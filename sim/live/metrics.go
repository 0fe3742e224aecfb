package live

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"taolab/sim/host"
)

// metrics are the figures of a world for Prometheus. They count whether or not anybody asks.
type metrics struct {
	height    prometheus.Gauge
	events    *prometheus.CounterVec
	requests  *prometheus.CounterVec
	calls     *prometheus.CounterVec
	callTime  *prometheus.HistogramVec
	jobs      *prometheus.CounterVec
	submits   *prometheus.CounterVec
	waiting   *prometheus.GaugeVec
	saves     *prometheus.CounterVec
	saveBytes *prometheus.GaugeVec
}

func newMetrics(to prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "taolab", Name: name, Help: help}, append([]string{"node"}, labels...))
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "taolab", Name: name, Help: help}, []string{"node"})
	}
	m := &metrics{
		height:   prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "taolab", Name: "height", Help: "Newest block that this process has seen."}),
		events:   counter("events_total", "Events handed to the agent.", "event"),
		requests: counter("requests_total", "Requests to the node by the code of their last reply; NoReturn where the caller left.", "code"),
		calls:    counter("calls_total", "Calls of the node by the code of their last answer.", "code"),
		callTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "taolab", Name: "call_seconds", Help: "Time from a call to its last answer.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}, []string{"node"}),
		jobs:      counter("jobs_total", "Compute jobs done."),
		submits:   counter("transactions_total", "Transactions of the node by what became of them.", "fate"),
		waiting:   gauge("requests_waiting", "Requests in the admission queue."),
		saves:     counter("saves_total", "Saved states by how it went.", "result"),
		saveBytes: gauge("state_bytes", "Length of the newest saved state."),
	}
	if to == nil {
		return m, nil
	}
	var err error
	for _, c := range []prometheus.Collector{
		m.height, m.events, m.requests, m.calls, m.callTime, m.jobs, m.submits, m.waiting, m.saves, m.saveBytes,
	} {
		err = errors.Join(err, to.Register(c))
	}
	if err != nil {
		return nil, fmt.Errorf("the figures could not be registered: does another world use the same registry? %w", err)
	}
	return m, nil
}

func (m *metrics) handled(n *node, e host.Event) {
	m.events.WithLabelValues(n.cfg.Name, fmt.Sprintf("%T", e)[len("host."):]).Inc()
}

func (m *metrics) served(n *node, code host.Code) {
	m.requests.WithLabelValues(n.cfg.Name, code.String()).Inc()
}

// called counts an answer. A code is a byte, which bounds the series that strangers can make.
func (m *metrics) called(n *node, code host.Code, took host.Time) {
	m.calls.WithLabelValues(n.cfg.Name, code.String()).Inc()
	m.callTime.WithLabelValues(n.cfg.Name).Observe(time.Duration(took).Seconds())
}

func (m *metrics) submitted(n *node, e host.Event) {
	m.submits.WithLabelValues(n.cfg.Name, fmt.Sprintf("%T", e)[len("host."):]).Inc()
}
