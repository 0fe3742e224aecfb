package main

import (
	"strings"
	"testing"
	"time"
)

// Where no terminal is, progress comes in lines, a minute apart: here a little sooner.
func TestProgressIsToldWithoutATerminalAndDuringPreparation(t *testing.T) {
	text := new(lockedText)
	console := newConsole(text)
	if console.pause != time.Minute {
		t.Errorf("a line every %s, expected every minute", console.pause)
	}
	console.pause = 20 * time.Millisecond
	tell, stop := console.stages()
	tell("training base models", 30, 120)
	for until := time.Now().Add(10 * time.Second); strings.Count(text.String(), "\n") < 3 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	stop()
	lines := strings.Split(text.String(), "\n")
	if len(lines) < 4 || !strings.HasPrefix(lines[0], "training base models: 30 of 120  ") || !strings.HasSuffix(lines[0], " left") {
		t.Errorf("%q", lines)
	}
	if len(lines) > 12 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestTheTimeLeftOfAStageIsThatOfWhatRemains(t *testing.T) {
	if got, want := describeStage("training base models", 30, 120, 10*time.Second),
		"training base models: 30 of 120  10s so far  30s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := describeStage("reading the corpus", 0, 1, time.Second), "reading the corpus: 0 of 1  1s so far  ? left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
