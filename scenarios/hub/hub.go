package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"taolab/scenarios/sweep"
)

// job is a message of the queue.
type job struct {
	Place   int `json:"place"` // in the design
	Attempt int `json:"attempt"`
}

// result is an entry of the bucket.
type result struct {
	job
	Outcome sweep.Outcome `json:"outcome"`
	Cost    sweep.Cost    `json:"cost"`
}

// scenario is what a worker needs besides the design.
type scenario struct {
	Name string   `json:"name"`
	Text string   `json:"text"`
	Sets []string `json:"sets"`
}

// Hub hands out the runs of a sweep that have no result yet.
type Hub struct {
	Sweep *sweep.Sweep
	Host  string
	Port  int // -1: any that is free
	// Ready, if given, hears the address that workers need.
	Ready func(url string)
}

// Run waits until workers have made all runs, or ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	s := h.Sweep
	if err := s.Design.Keep(s.Dir); err != nil {
		return err
	}
	session, err := s.Open()
	if err != nil {
		return err
	}
	return errors.Join(h.serve(ctx, session), session.Close())
}

// serve runs the server until all is done.
func (h *Hub) serve(ctx context.Context, session *sweep.Session) error {
	store, err := os.MkdirTemp("", "taolab-hub-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(store)
	ns, err := server.NewServer(&server.Options{
		ServerName: "taolab", Host: h.Host, Port: h.Port, JetStream: true, StoreDir: store, SyncAlways: true,
		NoSigs: true, NoLog: true, MaxPayload: 8 << 20,
	})
	if err != nil {
		return fmt.Errorf("the hub's server cannot be made: %w", err)
	}
	ns.Start()
	defer func() { ns.Shutdown(); ns.WaitForShutdown() }()
	if !ns.ReadyForConnections(10 * time.Second) {
		return fmt.Errorf("the hub cannot listen on %s:%d within 10 s; name another address with --listen", h.Host, h.Port)
	}
	connection, err := nats.Connect("", nats.InProcessServer(ns))
	if err != nil {
		return fmt.Errorf("the hub does not reach its own server: %w", err)
	}
	defer connection.Close()
	c := claims{server: ns, began: map[int][]string{}}
	if _, err := connection.Subscribe(beginnings, c.answer); err != nil {
		return err
	}
	js, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	return h.hand(ctx, js, session, ns.ClientURL())
}

// hand fills the queue and takes the results.
func (h *Hub) hand(ctx context.Context, js jetstream.JetStream, session *sweep.Session, url string) error {
	s := h.Sweep
	tasks := map[string]sweep.Task{} // by key
	places := map[string]int{}
	for _, t := range session.Missing(s.Design) {
		tasks[t.Key.String()] = t
		places[t.Key.String()] = t.Point*s.Design.Replications + t.Replication
	}
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: jobs, Subjects: []string{jobs}, Retention: jetstream.WorkQueuePolicy, Duplicates: time.Hour})
	if err != nil {
		return err
	}
	_, err = js.CreateConsumer(ctx, jobs, jetstream.ConsumerConfig{Durable: jobs, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxAckPending: 4096})
	if err != nil {
		return err
	}
	bucket, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: results})
	if err != nil {
		return err
	}
	watch, err := bucket.WatchAll(ctx, jetstream.UpdatesOnly())
	if err != nil {
		return err
	}
	defer watch.Stop()
	if err := h.tell(ctx, js); err != nil {
		return err
	}
	if h.Ready != nil {
		h.Ready(url)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var filling sync.WaitGroup
	filling.Go(func() {
		if err := h.fill(ctx, js, tasks, places); err != nil {
			cancel(err) // nobody makes a run that is not in the queue
		}
	})
	err = h.collect(ctx, watch, session, tasks)
	cancel(err)
	filling.Wait()
	return err
}

// tell puts up what workers need to know.
func (h *Hub) tell(ctx context.Context, js jetstream.JetStream) error {
	bucket, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: about})
	if err != nil {
		return err
	}
	design, err := json.Marshal(h.Sweep.Design)
	if err != nil {
		return err
	}
	file := h.Sweep.File
	text, err := json.Marshal(scenario{file.Origin, string(file.Text), file.Sets})
	if err != nil {
		return err
	}
	if _, err := bucket.Put(ctx, "scenario", text); err != nil {
		return err
	}
	_, err = bucket.Put(ctx, "design", design)
	return err
}

// fill publishes a job for each task, in the order of the design. The run's key is the message's id.
func (h *Hub) fill(ctx context.Context, js jetstream.JetStream, tasks map[string]sweep.Task, places map[string]int) error {
	for i := range h.Sweep.Design.Runs() {
		key := h.Sweep.Design.Run(i).Key.String()
		place, missing := places[key]
		if !missing || place != i {
			continue
		}
		message, err := json.Marshal(job{place, tasks[key].Attempt})
		if err != nil {
			return err
		}
		if _, err := js.Publish(ctx, jobs, message, jetstream.WithMsgID(key)); err != nil {
			return fmt.Errorf("the queue does not take run %d: %w; free space in %s and start the hub again", i, err, os.TempDir())
		}
	}
	return nil
}

// collect appends results until none is missing.
func (h *Hub) collect(ctx context.Context, watch jetstream.KeyWatcher, session *sweep.Session, tasks map[string]sweep.Task) error {
	waiting := make(map[string]bool, len(tasks))
	for key := range tasks { // order-free: a set
		waiting[key] = true
	}
	for len(waiting) > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case entry := <-watch.Updates():
			if entry == nil || !waiting[entry.Key()] {
				continue
			}
			var r result
			if err := json.Unmarshal(entry.Value(), &r); err != nil {
				return fmt.Errorf("a worker's result for run %s cannot be read: %w", entry.Key(), err)
			}
			if err := session.Append(tasks[entry.Key()], r.Outcome, r.Cost); err != nil {
				return err
			}
			delete(waiting, entry.Key())
		}
	}
	return nil
}
