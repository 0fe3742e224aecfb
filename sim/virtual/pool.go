package virtual

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"taolab/sim/host"
)

// task is a job on its way from the agent that started it to the Done event. A node has at most
// one, so the number of nodes bounds the pool.
type task struct {
	job    host.Job
	due    host.Time // virtual time of the Done event
	takes  host.Time // from its begin to then
	hangs  bool      // a watchdog will drop it
	work   int64
	tokens int64
	result []byte
	err    error
	state  taskState
	ended  chan struct{} // closed at the end of the job; nil while nobody waits for a running one
}

type taskState uint8

const (
	taskWaits taskState = iota
	taskRuns
	taskEnded
)

// pool runs tasks, the one that is due first before all others. Its threads are the loop itself,
// which runs tasks while it waits for one, and one goroutine for each worker more than one: as many
// threads as workers, and none that idles while a task waits.
//
// A job is all that an agent does with its models in one go, and an agent has one job at a time. So
// a model passes once through the caches of one thread for each job, be it a question or a visit of
// many training steps, and no job needs to know which thread had its model before.
type pool struct {
	workers int
	mu      sync.Mutex
	wake    sync.Cond
	heap    []*task // binary heap by due time; tasks that run or have ended are skipped
	closed  bool
	running sync.WaitGroup
	own     host.Scratch   // of the loop
	lent    []host.Scratch // of each goroutine next to it

	watch func() int64 // a stopwatch in nanoseconds, only for the figures below
	spent spent
}

// spent is where a run's threads have been, in nanoseconds of the stopwatch.
type spent struct {
	jobs    atomic.Int64 // in jobs, all threads together
	ownJobs atomic.Int64 // of that the loop
	waiting atomic.Int64 // the loop, for a job on another thread with none to run itself, or for the log's hash
}

func newPool(workers int, watch func() int64) *pool {
	if watch == nil {
		watch = func() int64 { return 0 }
	}
	p := &pool{workers: workers, lent: make([]host.Scratch, workers-1), watch: watch}
	p.wake.L = &p.mu
	return p
}

// start lets the goroutines next to the loop run tasks until stop.
func (p *pool) start() {
	p.closed = false
	for i := range p.lent {
		p.running.Go(func() { p.work(&p.lent[i]) })
	}
}

// stop ends the goroutines after the tasks they are running; tasks that wait stay.
func (p *pool) stop() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
	p.running.Wait()
}

// work is the life of a goroutine next to the loop.
func (p *pool) work(scratch *host.Scratch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed {
		t := p.first()
		if t == nil {
			p.wake.Wait()
			continue
		}
		p.run(t, scratch)
	}
}

// run does one task; p.mu is held before and after but not during.
func (p *pool) run(t *task, scratch *host.Scratch) {
	t.state = taskRuns
	p.mu.Unlock()
	from := p.watch()
	t.result, t.err = attempt(t.job, scratch)
	took := p.watch() - from
	p.spent.jobs.Add(took)
	if scratch == &p.own {
		p.spent.ownJobs.Add(took)
	}
	p.mu.Lock()
	t.state, t.job = taskEnded, nil
	if t.ended != nil {
		close(t.ended)
	}
}

// attempt runs a job and turns a panic into an error.
func attempt(j host.Job, scratch *host.Scratch) (result []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("job %T panicked: %v\n%s", j, r, debug.Stack())
		}
	}()
	return j.Run(scratch), nil
}

// add puts a task into the pool. Without goroutines nobody else looks for tasks.
func (p *pool) add(t *task) {
	if p.workers <= 1 {
		return
	}
	p.mu.Lock()
	h := append(p.heap, t)
	i := len(h) - 1
	for i > 0 && t.due < h[(i-1)/2].due {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = t
	p.heap = h
	p.mu.Unlock()
	p.wake.Signal()
}

// first takes the waiting task that is due first off the heap, nil if there is none.
func (p *pool) first() *task {
	p.trim()
	if len(p.heap) == 0 {
		return nil
	}
	return p.pop()
}

// trim takes tasks off the heap that no longer wait, as far as they stand on top.
func (p *pool) trim() {
	for len(p.heap) > 0 && p.heap[0].state != taskWaits {
		p.pop()
	}
}

// pop takes the top off the heap.
func (p *pool) pop() *task {
	h := p.heap
	t, last := h[0], h[len(h)-1]
	h[len(h)-1] = nil
	h = h[:len(h)-1]
	i := 0
	for 2*i+1 < len(h) {
		c := 2*i + 1
		if c+1 < len(h) && h[c+1].due < h[c].due {
			c++
		}
		if h[c].due >= last.due {
			break
		}
		h[i] = h[c]
		i = c
	}
	if len(h) > 0 {
		h[i] = last
	}
	p.heap = h
	return t
}

// wait returns when the task has ended. It runs the task itself when nobody has begun it; while
// another thread is at it, it runs what else waits. It returns ctx's error when ctx ends first.
func (p *pool) wait(ctx context.Context, t *task) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for t.state != taskEnded {
		next := t
		if t.state == taskRuns {
			next = p.first()
		}
		switch {
		case next != nil:
			p.run(next, &p.own)
			p.trim()
		default:
			p.sleep(ctx, t)
		}
		if err := ctx.Err(); err != nil && t.state != taskEnded {
			return err
		}
	}
	return nil
}

// sleep returns when a running task or ctx has ended; p.mu is held before and after.
func (p *pool) sleep(ctx context.Context, t *task) {
	ended := t.endedChannel()
	p.mu.Unlock()
	p.await(func() {
		select {
		case <-ended:
		case <-ctx.Done():
		}
	})
	p.mu.Lock()
}

// await lets the loop wait for another thread, and counts the time.
func (p *pool) await(other func()) {
	from := p.watch()
	other()
	p.spent.waiting.Add(p.watch() - from)
}

// endedChannel is closed when the running task has ended; p.mu is held.
func (t *task) endedChannel() chan struct{} {
	if t.ended == nil {
		t.ended = make(chan struct{})
	}
	return t.ended
}

// drop gives a task up: it will not begin, and if it runs, it has ended when drop returns.
func (p *pool) drop(t *task) {
	p.mu.Lock()
	switch t.state {
	case taskWaits:
		t.state, t.job = taskEnded, nil
	case taskRuns:
		ended := t.endedChannel()
		p.mu.Unlock()
		p.await(func() { <-ended })
		return
	}
	p.mu.Unlock()
}
