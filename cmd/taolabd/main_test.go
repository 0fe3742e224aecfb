package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestAnythingButVersionIsRefusedWithAHint(t *testing.T) {
	for _, args := range [][]string{nil, {"node"}, {"version", "x"}} {
		var out, talk bytes.Buffer
		if code := execute(args, &out, &talk); code != 2 || out.Len() > 0 || !strings.Contains(talk.String(), "taolab") {
			t.Errorf("%q: code %d, %q, %q", args, code, out.String(), talk.String())
		}
	}
	var out, talk bytes.Buffer
	if code := execute([]string{"version"}, &out, &talk); code != 0 || !strings.HasPrefix(out.String(), "taolabd ") {
		t.Errorf("version: code %d, %q", code, out.String())
	}
}
