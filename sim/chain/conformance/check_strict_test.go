package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestFilesThatAreNotWhatTheirFormatDemands changes samples in one place and shows what Check says:
//
//	change file=epochs.json
//	the text that goes
//	=>
//	the text that comes
//
// The text that goes must stand in the file; its first place is changed. Without a file the whole
// input is the document.
func TestFilesThatAreNotWhatTheirFormatDemands(t *testing.T) {
	samples := map[string]string{}
	for _, f := range append(SampleVectors(), SampleTransition()...) {
		samples[f.Name] = string(f.Text)
	}
	datadriven.Walk(t, "testdata/check", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text := d.Input
			if d.Cmd == "change" {
				var name string
				d.ScanArgs(t, "file", &name)
				from, to, ok := strings.Cut(d.Input, "\n=>")
				if !ok || !strings.Contains(samples[name], from) {
					d.Fatalf(t, "%q does not stand in %s", from, name)
				}
				text = strings.Replace(samples[name], from, strings.TrimPrefix(to, "\n"), 1)
			}
			r, err := Check([]byte(text))
			switch {
			case err != nil:
				return "error: " + err.Error() + "\n"
			case r.OK():
				return "passed\n"
			}
			out := ""
			if r.First != nil {
				out = "differs: " + r.First.String() + "\n"
			}
			for _, f := range r.Faults {
				out += "fault: " + f.String() + "\n"
			}
			if r.Faulty > 0 {
				out += fmt.Sprintf("%d of %d cases passed\n", r.Passed, r.Cases)
			}
			return out
		})
	})
}
