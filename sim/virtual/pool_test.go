package virtual

import (
	"context"
	"strings"
	"testing"
	"time"

	"taolab/sim/host"
)

// does is a job that calls a function.
type does func()

func (does) Work() int64 { return 1 }
func (f does) Run(*host.Scratch) []byte {
	f()
	return []byte("done")
}

// twoWorkers is a pool with one goroutine next to the loop, and a task that this goroutine is at until
// end is closed.
func twoWorkers(t *testing.T, end chan struct{}) (*pool, *task) {
	p := newPool(2, nil)
	p.start()
	t.Cleanup(p.stop)
	began := make(chan struct{})
	long := &task{due: 1, job: does(func() { close(began); <-end })}
	p.add(long)
	<-began
	return p, long
}

func TestTheLoopRunsWhatWaitsWhileItWaits(t *testing.T) {
	end := make(chan struct{})
	p, long := twoWorkers(t, end)
	var order []host.Time
	for _, due := range []host.Time{4, 2, 3} {
		p.add(&task{due: due, job: does(func() {
			if order = append(order, due); len(order) == 3 {
				close(end) // by nobody but the loop: the other thread waits for it
			}
		})})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.wait(ctx, long); err != nil || string(long.result) != "done" {
		t.Fatalf("%q, %v", long.result, err)
	}
	if len(order) != 3 || order[0] != 2 || order[1] != 3 || order[2] != 4 {
		t.Errorf("ran in the order %v, expected what is due first before all others", order)
	}
}

func TestADroppedTaskHasEndedOrNeverBegins(t *testing.T) {
	end, ended := make(chan struct{}), false
	p, long := twoWorkers(t, end)
	p.drop(&task{}) // one that no pool has seen
	waits := &task{due: 2, job: does(func() { t.Error("a task ran that was dropped before") })}
	p.add(waits)
	p.drop(waits)
	time.AfterFunc(10*time.Millisecond, func() { ended = true; close(end) })
	p.drop(long)
	if !ended || long.state != taskEnded {
		t.Error("drop returned before the running task had ended")
	}
	if err := p.wait(context.Background(), waits); err != nil || waits.result != nil {
		t.Errorf("the dropped task came to %q, %v", waits.result, err)
	}
}

func TestAJobThatPanicsIsAnErrorAndItsThreadGoesOn(t *testing.T) {
	end := make(chan struct{})
	close(end)
	p, _ := twoWorkers(t, end)
	for range 20 {
		bad, good := &task{due: 2, job: does(func() { panic("out of range") })}, &task{due: 3, job: does(func() {})}
		p.add(bad)
		p.add(good)
		for _, task := range []*task{bad, good} {
			if err := p.wait(context.Background(), task); err != nil {
				t.Fatal(err)
			}
		}
		if bad.err == nil || !strings.Contains(bad.err.Error(), "out of range") || good.err != nil {
			t.Fatalf("errors %v and %v", bad.err, good.err)
		}
	}
}
