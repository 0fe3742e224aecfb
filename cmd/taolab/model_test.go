package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"taolab/model/checkpoint"
	"taolab/model/lm"
	"taolab/model/num"
)

// TestAnInterruptedTrainingLeavesAModelThatCanGoOn interrupts a training somewhere, wherever that is.
func TestAnInterruptedTrainingLeavesAModelThatCanGoOn(t *testing.T) {
	t.Chdir(t.TempDir())
	small := []string{"--width", "16", "--layers", "1", "--heads", "2", "--context", "16", "--vocab", "300", "--megabytes", "0.5"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat("model"); err == nil {
				time.Sleep(20 * time.Millisecond)
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	args := append([]string{"model", "train", "--out", "model", "--steps", "100000000"}, small...)
	if got := execute(ctx, args, &stdout, &stderr); got != exitInterrupted {
		t.Fatalf("exit code %d, want %d: %s", got, exitInterrupted, stderr.String())
	}
	if !strings.Contains(stderr.String(), "--resume model --steps 100000000 goes on") || stdout.Len() > 0 {
		t.Errorf("%s%s", stdout.String(), stderr.String())
	}
	if _, err := checkpoint.Load("model"); err != nil {
		t.Error(err)
	}
	state, err := readTraining("model")
	if err != nil {
		t.Fatal(err)
	}
	steps := []string{"--steps", strconv.Itoa(state.Step + 10)}
	if got := execute(t.Context(), append([]string{"model", "train", "--resume", "model"}, steps...), &stdout, &stderr); got != exitOK {
		t.Errorf("resumed: exit code %d: %s", got, stderr.String())
	}
	whole := append(append([]string{"model", "train", "--out", "whole"}, steps...), small...)
	if got := execute(t.Context(), whole, &stdout, &stderr); got != exitOK {
		t.Errorf("whole: exit code %d: %s", got, stderr.String())
	}
	for _, name := range []string{checkpoint.WeightsFile, optimizerFile, trainingFile} {
		one, err1 := os.ReadFile("model/" + name)
		two, err2 := os.ReadFile("whole/" + name)
		if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs from that of a training that was not interrupted (%v, %v)", name, err1, err2)
		}
	}
}

// Weights of one step with the moments of another would train on to other bits.
func TestASaveThatFailsLeavesWhatComesAfterAsItWas(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, optimizerFile, "in the way"), 0o755); err != nil {
		t.Fatal(err)
	}
	failing := &trainer{folder: folder}
	failing.Model = lm.New(lm.Config{Vocab: 2, Context: 1, Width: 1, Layers: 1, Heads: 1}, num.NewStream(1, "save"))
	if err := failing.save(); err == nil {
		t.Error("no error")
	}
	if list, err := os.ReadDir(folder); err != nil || len(list) != 1 {
		t.Errorf("%v, %v; expected only %s", list, err, optimizerFile)
	}
}
