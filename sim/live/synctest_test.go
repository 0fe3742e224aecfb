package live

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"taolab/sim/host"
	"taolab/sim/live/axon"
)

// inBubble runs a world without a wire under a clock that jumps, and stops it. log is that of the first actor. A goroutine that is left over
// or waits for nobody fails the test.
func inBubble(t *testing.T, text string, during func(t *testing.T, w *World, l *solo, log func() []string)) {
	synctest.Test(t, func(t *testing.T) {
		names, actors := cast(text)
		ledger := newSolo(t, genesis(names, 2, nil))
		cfg := Config{Ledger: ledger, Genesis: time.Now(), Seed: 1, Workers: 1, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		var mu sync.Mutex
		var first []string
		actors[0].Told = func(text string) {
			mu.Lock()
			defer mu.Unlock()
			first = append(first, text)
		}
		for _, a := range actors {
			a.Mute = a.Name == "mute"
			cfg.Nodes = append(cfg.Nodes, Node{
				Name: a.Name, Agent: a, Hotkey: keyOf(a.Name), Coldkey: keyOf("cold " + a.Name),
				Admission: host.AdmissionRules{LongestService: host.Minute},
			})
		}
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		go ledger.tick(ctx, 12*time.Second, 1<<40)
		synctest.Wait()
		during(t, w, ledger, func() []string {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(first)
		})
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Timers and blocks come when they are due.
func TestTimersRingOnTime(t *testing.T) {
	inBubble(t, "a: sleep 3600000; at 310; see\nb: see", func(t *testing.T, w *World, _ *solo, log func() []string) {
		time.Sleep(time.Hour - time.Second)
		if len(log()) != 0 {
			t.Errorf("too early: %q", log())
		}
		time.Sleep(2 * time.Second)
		if len(log()) != 1 {
			t.Errorf("after an hour: %q", log())
		}
		time.Sleep(3 * time.Minute) // block 310 is made after 3720 s
		if !slices.Contains(log(), "at 310: saw block 310 at true") {
			t.Errorf("%q", log())
		}
	})
}

// A transaction that no block has is Expired behind its last block, one that the pool refuses is Rejected with
// the pool's words, and the next one takes the nonce that was left.
func TestTransactionsThatComeNowhereAreTold(t *testing.T) {
	inBubble(t, "a: at 2; stake 1; at 70; stake 1; at 80; stake 1\nb: see", func(t *testing.T, w *World, l *solo, log func() []string) {
		l.mu.Lock()
		l.lose = true
		l.mu.Unlock()
		time.Sleep(66*12*time.Second + time.Second) // the submission at block 2 may be in block 66
		if got := log(); slices.Contains(got, "stake 1: expired") {
			t.Errorf("too early: %q", got)
		}
		time.Sleep(12 * time.Second)
		if got := log(); !slices.Contains(got, "stake 1: expired") {
			t.Errorf("block 67 has come: %q", got)
		}
		time.Sleep(2 * 12 * time.Second)
		l.mu.Lock()
		l.lose, l.refuse = false, errors.New("the pool is full")
		l.mu.Unlock()
		time.Sleep(8 * 12 * time.Second)
		l.mu.Lock()
		l.refuse = nil
		l.mu.Unlock()
		time.Sleep(10 * 12 * time.Second)
		want := []string{"stake 1: expired", "stake 1: rejected: the pool is full", "stake 1: included"}
		got := slices.DeleteFunc(log(), func(s string) bool { return strings.HasPrefix(s, "at ") })
		if !slices.Equal(got, want) {
			t.Errorf("%q, expected %q", got, want)
		}
	})
}

// A request ends at its caller's deadline, or at the end of the longest service, and the agent hears of it; a
// request whose caller has gone is taken from it.
func TestARequestEndsWhenItsTimeIsUp(t *testing.T) {
	inBubble(t, "mute: see\nb: see", func(t *testing.T, w *World, _ *solo, log func() []string) {
		ask := func(patience time.Duration) (axon.Reply, time.Duration) {
			from := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			var last axon.Reply
			for r := range w.Ask(ctx, "mute", axon.KeyOf(keyOf("b")), hello(1)) {
				last = r
			}
			return last, time.Since(from)
		}
		if r, took := ask(5 * time.Second); r.Code != host.Timeout || took != 5*time.Second {
			t.Errorf("%v, %q after %v", r.Code, r.Reason, took)
		}
		if r, took := ask(time.Hour); r.Code != host.Timeout || took != time.Minute || !strings.Contains(r.Reason, "in service") {
			t.Errorf("%v, %q after %v", r.Code, r.Reason, took)
		}
		if got := strings.Join(log(), "; "); strings.Count(got, "need not answer") != 2 {
			t.Errorf("the agent heard %q", got)
		}
	})
}

// Calls that cannot be made are answered, each once.
func TestACallThatCannotBeMadeIsAnswered(t *testing.T) {
	inBubble(t, "a: ask nobody 1 1; ask b 1 1; ask b 99999999 1\nb: see", func(t *testing.T, w *World, _ *solo, log func() []string) {
		time.Sleep(time.Second)
		want := []string{
			"ask nobody 1 1: answer Unavailable of 0 bytes", "ask b 1 1: answer Unavailable of 0 bytes",
			"ask b 99999999 1: answer Unavailable of 0 bytes",
		}
		if !slices.Equal(log(), want) {
			t.Errorf("%q", log())
		}
	})
}
