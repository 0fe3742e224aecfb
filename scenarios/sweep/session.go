package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Session is an open log of results, with an index of all results in the folder.
type Session struct {
	sweep   *Sweep
	release func()

	mutex sync.Mutex
	log   *log
	known *index
}

// Task is a run to be made, with the number of its attempt.
type Task struct {
	Run
	Attempt int
}

// Open opens the log of the sweep's shard, which only one process may hold at a time.
func (s *Sweep) Open() (*Session, error) {
	results := filepath.Join(s.Dir, resultsFolder)
	if err := os.MkdirAll(results, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(results, fmt.Sprintf("%d-of-%d.log", s.Shard.Index, s.Shard.Of))
	release, err := s.lock(path)
	if err != nil {
		return nil, err
	}
	x := &Session{sweep: s, release: release}
	if x.log, err = openLog(path); err != nil {
		release()
		return nil, err
	}
	if x.known, err = readResults(s.Dir); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// lock locks a log, which it creates if needed.
func (s *Sweep) lock(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	f.Close()
	return s.Lock(path)
}

// Close closes and unlocks the log.
func (x *Session) Close() error {
	defer x.release()
	return x.log.close()
}

// Make makes the runs of a design that belong to the shard and have no result yet, until ctx ends.
func (x *Session) Make(ctx context.Context, d *Design) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tasks := x.Missing(d)
	var next atomic.Int64
	var workers sync.WaitGroup
	for w := range min(x.sweep.Workers, len(tasks)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(tasks)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				out, cost, finished := x.sweep.Perform(ctx, d, tasks[i].Run, w)
				if !finished {
					continue
				}
				if err := x.Append(tasks[i], out, cost); err != nil {
					cancel(err) // the first result that cannot be written ends the session
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// Missing lists the runs of a design that are still to be made, in its order, and counts them for
// Progress.
func (x *Session) Missing(d *Design) []Task {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	s := x.sweep
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.begun.IsZero() {
		s.begun = s.Now()
	}
	var tasks []Task
	planned := map[Key]bool{} // trajectories and rows may share a point
	for i := range d.Runs() {
		r := d.Run(i)
		if !s.Shard.Holds(r.Key) || planned[r.Key] {
			continue
		}
		planned[r.Key] = true
		s.state.Runs++
		switch p, met := x.known.places[r.Key]; {
		case !met:
			tasks = append(tasks, Task{r, 0})
		case p.failed && s.Retry:
			tasks = append(tasks, Task{r, p.attempt + 1})
		default:
			s.state.Before++
		}
	}
	return tasks
}

// Append stores a result, which is on disk when Append returns.
func (x *Session) Append(t Task, out Outcome, cost Cost) error {
	text, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("point %d, replication %d: %w", t.Point, t.Replication, err)
	}
	x.mutex.Lock()
	defer x.mutex.Unlock()
	at, payload, err := x.log.append(record{t.Key.String(), t.Attempt, text, cost})
	if err != nil {
		return fmt.Errorf("the sweep was ended because %s cannot be written: %w; the results before are whole: "+
			"free space there and run the same command again", x.log.f.Name(), err)
	}
	if err := x.known.add(x.known.file(x.log.f.Name()), at, payload); err != nil {
		return err
	}
	x.sweep.mutex.Lock()
	defer x.sweep.mutex.Unlock()
	x.sweep.state.Done++
	if out.Status != OK {
		x.sweep.state.Failed++
	}
	return nil
}

// Outcome returns the newest result of a run, nil if there is none.
func (x *Session) Outcome(key Key) (*Outcome, error) {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	_, out, err := x.known.load(key)
	return out, err
}
