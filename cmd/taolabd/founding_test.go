package main

import (
	"strings"
	"testing"
)

// A founding has addresses in its council; names of a scenario's nodes mean nothing there.
func TestAFoundingsCouncilIsOfAddresses(t *testing.T) {
	for _, text := range []string{"[chain]\ncouncil = [\"validator-1\"]\n", "[chain]\ncouncil_threshold = 1\n"} {
		if _, err := decodeFounding("founding.toml", text, nil); err == nil || !strings.Contains(err.Error(), "before the table [chain]") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
