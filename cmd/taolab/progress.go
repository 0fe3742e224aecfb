package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"taolab/report"
	"taolab/scenarios"
	"taolab/sim/virtual"
)

// Pauses between two progress lines.
const (
	terminalPause = 200 * time.Millisecond
	filePause     = time.Minute
)

// console writes to standard error: a line that rewrites itself on a terminal, a line a minute
// elsewhere.
type console struct {
	mutex    sync.Mutex
	w        io.Writer
	terminal bool
	shown    bool
	pause    time.Duration
	last     time.Time
}

func newConsole(w io.Writer) *console {
	t := &console{w: w, pause: filePause, last: time.Now()}
	if f, ok := w.(*os.File); ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd())) {
		t.terminal, t.pause = true, terminalPause
	}
	return t
}

// say writes a line that stays.
func (t *console) say(format string, args ...any) {
	t.clear()
	t.mutex.Lock()
	defer t.mutex.Unlock()
	fmt.Fprintf(t.w, format+"\n", args...)
}

// line shows how far things are.
func (t *console) line(text string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if time.Since(t.last) < t.pause {
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
func (t *console) clear() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.shown {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.shown = false
	}
}

// watch shows what describe says, again and again until stop is called.
func (t *console) watch(describe func() string) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(min(t.pause, 500*time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-done:
				t.clear()
				return
			case <-ticker.C:
				if text := describe(); text != "" {
					t.line(text)
				}
			}
		}
	}()
	return func() { close(done); <-ended }
}

// stages shows what the preparation is busy with until stop is called: a long stage that tells
// nothing for a while is shown too.
func (t *console) stages() (tell scenarios.Stage, stop func()) {
	var (
		mutex       sync.Mutex
		name        string
		done, total int64
		begun       time.Time
	)
	tell = func(stage string, d, all int64) {
		mutex.Lock()
		defer mutex.Unlock()
		if stage != name {
			name, begun = stage, time.Now()
		}
		done, total = d, all
	}
	return tell, t.watch(func() string {
		mutex.Lock()
		defer mutex.Unlock()
		if name == "" {
			return ""
		}
		return describeStage(name, done, total, time.Since(begun))
	})
}

// describeStage is the progress line of the preparation.
func describeStage(name string, done, total int64, wall time.Duration) string {
	left := "?"
	if done > 0 {
		left = (wall / time.Duration(done) * time.Duration(max(total-done, 0))).Round(time.Second).String()
	}
	return fmt.Sprintf("%s: %d of %d  %s so far  %s left", name, done, total, wall.Round(time.Second), left)
}

// follow shows a running world until stop is called.
func (t *console) follow(world *virtual.World) (stop func()) {
	start, from := time.Now(), world.Progress()
	return t.watch(func() string { return describe(from, world.Progress(), time.Since(start)) })
}

// describe is the progress line: virtual time, blocks, and the rates and the time left after what was
// done since from.
func describe(from, p virtual.Progress, wall time.Duration) string {
	seconds := wall.Seconds()
	left := "?"
	if done := p.Height - from.Height; done > 0 {
		perBlock := wall / time.Duration(done)
		left = (perBlock * time.Duration(p.Blocks-p.Height)).Round(time.Second).String()
	}
	return fmt.Sprintf("%s  block %d of %d  %s events/s  %s tokens/s  %s left",
		clock(int64(p.Now)), p.Height, p.Blocks, short(float64(p.Events-from.Events)/seconds), short(float64(p.Tokens-from.Tokens)/seconds), left)
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

// costLine is the cost in a line for people.
func costLine(m *report.Manifest) string {
	c, bytes := m.Cost, int64(0)
	for _, t := range m.Tables {
		bytes += t.Bytes
	}
	const least = 1e-9 // seconds, so that nothing is divided by zero
	wall, jobs := max(m.WallSeconds, least), max(c.JobSeconds, least)
	per := func(x, seconds float64) string { return short(x / seconds) }
	agents := max(len(m.Nodes), 1)
	text := fmt.Sprintf("%s in %.1f s on %d threads: %s events/s",
		clock(m.VirtualNs), m.WallSeconds, c.Threads, per(float64(m.Events), wall))
	if m.FLOP > 0 {
		text += fmt.Sprintf(", %s tokens/s, %sFLOP/s; in jobs %.0f %% of a thread's %sFLOP/s", per(float64(c.Tokens), wall),
			per(float64(m.FLOP), wall), percent(float64(m.FLOP)/jobs, max(c.PeakFLOPS, 1)), short(c.PeakFLOPS))
	}
	return text + fmt.Sprintf("; the loop outside jobs %.0f %%, idle %.0f %%; %sB for each of %d nodes, %sB from the system; tables %sB",
		percent(c.LoopSeconds, wall), percent(c.WaitSeconds, wall),
		short(float64(c.HeapBytes)/float64(agents)), len(m.Nodes), short(float64(c.SystemBytes)), short(float64(bytes)))
}

func percent(part, whole float64) float64 { return float64(100*part) / whole }
