package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"taolab/report"
	"taolab/scenarios"
)

// Sweep makes the runs of a design in a folder.
type Sweep struct {
	File    *scenarios.File
	Design  *Design
	Dir     string
	Shard   Shard
	Workers int
	Keep    bool // the folder of each run
	Retry   bool // runs that failed or were refused

	// Lock ensures that only one process at a time writes a log of results.
	Lock func(path string) (release func(), err error)
	// Experiment makes a run in a folder. It computes on one thread, since runs are concurrent.
	Experiment func(file *scenarios.File, dir string) *scenarios.Experiment
	// Now is wall time and CPU the CPU time of this process: for costs and progress only.
	Now func() time.Time
	CPU func() time.Duration

	mutex   sync.Mutex
	meter   meter
	begun   time.Time
	state   Progress
	running map[int]Begun // by worker
}

// Progress is the progress of a sweep.
type Progress struct {
	Done, Failed int // in this process
	Before       int // done earlier by other processes
	Runs         int // of the shard
	Elapsed      time.Duration
	Oldest       Begun // the run that began first
}

// Begun is a run under way.
type Begun struct {
	Run
	Since time.Time
}

// Progress returns the progress so far; it may be called at any time.
func (s *Sweep) Progress() Progress {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	p := s.state
	if !s.begun.IsZero() {
		p.Elapsed = s.Now().Sub(s.begun)
	}
	for _, b := range s.running { // order-free: the earliest, and of equal ones the first of the design
		if p.Oldest.Since.IsZero() || b.Since.Before(p.Oldest.Since) || b.Since.Equal(p.Oldest.Since) && earlier(b.Run, p.Oldest.Run) {
			p.Oldest = b
		}
	}
	return p
}

func earlier(a, b Run) bool {
	return a.Point < b.Point || a.Point == b.Point && a.Replication < b.Replication
}

// Run makes the runs of the shard that have no result yet, until ctx ends. A run that ctx interrupts leaves
// nothing behind.
func (s *Sweep) Run(ctx context.Context) error {
	if err := s.Design.Keep(s.Dir); err != nil {
		return err
	}
	session, err := s.Open()
	if err != nil {
		return err
	}
	return errors.Join(session.Make(ctx, s.Design), session.Close())
}

// Perform makes one run of a design and returns its result and cost; finished is false if ctx interrupted it.
// Concurrent workers have different numbers.
func (s *Sweep) Perform(ctx context.Context, d *Design, r Run, worker int) (out Outcome, cost Cost, finished bool) {
	begun := s.begin(worker, r)
	out, finished = s.live(ctx, d, r, worker)
	return out, s.end(worker, begun), finished
}

func (s *Sweep) begin(worker int, r Run) time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.Now()
	if s.running == nil {
		s.running, s.meter = map[int]Begun{}, meter{now: s.CPU, last: s.CPU()}
	}
	s.meter.begin(worker)
	s.running[worker] = Begun{r, now}
	return now
}

func (s *Sweep) end(worker int, begun time.Time) Cost {
	host, _ := os.Hostname()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.running, worker)
	return Cost{
		WallSeconds: s.Now().Sub(begun).Seconds(), CPUSeconds: s.meter.end(worker).Seconds(),
		Host: host, Worker: worker,
	}
}

// live makes a run and summarises it; finished is false if ctx interrupted it.
func (s *Sweep) live(ctx context.Context, d *Design, r Run, worker int) (out Outcome, finished bool) {
	place := r.place()
	dir := filepath.Join(s.Dir, place)
	if !s.Keep {
		dir += fmt.Sprintf("-%d", worker) // a hub that misses a worker assigns its run again, maybe to this process
	}
	failed := func(status string, err error) (Outcome, bool) {
		text := strings.ReplaceAll(err.Error(), dir, place)
		text = strings.ReplaceAll(text, s.Dir+string(filepath.Separator), "")
		return Outcome{Status: status, Error: strings.ReplaceAll(text, "\n", "; ")}, ctx.Err() == nil
	}
	defer func() {
		if p := recover(); p != nil {
			out, finished = failed(Failed, fmt.Errorf("the program failed: %v", p))
		}
		if !s.Keep {
			os.RemoveAll(dir)
		}
	}()
	file, err := s.File.With(d.Sets(r)...)
	if err != nil {
		return failed(Refused, err)
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return failed(Failed, err)
	}
	e := s.Experiment(file, dir)
	if err := e.Begin(); err != nil {
		return failed(Failed, err)
	}
	if err := e.Prepare(ctx, nil); err != nil {
		return failed(Failed, err)
	}
	m, err := e.Run(ctx)
	if err == nil && !m.Finished {
		err = context.Canceled
	}
	if err != nil {
		return failed(Failed, err)
	}
	metrics, err := measured(dir)
	if err != nil {
		return failed(Failed, err)
	}
	return Outcome{Status: OK, RunDigest: m.RunDigest, Metrics: metrics}, true
}

// measured returns the metrics of a run that do not depend on the machine.
func measured(dir string) (map[string]float64, error) {
	run, err := report.Open(dir)
	if err != nil {
		return nil, err
	}
	summary, err := report.Summarise(run)
	if err != nil {
		return nil, err
	}
	metrics := map[string]float64{}
	for _, m := range summary.Metrics() {
		if m.Name != "run.wall_seconds" && !math.IsNaN(m.Value) && !math.IsInf(m.Value, 0) {
			metrics[m.Name] = m.Value
		}
	}
	return metrics, nil
}

// meter divides the CPU time of the process among the running runs.
type meter struct {
	now   func() time.Duration
	last  time.Duration
	spent map[int]time.Duration // by worker
}

func (m *meter) begin(worker int) {
	m.share()
	m.spent[worker] = 0
}

func (m *meter) end(worker int) time.Duration {
	m.share()
	spent := m.spent[worker]
	delete(m.spent, worker)
	return spent
}

// share gives each run its part of the time spent since the last call.
func (m *meter) share() {
	now := m.now()
	if m.spent == nil {
		m.spent = map[int]time.Duration{}
	}
	for worker := range m.spent { // order-free: each gets the same
		m.spent[worker] += (now - m.last) / time.Duration(len(m.spent))
	}
	m.last = now
}
