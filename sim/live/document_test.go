package live

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"taolab/sim/live/axon"
)

// The reference names every figure and states the limits as they are.
func TestTheReferenceIsTrue(t *testing.T) {
	file, err := os.ReadFile("../../docs/reference/live.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(file), ",", "")
	registry := prometheus.NewRegistry()
	_, actors := cast("a: see")
	cfg := config(newSolo(t, genesis([]string{"a"}, 1, nil)), actors)
	cfg.Metrics = registry
	s := play(t, cfg, actors)
	s.expect("a: see")
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) < 3 {
		t.Fatal(families, err)
	}
	for _, f := range families {
		if !strings.Contains(text, "`"+f.GetName()+"`") {
			t.Errorf("no word of %s", f.GetName())
		}
	}
	l := axon.Limits{}.WithDefaults()
	for name, value := range map[string]string{
		"BodyBytes": fmt.Sprintf("%d MiB", l.BodyBytes>>20), "MemoryBytes": fmt.Sprintf("%d MiB", l.MemoryBytes>>20),
		"OpenCalls": fmt.Sprint(l.OpenCalls), "CallerCalls": fmt.Sprint(l.CallerCalls), "`Connections": fmt.Sprint(l.Connections),
		"CallerConnections": fmt.Sprint(l.CallerConnections), "Strangers": fmt.Sprint(l.Strangers), "AdmitTime": fmt.Sprintf("%.0f s", l.AdmitTime.Seconds()),
		"AnswerBytes": fmt.Sprintf("%d MiB", l.AnswerBytes>>20), "ReadTimeout": fmt.Sprintf("%.0f s", l.ReadTimeout.Seconds()), "HandshakeTime": fmt.Sprintf("%.0f s", l.HandshakeTime.Seconds()),
		"LongestCall": fmt.Sprintf("%.0f min", l.LongestCall.Minutes()), "IdleTimeout": fmt.Sprintf("%.0f min", l.IdleTimeout.Minutes()),
		"requests that the agent": fmt.Sprint(maxRequests), "open calls of a node": fmt.Sprint(maxCalls),
		"parts of an answer": fmt.Sprint(maxReplies), "has not taken": fmt.Sprintf("%d MiB", maxUnread>>20), "have not taken": fmt.Sprintf("%d MiB", maxAnswers>>20),
		"blocks that the agent": fmt.Sprint(maxNews), "timers random streams": fmt.Sprintf("%d %d", maxTimers, maxStreams),
	} {
		found := false
		for row := range strings.Lines(text) {
			found = found || strings.HasPrefix(row, "|") && strings.Contains(row, name) && strings.Contains(row, "| "+value+" |")
		}
		if !found {
			t.Errorf("no row of %s says %s", name, value)
		}
	}
}
