package pile

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"taolab/model/num"
)

// TestScripts runs the scripts in testdata:
//
//	grammar [zipf=S] [units=N]   reads a grammar, and prints the expectation of a unit and N units
//	line                         reads each input line as a line of a shard
//	bytes                        the same for lines in hexadecimal, without and with replacement
//	level limit=N                shares N bytes out among sizes
func TestScripts(t *testing.T) {
	for _, script := range []string{"notation.txt", "lines.txt", "level.txt"} {
		datadriven.RunTest(t, "testdata/"+script, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "grammar":
				return grammarCommand(t, d)
			case "line":
				return lineCommand(d)
			case "bytes":
				return bytesCommand(t, d)
			case "level":
				return levelCommand(t, d)
			}
			t.Fatalf("no command %q", d.Cmd)
			return ""
		})
	}
}

func grammarCommand(t *testing.T, d *datadriven.TestData) string {
	grammars, err := parseGrammars(strings.ReplaceAll(d.Input, "|\t", "\t"))
	if err != nil {
		return err.Error() + "\n"
	}
	zipf, units := "1", 0
	d.MaybeScanArgs(t, "zipf", &zipf)
	d.MaybeScanArgs(t, "units", &units)
	s, err := strconv.ParseFloat(zipf, 64)
	if err != nil {
		t.Fatal(err)
	}
	g := grammars[0]
	g.invent(num.NewStream(1, "script"))
	rate := g.rateUnder(s)
	e := g.unit()
	var out strings.Builder
	fmt.Fprintf(&out, "%.4f nats in %.4f bytes: %.4f\n", e.nats, e.bytes, rate)
	w := g.writer(num.NewStream(2, "script"))
	for range units {
		w.unit()
	}
	if units > 0 {
		fmt.Fprintf(&out, "%q\n", w.text)
	}
	return out.String()
}

func lineCommand(d *datadriven.TestData) string {
	var out strings.Builder
	for _, line := range strings.Split(d.Input, "\n") {
		r, err := new(lineParser).parse([]byte(line))
		if err != nil {
			fmt.Fprintf(&out, "%v\n", err)
		} else {
			fmt.Fprintf(&out, "%s: %q\n", r.subset, r.text)
		}
	}
	return out.String()
}

func bytesCommand(t *testing.T, d *datadriven.TestData) string {
	var out strings.Builder
	for digits := range strings.SplitSeq(d.Input, "\n") {
		line, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		_, refused := new(lineParser).parse(line)
		r, err := (&lineParser{invalid: ReplaceInvalid}).parse(line)
		fmt.Fprintf(&out, "%v\n  %q, %d replaced, %v\n", refused, r.text, r.invalid, err)
	}
	return out.String()
}

func levelCommand(t *testing.T, d *datadriven.TestData) string {
	g := group{bytes: make(map[string]int64)}
	d.ScanArgs(t, "limit", &g.limit)
	var names []string
	for _, size := range strings.Fields(d.Input) {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%c=%d", 'a'+len(names), n)
		names = append(names, name)
		g.bytes[name] = n
		g.looked += n
	}
	g.level(names)
	if g.caps == nil {
		return "all\n"
	}
	var out strings.Builder
	for _, name := range names {
		fmt.Fprintf(&out, "%s -> %d\n", name, g.caps[name])
	}
	return out.String()
}
