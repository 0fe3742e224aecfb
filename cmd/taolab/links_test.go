package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestTheLaboratoryLinksNothingOfTheLiveNetwork lists what the program is built of.
func TestTheLaboratoryLinksNothingOfTheLiveNetwork(t *testing.T) {
	list, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(list), "taolab/scenarios\n") {
		t.Fatalf("the list is not that of the laboratory:\n%s", list)
	}
	for line := range strings.Lines(string(list)) {
		for _, heavy := range []string{
			"taolab/sim/live", "taolab/cmd/taolabd", "github.com/cometbft", "github.com/cockroachdb/pebble", "google.golang.org/grpc",
			"filippo.io/age", "github.com/prometheus", "github.com/tyler-smith/go-bip39",
		} {
			if strings.HasPrefix(line, heavy) {
				t.Errorf("the laboratory links %s", strings.TrimSpace(line))
			}
		}
	}
}
