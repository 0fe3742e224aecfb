package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"taolab/sim/chain"
)

// TestANetworkInOneProcessPaysItsMinersWithinAMinute runs dev from nothing, with a cold cache, and measures when
// the first block and the first epoch come that pays miners for answers of their models.
func TestANetworkInOneProcessPaysItsMinersWithinAMinute(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a network for up to a minute")
	}
	t.Setenv("TAOLAB_CACHE", t.TempDir())
	at := home(t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var out, talk bytes.Buffer
	began := time.Now()
	go func() {
		ended <- execute(ctx, []string{"dev", "--home", string(at), "--ports", "0", "--log", "warn"}, strings.NewReader(""), &out, &talk)
	}()
	first := until(t, time.Minute, func() bool { return len(heightsOf(t, at)) > 0 && heightsOf(t, at)[0] > 0 })
	block := first.Sub(began)
	scored := until(t, time.Minute, func() bool {
		v := viewOf(t, at)
		for uid := range v.N() {
			if v.Incentive(chain.UID(uid)) > 0 {
				return true
			}
		}
		return false
	})
	t.Logf("first block after %.2f s, first scored epoch after %.1f s", block.Seconds(), scored.Sub(began).Seconds())
	if block > 5*time.Second { // 1 s on a machine that has nothing else to do
		t.Errorf("the first block came after %s", block)
	}
	if scored.Sub(began) > time.Minute {
		t.Errorf("the first scored epoch came after %s", scored.Sub(began))
	}
	stop()
	if code := <-ended; code != 0 || !strings.Contains(out.String(), "dev-") {
		t.Errorf("dev ended with %d, %q\n%s", code, out.String(), talk.String())
	}
}

// until is when something was true at last.
func until(t *testing.T, patience time.Duration, true func() bool) time.Time {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if true() {
			return time.Now()
		}
	}
	t.Fatalf("it was not so within %s", patience)
	return time.Time{}
}

// heightsOf is the height of the node that runs in a folder; nothing where none does.
func heightsOf(t *testing.T, at home) []uint64 {
	r, err := at.running()
	if err != nil {
		return nil
	}
	s, err := (&client{"http://" + r.API}).status(t.Context())
	if err != nil {
		return nil
	}
	return []uint64{s.Height}
}

func viewOf(t *testing.T, at home) chain.View {
	r, err := at.running()
	if err != nil {
		t.Fatal(err)
	}
	v, err := (&client{"http://" + r.API}).view(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}
