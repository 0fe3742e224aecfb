package token

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs the scripts in testdata:
//
//	pretokens         each input line is a Go string; out come its pretokens
//	train vocab=N     learns from the input and prints the merges
//	encode            each input line is a Go string; out come its tokens under the last train
func TestScripts(t *testing.T) {
	for _, script := range []string{"pretokens.txt", "bpe.txt"} {
		var trained *Tokenizer
		datadriven.RunTest(t, "testdata/"+script, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "pretokens":
				for _, line := range unquoted(t, d) {
					for len(line) > 0 {
						n := pretoken(line)
						fmt.Fprintf(&out, "%+q ", line[:n])
						line = line[n:]
					}
					out.WriteString("\n")
				}
			case "train":
				var vocab int
				d.ScanArgs(t, "vocab", &vocab)
				got, err := Train([][]byte{[]byte(d.Input)}, vocab)
				if err != nil {
					return err.Error() + "\n"
				}
				trained = got
				for _, m := range trained.merges {
					fmt.Fprintf(&out, "%q + %q = %d\n", spell(trained.text[m.left]), spell(trained.text[m.right]), m.result)
				}
			case "encode":
				for _, line := range unquoted(t, d) {
					for _, id := range trained.Encode(nil, line) {
						fmt.Fprintf(&out, "%d=%q ", id, spell(trained.Bytes(id)))
					}
					out.WriteString("\n")
				}
			default:
				t.Fatalf("no command %q", d.Cmd)
			}
			return strings.ReplaceAll(out.String(), " \n", "\n")
		})
	}
}

func unquoted(t *testing.T, d *datadriven.TestData) (lines [][]byte) {
	for _, line := range strings.Split(d.Input, "\n") {
		text, err := strconv.Unquote(line)
		if err != nil {
			d.Fatalf(t, "%s is not a Go string", line)
		}
		lines = append(lines, []byte(text))
	}
	return lines
}
