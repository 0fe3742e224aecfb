package replica

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
)

// Halted says that a node stopped after a block, of which all is kept, and what to do.
type Halted struct {
	Height uint64
	Reason error
}

func (h *Halted) Error() string {
	return fmt.Sprintf("the node stopped after block %d: %v", h.Height, h.Reason)
}

func (h *Halted) Unwrap() error { return h.Reason }

// ending is how a node comes to its end: by its owner's will, or because it must not go on.
type ending struct {
	log      *slog.Logger
	opening  atomic.Bool   // the engine is being made, and can be told of errors
	failed   chan struct{} // closed when err is set
	stopped  chan struct{} // closed when the owner stops the node
	mu       sync.Mutex
	err      error
	once     sync.Once
	fetching func() bool // the engine fetches blocks, and does not vote yet
	// stranger is why the last peer of another network is one.
	stranger string
}

func newEnding(log *slog.Logger) *ending {
	e := &ending{
		log: log, failed: make(chan struct{}), stopped: make(chan struct{}), fetching: func() bool { return false },
	}
	e.opening.Store(true)
	return e
}

// announce tells the owner why the node must stop; the first reason counts.
func (e *ending) announce(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
		e.log.Error("the node must stop", "reason", err)
		close(e.failed)
	}
}

// stop announces an error and holds the engine until its owner stops it. An error that the engine gets would
// make it panic, or go on without voting, unless it is only being made. The routine that fetches blocks gets
// none even then: its panic would end the process.
func (e *ending) stop(err error) error {
	if e.opening.Load() {
		if halted := (*Halted)(nil); !errors.As(err, &halted) {
			err = fmt.Errorf("%w: if the disk is sound, join again with an empty folder", err)
		}
		e.announce(err)
		return err
	}
	e.announce(err)
	<-e.stopped
	if e.fetching() {
		runtime.Goexit()
	}
	return err
}

func (e *ending) reason() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *ending) release() { e.once.Do(func() { close(e.stopped) }) }

func (e *ending) meet(stranger string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stranger != stranger {
		e.log.Warn("a peer belongs to another network", "reason", stranger)
	}
	e.stranger = stranger
}

func (e *ending) strangerMet() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stranger
}
