package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taolab/scenarios"
	"taolab/scenarios/sweep"
)

// Worker makes runs that a hub hands out.
type Worker struct {
	URL     string
	Program string // runs of another program are other runs
	Dir     string // for the runs' folders; of each nothing stays
	Workers int    // runs side by side
	// Sweep makes the runs of a file in a folder.
	Sweep func(file *scenarios.File, dir string) *sweep.Sweep
}

// Run makes runs until the hub is gone, or ctx ends, and tells how many it made.
func (w *Worker) Run(ctx context.Context) (made int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	gone := errors.New("the hub is gone")
	connection, err := nats.Connect(w.URL, nats.Name(nats.NewInbox()), nats.MaxReconnects(10), nats.ReconnectWait(500*time.Millisecond),
		nats.ClosedHandler(func(*nats.Conn) { cancel(gone) }))
	if err != nil {
		return 0, fmt.Errorf("%s: no hub answers: %w; expected the address that taolab sweep hub prints", w.URL, err)
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		return 0, err
	}
	file, design, err := w.learn(ctx, js)
	if err != nil {
		return 0, err
	}
	queue, err := js.Consumer(ctx, jobs, jobs)
	if err != nil {
		return 0, err
	}
	bucket, err := js.KeyValue(ctx, results)
	if err != nil {
		return 0, err
	}
	s := w.Sweep(file, w.Dir)
	s.Design = design
	var mutex sync.Mutex
	var group sync.WaitGroup
	for i := range w.Workers {
		group.Go(func() {
			n, failed := work(ctx, s, i, connection, queue, bucket)
			mutex.Lock()
			defer mutex.Unlock()
			made, err = made+n, errors.Join(err, failed)
		})
	}
	group.Wait()
	if err == nil && !errors.Is(context.Cause(ctx), gone) {
		err = context.Cause(ctx)
	}
	return made, err
}

// learn reads what the hub tells, and makes sure that this program makes the same runs.
func (w *Worker) learn(ctx context.Context, js jetstream.JetStream) (*scenarios.File, *sweep.Design, error) {
	bucket, err := js.KeyValue(ctx, about)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: not a hub of a sweep: %w", w.URL, err)
	}
	var text scenario
	design := new(sweep.Design)
	for key, into := range map[string]any{"scenario": &text, "design": design} { // order-free: two keys, each by itself
		entry, err := bucket.Get(ctx, key)
		if err == nil {
			err = json.Unmarshal(entry.Value(), into)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: the hub does not tell its %s: %w", w.URL, key, err)
		}
	}
	if design.Program != w.Program {
		return nil, nil, fmt.Errorf("%s: the hub runs %s, this is %s; expected the same program on all machines", w.URL, design.Program, w.Program)
	}
	path := filepath.Join(w.Dir, "scenario.toml")
	if err := os.WriteFile(path, []byte(text.Text), 0o644); err != nil {
		return nil, nil, err
	}
	file, err := scenarios.Load(path, text.Sets)
	if err != nil {
		return nil, nil, fmt.Errorf("the hub's scenario: %w; files that it names must be there under the same paths on each machine, and these not be relative", err)
	}
	if base := fmt.Sprintf("%x", file.BaseDigest()); base != design.Base {
		return nil, nil, fmt.Errorf("%s: the scenario is read as another one than by the hub", w.URL)
	}
	return file, design, nil
}

// work makes one run after another.
func work(ctx context.Context, s *sweep.Sweep, worker int, hub *nats.Conn, queue jetstream.Consumer, bucket jetstream.KeyValue) (made int, err error) {
	for ctx.Err() == nil {
		batch, err := queue.Fetch(1, jetstream.FetchMaxWait(time.Second))
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, nats.ErrConnectionClosed) {
				return made, nil
			}
			time.Sleep(100 * time.Millisecond) // the hub comes back, or the connection closes
			continue
		}
		for message := range batch.Messages() {
			done, err := perform(ctx, s, worker, hub, message, bucket)
			if err != nil {
				return made, err
			}
			if done {
				made++
			}
		}
	}
	return made, nil
}

// mostDeaths is how many workers may end while they make a run; one that ends all of them, for want of memory say, must
// not end the rest.
const mostDeaths = 5

// patience is how long a worker waits for the hub to note what it begins.
const patience = 10 * time.Second

// deaths tells the hub which run begins, and is how many workers that began it are gone; 0 if the hub does not answer.
func deaths(hub *nats.Conn, place int) int {
	text, err := json.Marshal(claim{place, hub.Opts.Name})
	if err != nil {
		return 0
	}
	answer, err := hub.Request(beginnings, text, patience)
	if err != nil {
		return 0
	}
	gone, _ := strconv.Atoi(string(answer.Data))
	return gone
}

// perform makes the run of a job. The first worker to end writes the result; all acknowledge.
func perform(ctx context.Context, s *sweep.Sweep, worker int, hub *nats.Conn, message jetstream.Msg, bucket jetstream.KeyValue) (bool, error) {
	var j job
	if err := json.Unmarshal(message.Data(), &j); err != nil || j.Place < 0 || j.Place >= s.Design.Runs() {
		return false, errors.Join(message.Term(), fmt.Errorf("the hub sent a job that names no run: %q", message.Data()))
	}
	if deaths(hub, j.Place) >= mostDeaths {
		out := sweep.Outcome{Status: sweep.Failed, Error: fmt.Sprintf("each of %d workers that began the run ended before it", mostDeaths)}
		_, err := conclude(ctx, s.Design.Run(j.Place), result{job: j, Outcome: out}, message, bucket)
		return false, err
	}
	alive, stop := context.WithCancel(ctx)
	var beat sync.WaitGroup
	beat.Go(func() {
		for {
			select {
			case <-alive.Done():
				return
			case <-time.After(ackWait / 2):
				message.InProgress() // lost with the connection, and then the job goes to another worker
			}
		}
	})
	run := s.Design.Run(j.Place)
	out, cost, finished := s.Perform(ctx, s.Design, run, worker)
	stop()
	beat.Wait()
	if !finished {
		return false, nil
	}
	return conclude(ctx, run, result{j, out, cost}, message, bucket)
}

// conclude writes a job's result, unless it has one, and acknowledges the job.
func conclude(ctx context.Context, run sweep.Run, r result, message jetstream.Msg, bucket jetstream.KeyValue) (bool, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	if _, err := bucket.Create(ctx, run.Key.String(), text); err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return false, nil // the hub is gone, or it hands the job out again
	}
	message.DoubleAck(ctx) // without it the job comes again, and its result is there
	return true, nil
}
