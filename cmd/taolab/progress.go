package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"taolab/sim/virtual"
)

// talk writes to standard error: a line that rewrites itself on a terminal, a line every ten
// seconds elsewhere.
type talk struct {
	mutex    sync.Mutex
	w        io.Writer
	terminal bool
	shown    bool
	last     time.Time
}

func newTalk(w io.Writer) *talk {
	t := &talk{w: w, last: time.Now()}
	if f, ok := w.(*os.File); ok && os.Getenv("NO_COLOR") == "" {
		t.terminal = term.IsTerminal(int(f.Fd()))
	}
	return t
}

// say writes a line that stays.
func (t *talk) say(format string, args ...any) {
	t.clear()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	fmt.Fprintf(t.w, format+"\n", args...)
}

// line shows how far things are.
func (t *talk) line(text string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	pause := 10 * time.Second
	if t.terminal {
		pause = 200 * time.Millisecond
	}
	if time.Since(t.last) < pause {
		return
	}
	t.last = time.Now()
	if t.terminal {
		fmt.Fprintf(t.w, "\r\x1b[K%s", text)
		t.shown = true
		return
	}
	fmt.Fprintln(t.w, text)
}

// clear takes the progress line away.
func (t *talk) clear() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.shown {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.shown = false
	}
}

// stage shows a step of the preparation.
func (t *talk) stage(name string, done, total int64) {
	t.line(fmt.Sprintf("%s: %d of %d", name, done, total))
}

// follow shows a running world until stop is called.
func (t *talk) follow(world *virtual.World) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		start := time.Now()
		for {
			select {
			case <-done:
				t.clear()
				return
			case <-ticker.C:
				t.line(describe(world.Progress(), time.Since(start)))
			}
		}
	}()
	return func() { close(done); <-ended }
}

// describe is the progress line: virtual time, blocks, rates, time left.
func describe(p virtual.Progress, wall time.Duration) string {
	seconds := wall.Seconds()
	left := "?"
	if p.Height > 0 {
		perBlock := wall / time.Duration(p.Height)
		left = (perBlock * time.Duration(p.Blocks-p.Height)).Round(time.Second).String()
	}
	return fmt.Sprintf("%s  block %d of %d  %s events/s  %s tokens/s  %s left",
		clock(int64(p.Now)), p.Height, p.Blocks, short(float64(p.Events)/seconds), short(float64(p.Tokens)/seconds), left)
}

// clock shows virtual nanoseconds as hours, minutes and seconds.
func clock(ns int64) string {
	s := ns / 1e9
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// short shows a rate with a unit prefix.
func short(x float64) string {
	switch {
	case x >= 1e18:
		return fmt.Sprintf("%.1f E", x/1e18)
	case x >= 1e15:
		return fmt.Sprintf("%.1f P", x/1e15)
	case x >= 1e12:
		return fmt.Sprintf("%.1f T", x/1e12)
	case x >= 1e9:
		return fmt.Sprintf("%.1f G", x/1e9)
	case x >= 1e6:
		return fmt.Sprintf("%.1f M", x/1e6)
	case x >= 1e3:
		return fmt.Sprintf("%.1f k", x/1e3)
	}
	return fmt.Sprintf("%.0f", x)
}
