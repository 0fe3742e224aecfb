package base

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestRunsOfOneProcessShareTextsAndModels(t *testing.T) {
	c := Cache{Shelf: &Shelf{MaxBytes: 1 << 30}}
	first, again := text(t, c), text(t, c)
	if first != again {
		t.Error("the same text was read twice")
	}
	if model(t, first.Store, c) != model(t, again.Store, c) {
		t.Error("the same model was trained twice")
	}
	other, err := Read(context.Background(), synthetic, 300, c)
	if err != nil {
		t.Fatal(err)
	}
	if other == first {
		t.Error("a text of another vocabulary is the same")
	}
	alone := Cache{}
	if text(t, alone) == first {
		t.Error("a cache without a shelf shares")
	}
}

func TestAShelfHoldsAsMuchAsItMayAndForgetsWhatWasTakenLongestAgo(t *testing.T) {
	s, made := &Shelf{MaxBytes: 20}, 0
	get := func(key string) {
		if _, err := take(s, key, func(int) int64 { return 8 }, func() (int, error) { made++; return made, nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		key  string
		made int
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}, {"c", 5}} { // c pushes b out, b then c
		if get(c.key); made != c.made {
			t.Fatalf("after %s %d were made, want %d", c.key, made, c.made)
		}
	}
	if len(s.items) != 2 {
		t.Errorf("%d items of 8 bytes on a shelf of %d", len(s.items), s.MaxBytes)
	}
}

func TestAFailureIsNotKeptAndAThingIsMadeOnceHoweverManyWant(t *testing.T) {
	s, made := &Shelf{MaxBytes: 100}, 0
	fails := errors.New("no")
	if _, err := take(s, "x", func(int) int64 { return 1 }, func() (int, error) { return 0, fails }); err != fails {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 20 {
		group.Add(1)
		go func() {
			defer group.Done()
			if v, err := take(s, "x", func(int) int64 { return 1 }, func() (int, error) { made++; return 7, nil }); err != nil || v != 7 {
				t.Error(fmt.Sprint(v, err))
			}
		}()
	}
	group.Wait()
	if made != 1 {
		t.Errorf("made %d times", made)
	}
}
