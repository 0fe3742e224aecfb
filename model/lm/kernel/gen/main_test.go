package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheCommittedFilesAreThoseThatGoGenerateWrites(t *testing.T) {
	for name, want := range files() { // order-free: each is compared by itself
		got, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run go generate ./model/lm/kernel", name)
		}
	}
}
