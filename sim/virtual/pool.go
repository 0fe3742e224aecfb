package virtual

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"taolab/sim/host"
)

// task is a job on its way from the agent that started it to the Done event. A node has at most
// one, so the number of nodes bounds the pool.
type task struct {
	job    host.Job
	due    host.Time // virtual time of the Done event
	work   int64
	tokens int64
	result []byte
	err    error
	state  taskState
	ended  chan struct{} // closed when a worker has finished the job; nil while nobody has begun
}

type taskState uint8

const (
	taskWaits taskState = iota
	taskRuns
	taskEnded
)

// pool runs tasks on worker goroutines, the one that is due first before all others. Without
// workers tasks run when somebody waits for them.
type pool struct {
	workers int
	mu      sync.Mutex
	wake    sync.Cond
	heap    []*task // binary heap by due time; tasks that run or have ended are skipped
	closed  bool
	running sync.WaitGroup
	own     host.Scratch   // of the goroutine that waits
	lent    []host.Scratch // of each worker
}

func newPool(workers int) *pool {
	p := &pool{workers: workers, lent: make([]host.Scratch, workers)}
	p.wake.L = &p.mu
	return p
}

// start lets the workers run tasks until stop. One worker alone would only compete with the
// loop: then tasks run where they are waited for.
func (p *pool) start() {
	if p.workers <= 1 {
		return
	}
	p.closed = false
	for i := range p.workers {
		p.running.Go(func() { p.work(&p.lent[i]) })
	}
}

// stop ends the workers after the tasks they are running; tasks that wait stay.
func (p *pool) stop() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake.Broadcast()
	p.running.Wait()
}

// work is the life of a worker.
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
	t.state, t.ended = taskRuns, make(chan struct{})
	p.mu.Unlock()
	t.result, t.err = attempt(t.job, scratch)
	p.mu.Lock()
	t.state, t.job = taskEnded, nil
	close(t.ended)
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

// add puts a task into the pool. Without workers nobody looks for tasks.
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

// wait returns when the task has ended, and runs it itself when no worker has begun it. It
// returns ctx's error when ctx ends first.
func (p *pool) wait(ctx context.Context, t *task) error {
	p.mu.Lock()
	if t.state == taskWaits {
		p.run(t, &p.own)
		p.trim()
	}
	ended := t.ended
	p.mu.Unlock()
	select {
	case <-ended:
		return nil
	default:
	}
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drop gives a task up: it will not begin, and if it runs, it has ended when drop returns.
func (p *pool) drop(t *task) {
	p.mu.Lock()
	ended := t.ended
	if t.state == taskWaits {
		t.state, t.job = taskEnded, nil
	}
	p.mu.Unlock()
	if ended != nil {
		<-ended
	}
}
