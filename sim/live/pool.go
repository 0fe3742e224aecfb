package live

import (
	"fmt"
	"runtime/debug"
	"sync"

	"taolab/sim/host"
)

// task is a job of a node on its way to the Done event. A node has one at most, which bounds the pool.
type task struct {
	id     host.JobID
	job    host.Job
	result []byte
	err    error
	done   chan *task // of the node; it has room
}

// pool runs jobs on a fixed number of goroutines, in the order in which they come.
type pool struct {
	tasks   chan *task
	workers sync.WaitGroup
}

func newPool(workers, nodes int) *pool {
	p := &pool{tasks: make(chan *task, nodes)}
	for range workers {
		p.workers.Go(func() {
			var scratch host.Scratch
			for t := range p.tasks {
				t.result, t.err = attempt(t.job, &scratch)
				t.job = nil
				t.done <- t
			}
		})
	}
	return p
}

// stop returns when all jobs have ended. No more may come.
func (p *pool) stop() {
	close(p.tasks)
	p.workers.Wait()
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

// Compute is documented at host.Env.
func (e *env) Compute(j host.Job) host.JobID {
	n := e.use()
	if n.job != nil {
		panic(fmt.Sprintf("job %T while job %d is outstanding: one at a time", j, n.job.id))
	}
	n.job = &task{id: host.JobID(n.newID()), job: j, done: n.done}
	n.world.pool.tasks <- n.job // which has room for a job of each node
	return n.job.id
}

// finish hands the result of the outstanding job to the agent. Between the job's end and that its models
// are still: a state that is due is saved now.
func (n *node) finish(t *task) {
	if t.err != nil {
		panic(t.err)
	}
	n.job = nil
	if n.saveDue {
		n.save()
	}
	n.world.metrics.jobs.WithLabelValues(n.cfg.Name).Inc()
	n.handle(host.Done{ID: t.id, Result: t.result})
}
