package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taolab/scenarios"
	"taolab/scenarios/small"
	"taolab/scenarios/sweep"
)

const points = `
[sweep]
replications = 4
[[sweep.keys]]
key = "chain.kappa"
values = [0.4, 0.5, 0.6, 7]
`

func runner(file *scenarios.File, dir string) *sweep.Sweep {
	return &sweep.Sweep{
		File: file, Dir: dir, Shard: sweep.Shard{Index: 0, Of: 1}, Workers: 2,
		Lock: small.Lock, Experiment: small.Experiment, Now: small.Now, CPU: small.CPU,
	}
}

func sweepOf(t *testing.T) *sweep.Sweep {
	t.Helper()
	file := small.Load(t, points)
	s := runner(file, t.TempDir())
	var err error
	if s.Design, err = sweep.New(file, "test"); err != nil {
		t.Fatal(err)
	}
	return s
}

func tableOf(t *testing.T, s *sweep.Sweep) []byte {
	t.Helper()
	table, err := sweep.Gather(s.Design, s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if table.Counts != (sweep.Counts{Planned: 16, OK: 12, Failed: 4}) {
		t.Errorf("%+v", table.Counts)
	}
	dir := t.TempDir()
	if err := table.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, sweep.TableFile))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestThreeWorkersOfWhichOneDiesMakeTheTableOfOne(t *testing.T) {
	alone := sweepOf(t)
	if err := alone.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	s := sweepOf(t)
	var group sync.WaitGroup
	made := make([]int, 3)
	h := Hub{Sweep: s, Host: "127.0.0.1", Port: -1, Ready: func(url string) {
		for i := range made {
			ctx, die := context.WithCancel(context.Background())
			w := Worker{URL: url, Program: "test", Dir: t.TempDir(), Workers: 1, Sweep: runner}
			if i == 0 { // it dies within its second run, and acknowledges nothing
				w.Sweep = func(file *scenarios.File, dir string) *sweep.Sweep {
					s, begun := runner(file, dir), 0
					experiment := s.Experiment
					s.Experiment = func(file *scenarios.File, dir string) *scenarios.Experiment {
						if begun++; begun == 2 {
							die()
						}
						return experiment(file, dir)
					}
					return s
				}
			}
			group.Go(func() {
				var err error
				if made[i], err = w.Run(ctx); err != nil && i > 0 {
					t.Error(err)
				}
				die()
			})
		}
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	if err := h.Run(ctx); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	if !bytes.Equal(tableOf(t, alone), tableOf(t, s)) {
		t.Error("the tables differ")
	}
	t.Logf("runs made: %v", made)
}

// A queue on a full disk takes no job, and the hub does not wait for what nobody can make.
func TestAHubWhoseQueueIsFullEndsWithTheReason(t *testing.T) {
	s := sweepOf(t)
	ns, err := server.NewServer(&server.Options{
		DontListen: true, JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 1 << 16, NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	defer ns.Shutdown()
	connection, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	js, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	s.Design.Replications = 10_000
	session, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err = (&Hub{Sweep: s}).hand(ctx, js, session, "")
	if err == nil || !strings.Contains(err.Error(), "the queue does not take run") || !strings.Contains(err.Error(), "free space in") || ctx.Err() != nil {
		t.Errorf("got %v, expected the run that the queue does not take", err)
	}
}

func TestWorkerOfAnotherProgramIsRefused(t *testing.T) {
	s := sweepOf(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h := Hub{Sweep: s, Host: "127.0.0.1", Port: -1, Ready: func(url string) {
		w := Worker{URL: url, Program: "another", Dir: t.TempDir(), Workers: 1, Sweep: runner}
		if _, err := w.Run(ctx); err == nil || !strings.Contains(err.Error(), "the hub runs test, this is another") {
			t.Errorf("got %v", err)
		}
		cancel()
	}}
	if err := h.Run(ctx); err == nil {
		t.Error("the hub ended without its runs")
	}
}

// A run that ends every worker that begins it becomes a failed one, and the others are made.
func TestARunThatEndsItsWorkersFails(t *testing.T) {
	s := sweepOf(t)
	var mutex sync.Mutex
	var poison []string // settings of the run
	deaths := 0
	var group sync.WaitGroup
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	over, end := context.WithCancel(ctx)
	h := Hub{Sweep: s, Host: "127.0.0.1", Port: -1, Ready: func(url string) {
		group.Go(func() {
			for over.Err() == nil {
				mortal, die := context.WithCancel(over)
				w := Worker{URL: url, Program: "test", Dir: t.TempDir(), Workers: 1, Sweep: func(file *scenarios.File, dir string) *sweep.Sweep {
					s := runner(file, dir)
					experiment := s.Experiment
					s.Experiment = func(file *scenarios.File, dir string) *scenarios.Experiment {
						mutex.Lock()
						defer mutex.Unlock()
						if poison == nil {
							poison = file.Sets
						}
						if slices.Equal(poison, file.Sets) {
							deaths++
							die()
						}
						return experiment(file, dir)
					}
					return s
				}}
				w.Run(mortal)
				die()
			}
		})
	}}
	err := h.Run(ctx)
	end()
	group.Wait()
	if err != nil {
		t.Fatal(err)
	}
	table, err := sweep.Gather(s.Design, s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if table.Counts != (sweep.Counts{Planned: 16, OK: 11, Failed: 5}) || deaths != mostDeaths {
		t.Errorf("%+v after %d deaths", table.Counts, deaths)
	}
}

// A machine that is choked lets its jobs come again and again: they are not to blame while the worker lives.
func TestARunThatComesAgainToLivingWorkersIsMade(t *testing.T) {
	s := sweepOf(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var group sync.WaitGroup
	h := Hub{Sweep: s, Host: "127.0.0.1", Port: -1, Ready: func(url string) {
		group.Go(func() {
			choked, queue := connect(t, ctx, url, "choked")
			defer choked.Close()
			for range 2 * mostDeaths {
				message, err := queue.Next()
				if err != nil {
					t.Error(err)
					return
				}
				var j job
				if err := json.Unmarshal(message.Data(), &j); err != nil {
					t.Error(err)
				}
				if n := deaths(choked, j.Place); n != 0 {
					t.Errorf("%d workers are gone, expected none", n)
				}
				message.Nak() // as if its time had run out
			}
			w := Worker{URL: url, Program: "test", Dir: t.TempDir(), Workers: 1, Sweep: runner}
			if _, err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}}
	if err := h.Run(ctx); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	tableOf(t, s)
}

// connect is a connection with a name, and the queue of jobs.
func connect(t *testing.T, ctx context.Context, url, name string) (*nats.Conn, jetstream.Consumer) {
	connection, err := nats.Connect(url, nats.Name(name))
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(connection)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := js.Consumer(ctx, jobs, jobs)
	if err != nil {
		t.Fatal(err)
	}
	return connection, queue
}
